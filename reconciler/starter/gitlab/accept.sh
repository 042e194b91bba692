#!/usr/bin/env bash
# ci/accept.sh: keeps one request that writes what was edited live, and the ids of new assistants, into the definitions.
# Usage: ci/accept.sh, or ci/accept.sh ids: those alone, without the API.
set -euo pipefail

. "$(dirname "$0")/record.sh"
[[ -n $before ]] || exit 0 # without a record nobody can tell what was edited live
if [[ -n ${GITLAB_CI:-} ]]; then
  GITLAB_TOKEN=${RECORD_TOKEN:-} # the one that may push
  export GITLAB_TOKEN
fi
if [[ ${1:-} == ids ]]; then
  reconciler pull --ids
  reconciler propose --kind ids
else
  reconciler pull --base "$base"
  reconciler propose
fi
