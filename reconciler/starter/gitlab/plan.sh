#!/usr/bin/env bash
# ci/plan.sh: what would merging do? Usage: ci/plan.sh origin/main
set -euo pipefail

since=$(git rev-parse --verify --end-of-options "$1^{commit}") # now: a fetch moves FETCH_HEAD
. "$(dirname "$0")/record.sh"

# Without an account, as in a fork, the plan compares with what was applied, or with the target: not with live.
chosen=(--base "$base")
if [[ -z ${RECONCILER_PASSWORD:-}${RECONCILER_AUTH_TOKEN:-} ]]; then
  chosen=(--offline --base "${before:-$since}")
fi

# The merge is planned, not the branch: what the target has got since is no change of this branch's.
git checkout --quiet --detach
if ! git -c user.name=ci -c user.email=ci@localhost merge --quiet --no-edit "$since"; then
  git merge --abort
  mkdir -p reports # it goes with the merge where somebody has committed one
  rm -f reports/plan.*
  what="This branch cannot be merged as it is: both sides changed the same lines. Merge the target into it first."
  printf '### There is no plan\n\n%s\n' "$what" > reports/plan.could-not-begin.md
  echo "$what" >&2
  exit 1
fi

# Goes on where a definition is not valid: the plan of the others is worth seeing, too.
failed=0
reconciler validate || failed=$?
reported plan --changed-since "$since" "${chosen[@]}" || failed=$?
((failed == 0)) || exit "$failed"
python3 -I -c 'import json, sys; sys.exit(json.load(open("reports/plan.json"))["summary"]["conflicted"] > 0)'
