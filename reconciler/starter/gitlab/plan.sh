#!/usr/bin/env bash
# ci/plan.sh: what would merging do? Usage: ci/plan.sh origin/main
set -euo pipefail

since=$(git rev-parse --verify --end-of-options "$1^{commit}") # now: a fetch moves FETCH_HEAD
record=refs/reconciler/applied
base=$record
code=0
git ls-remote --exit-code origin "$record" || code=$?
case $code in
  0) git fetch --quiet origin "+$record:$record" ;;
  2) base=none ;; # there is no record yet; any other code is a failure
  *) exit "$code" ;;
esac

# The merge is planned, not the branch: what the target has got since is no change of this branch's.
git checkout --quiet --detach
git -c user.name=ci -c user.email=ci@localhost merge --quiet --no-edit "$since"

# Goes on where a definition is not valid: the plan of the others is worth seeing, too.
failed=0
reconciler validate || failed=$?
reconciler plan --changed-since "$since" --base "$base" --report plan.json --report plan.md --report plan.html \
  --report plan.xml || failed=$?
((failed == 0)) || exit "$failed"
python3 -I -c 'import json, sys; sys.exit(json.load(open("plan.json"))["summary"]["conflicted"] > 0)'
