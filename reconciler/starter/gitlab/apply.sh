#!/usr/bin/env bash
# ci/apply.sh: apply and record. The first time: ci/apply.sh first
set -euo pipefail

record=refs/reconciler/applied
code=0
git ls-remote --exit-code origin "$record" || code=$?
case $code in
  0) git fetch --quiet origin "+$record:$record" ;;
  2) [[ ${1:-} == first ]] || { echo "There is no record yet. The first time, run: ci/apply.sh first" >&2; exit 1; } ;;
  *) exit "$code" ;;
esac
before=$(git for-each-ref --format='%(objectname)' "$record")
chosen=(--changed)
[[ -n $before ]] || chosen=(--base none)

# What was applied must be recorded, also where another assistant failed.
failed=0
reconciler apply --yes --record "${chosen[@]}" --report apply.json --report apply.md --report apply.html \
  --report apply.xml || failed=$?
after=$(git for-each-ref --format='%(objectname)' "$record")
if [[ $after != "$before" ]] && ! git push "--force-with-lease=$record:$before" origin "$after:$record"; then
  echo "What was applied is live, but it is not recorded. Run this once more." >&2
  exit 1
fi
exit "$failed"
