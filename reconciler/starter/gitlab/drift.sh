#!/usr/bin/env bash
# ci/drift.sh: what was edited live?
set -euo pipefail

record=refs/reconciler/applied
base=$record
code=0
git ls-remote --exit-code origin "$record" || code=$?
case $code in
  0) git fetch --quiet origin "+$record:$record" ;;
  2) base=none ;; # there is no record yet; any other code is a failure
  *) exit "$code" ;;
esac

reconciler drift --base "$base" --detailed-exitcode --report drift.json --report drift.md --report drift.html \
  --report drift.xml
