#!/usr/bin/env bash
# ci/apply.sh: apply and record. The first time: ci/apply.sh first
# It ends with 2 where not everything was applied, with 3 where there is no record yet, with 1 where it could not begin.
set -euo pipefail

. "$(dirname "$0")/record.sh"
chosen=(--changed)
rm -f reports/not-applied reports/applied-before
[[ -z $before ]] || git rev-parse --verify --quiet "$before^1" > reports/applied-before # for ci/tell.sh
if [[ -z $before ]]; then
  if [[ ${1:-} != first ]]; then
    echo "Nothing was sent: there is no record yet. The first time, run: ci/apply.sh first" >&2
    echo "In GitLab, press assistants-first-run${CI_PIPELINE_URL:+: $CI_PIPELINE_URL}" >&2
    exit 3
  fi
  chosen=(--base none)
fi

# Git's token is in no command line and in no file; without RECORD_TOKEN, git pushes as it does here anyway.
push() {
  if [[ -z ${RECORD_TOKEN:-} ]]; then
    git push "$@"
  else
    git -c http.followRedirects=false -c credential.helper= \
      -c credential.helper='!echo username=record; echo "password=$RECORD_TOKEN"; :' push "$@"
  fi
}

# Pushes the record, if it has moved since it was fetched, or pushed last.
remote=${RECORD_URL:-${RECORD_TOKEN:+${CI_PROJECT_URL:+$CI_PROJECT_URL.git}}}
publish() {
  local after
  after=$(git for-each-ref --format='%(objectname)' "$record")
  [[ $after != "$before" ]] || return 0
  push "--force-with-lease=$record:$before" "${remote:-origin}" "$after:$record" || return 1
  before=$after
}

# What is to be created is announced, and that is pushed, before anything is sent: where this run is killed, or its record
# lost, the next one finds the announcement, and creates nothing a second time. The first run creates nothing.
if [[ -n $before ]]; then
  token=${CI_JOB_ID:-$$}-$(date +%s)
  reconciler announce --token "$token"
  publish || { echo "Nothing was sent: the record cannot be pushed." >&2; exit 1; }
  chosen+=(--create "--announced=$token")
fi

# What was applied must be recorded, also where another assistant failed.
failed=0
reported apply --yes --record "${chosen[@]}" || failed=$?
if ((failed != 0)) && [[ -s reports/apply.json ]]; then
  echo "Not everything was applied: see assistants-apply, and its reports." > reports/not-applied
  failed=2
fi
if ! publish; then
  echo "What was applied is live, but it is not recorded. Run this once more." | tee reports/not-applied >&2
  exit 2
fi
exit "$failed"
