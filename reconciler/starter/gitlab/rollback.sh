#!/usr/bin/env bash
# ci/rollback.sh: undoes the apply whose report is reports/apply.json; with an environment, reports/ENVIRONMENT/apply.json.
# The record notes what was restored, and what is unclear: the next apply sends those fields again.
set -euo pipefail

. "$(dirname "$0")/record.sh"
failed=0
reported rollback "$reports/apply.json" --yes || failed=$?
publish || { echo "What was restored is live, but not recorded. Run this again." >&2; exit 1; }
exit "$failed"
