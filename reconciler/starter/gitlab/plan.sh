#!/usr/bin/env bash
# ci/plan.sh: shows what merging would change. Usage: ci/plan.sh origin/main
set -euo pipefail

since=$(git rev-parse --verify --end-of-options "$1^{commit}") || since="" # resolve it now: a fetch moves FETCH_HEAD
begins=plan . "$(dirname "$0")/record.sh"
[[ -n $since ]] || exit 1 # only now: the reports of an earlier job are removed

# Without an account, as in a fork, the plan compares with what was applied, or with the target, not with live.
chosen=(--base "$base")
if [[ -z ${RECONCILER_PASSWORD:-}${RECONCILER_AUTH_TOKEN:-} ]]; then
  chosen=(--offline --base "${before:-$since}")
fi

# Plan the merge, not the branch: newer commits of the target are not changes of this branch.
git checkout --quiet --detach
if ! git -c user.name=ci -c user.email=ci@localhost merge --quiet --no-edit "$since"; then
  git merge --abort
  mkdir -p "$reports" # the merge may have removed it
  rm -f "$reports"/plan.*
  what="This branch cannot be merged as it is: both sides changed the same lines. Merge the target into it first."
  printf '### There is no plan\n\n%s\n' "$what" > "$reports/plan.could-not-begin.md"
  echo "$what" >&2
  exit 1
fi

# Continues if a definition is invalid: the plan of the others is still useful.
failed=0
reconciler validate || failed=$?
reported plan --changed-since "$since" "${chosen[@]}" || failed=$?
((failed == 0)) || exit "$failed"
# A conflict that an earlier merge left open is no reason to stop this one.
git rev-list --end-of-options "$since..HEAD" | python3 -I -c '
import json, sys
own, assistants = set(sys.stdin.read().split()), json.load(open(sys.argv[1]))["assistants"]
conflicts = [change for one in assistants for change in one["changes"] if change["kind"] == "conflict"]
sys.exit(any("since" not in change or change["since"]["commit"] in own for change in conflicts))' "$reports/plan.json"
