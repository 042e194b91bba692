#!/usr/bin/env bash
# ci/retire.sh: deletes the assistant of one definition, and opens a request that removes its files. There is no undo.
# RETIRE_FILE is the definition's path, RETIRE_NAME the assistant's live name. Set
# RETIRE_FORCE_CONFLICTS=true to delete it even if it was edited live since it was applied.
set -euo pipefail

. "$(dirname "$0")/record.sh"
if [[ -z ${RETIRE_NAME:-} || ! -f ${RETIRE_FILE:-} ]]; then
  echo "Nothing was deleted: RETIRE_FILE must be the path of one definition, and RETIRE_NAME the assistant's name." >&2
  exit 1
fi
options=()
[[ ${RETIRE_FORCE_CONFLICTS:-} != true ]] || options+=(--force-conflicts)
failed=0
reported delete --yes "--name=$RETIRE_NAME" "${options[@]}" -- "$RETIRE_FILE" || failed=$?
# Even if a file could not be removed: the assistant is deleted. If none was, the request of an earlier run stays.
git diff --quiet HEAD -- || propose --kind retire --name "$RETIRE_FILE${RECONCILER_ENVIRONMENT:+, $RECONCILER_ENVIRONMENT}" || failed=$?
publish || failed=$? # last: if this fails, the entry stays until the request is merged and applied
exit "$failed"
