#!/usr/bin/env bash
# ci/apply.sh: apply and record. The first time: ci/apply.sh first
# It ends with 2 where not everything was applied, with 3 where there is no record yet, with 1 where it could not begin.
#
# By hand: APPLY_ONLY and APPLY_FORCE_CONFLICTS (assistants), APPLY_CREATE (files), each with commas between them,
# APPLY_MAX_CHANGES, APPLY_ALLOW_OLDER (true), RECONCILER_ON_DRIFT.
set -euo pipefail

. "$(dirname "$0")/record.sh"
options=()
[[ -z ${APPLY_MAX_CHANGES:-} ]] || options+=("--max-changes=$APPLY_MAX_CHANGES")
[[ ${APPLY_ALLOW_OLDER:-} != true ]] || options+=(--allow-older)
named=${APPLY_ONLY:-}
if [[ -n ${APPLY_FORCE_CONFLICTS:-} ]]; then
  if [[ -n $named && $named != "$APPLY_FORCE_CONFLICTS" ]]; then
    echo "Nothing was sent: APPLY_ONLY and APPLY_FORCE_CONFLICTS name different assistants. Set only one of them." >&2
    exit 1
  fi
  named=$APPLY_FORCE_CONFLICTS
  options+=(--force-conflicts)
fi
mapfile -t assistants < <(split "$named")
mapfile -t files < <(split "${APPLY_CREATE:-}")

rm -f reports/not-applied reports/applied-before
if [[ -n $before ]]; then
  git rev-parse --verify --quiet "$before^1" > reports/applied-before # for ci/tell.sh
  # Who names assistants, or asks for live edits to go, means those that git has not changed, too.
  [[ -n $named || ${RECONCILER_ON_DRIFT:-keep} != keep ]] || options+=(--changed)
  # What is to be created is announced, and that is pushed, before anything is sent: where this run is killed, or its
  # record lost, the next one finds the announcement, and creates nothing a second time. The first run creates nothing.
  token=${CI_JOB_ID:-$$}-$(date +%s)
  reconciler announce --token "$token" -- "${files[@]}"
  publish || { echo "Nothing was sent: the record cannot be pushed." >&2; exit 1; }
  options+=(--create "--announced=$token")
elif [[ ${1:-} == first ]]; then
  options+=(--base none)
else
  echo "Nothing was sent: there is no record yet. The first time, run: ci/apply.sh first" >&2
  echo "In GitLab, press assistants-first-run${CI_PIPELINE_URL:+: $CI_PIPELINE_URL}" >&2
  exit 3
fi

# What was applied must be recorded, also where another assistant failed.
failed=0
reported apply --yes --record "${options[@]}" -- "${assistants[@]}" || failed=$?
if ((failed != 0)) && [[ -s reports/apply.json ]]; then
  echo "Not everything was applied: see the job assistants-apply and its reports." > reports/not-applied
  failed=2
fi
if ! publish; then
  echo "What was applied is live, but not recorded. Run this again." | tee reports/not-applied >&2
  exit 2
fi
exit "$failed"
