#!/usr/bin/env bash
# ci/rollback.sh: undoes the apply whose report is reports/apply.json. If an outcome is unclear, the record says so, so
# that the next apply sends those fields again.
set -euo pipefail

. "$(dirname "$0")/record.sh"
failed=0
reported rollback reports/apply.json --yes || failed=$?
publish || { echo "Some writes of this rollback are unclear, and the record does not say so. Run this again." >&2; exit 1; }
exit "$failed"
