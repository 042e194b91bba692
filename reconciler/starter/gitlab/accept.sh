#!/usr/bin/env bash
# ci/accept.sh: keeps one request that writes live edits into the definitions.
# Usage: ci/accept.sh, or ci/accept.sh ids: the ids of new assistants alone, without the API.
set -euo pipefail

. "$(dirname "$0")/record.sh"
[[ -n $before ]] || exit 0 # without a record, live edits cannot be told from changes
if [[ ${1:-} == ids ]]; then
  reconciler pull --ids
  propose --kind ids
else
  reconciler pull --base "$base"
  propose
fi
