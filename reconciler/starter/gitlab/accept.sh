#!/usr/bin/env bash
# ci/accept.sh: maintains one request that writes live edits into the definitions.
# Usage: ci/accept.sh, or ci/accept.sh ids: only the ids of new assistants, without the API.
set -euo pipefail

. "$(dirname "$0")/record.sh"
[[ -n $before ]] || exit 0 # without a record, live edits look like changes in git
if [[ ${1:-} == ids ]]; then
  reconciler pull --ids
  propose --kind ids
else
  reconciler pull --base "$base"
  propose
fi
