#!/usr/bin/env bash
# ci/apply.sh: apply and record. The first time: ci/apply.sh first
# Exit codes: 1: it could not start. 2: not everything was applied. 3: there is no record yet.
# By hand: APPLY_ONLY and APPLY_FORCE_CONFLICTS (assistants), APPLY_CREATE (files), separated by commas,
# APPLY_MAX_CHANGES, APPLY_ALLOW_OLDER (true), RECONCILER_ON_DRIFT.
set -euo pipefail

begins=apply . "$(dirname "$0")/record.sh"
: > "$reports/not-applied" # without this file, assistants-result fails
options=() older=()
[[ -z ${APPLY_MAX_CHANGES:-} ]] || options+=("--max-changes=$APPLY_MAX_CHANGES")
[[ ${APPLY_ALLOW_OLDER:-} != true ]] || older=(--allow-older)
named=${APPLY_FORCE_CONFLICTS:-${APPLY_ONLY:-}}
mapfile -t assistants < <(split "$named")
mapfile -t files < <(split "${APPLY_CREATE:-}")
stop() {
  rm "$reports/apply.could-not-begin.md" # no news for the issue
  echo "Nothing was sent: $1" >&2
  exit 1
}
[[ -z ${APPLY_ONLY:-} || $APPLY_ONLY == "$named" ]] ||
  stop "APPLY_ONLY and APPLY_FORCE_CONFLICTS name different assistants. Set only one of them."
# Without a name, it would apply to all assistants.
[[ -z $named || ${#assistants[@]} != 0 ]] || stop "APPLY_ONLY or APPLY_FORCE_CONFLICTS is set, but names no assistant."
[[ -z ${APPLY_FORCE_CONFLICTS:-} ]] || options+=(--force-conflicts)

if [[ -n $before ]]; then
  git rev-parse --verify --quiet "$before^1" > "$reports/applied-before" # for ci/tell.sh
  # Named assistants, live edits to revert, and a limit in percent also concern what git has not changed. A wrong match
  # in the settings only means that more assistants are read.
  settings=$(dirname -- "${RECONCILER_DIRECTORY:-assistants}")/reconciler.yaml
  [[ -n $named || ${RECONCILER_ON_DRIFT:-keep} != keep || ${APPLY_MAX_CHANGES:-} == *%* ]] ||
    grep -Eqs '^[^#]*(enforce.*:|on_drift.*revert|max_changes.*%)' -- "$settings" || options+=(--changed)
  # New assistants are announced, and the announcement is pushed, before anything is sent. If this run is killed or its
  # record is lost, the next run finds the announcement and creates nothing twice. The first run creates nothing.
  token=${CI_JOB_ID:-$$}-$(date +%s)
  captured apply reconciler announce --token "$token" "${older[@]}" -- "${files[@]}" || {
    # A late run is no news for the issue: a newer one has applied everything.
    git merge-base --is-ancestor "$before^1" HEAD || rm "$reports/apply.could-not-begin.md"
    exit 1
  }
  captured apply publish || {
    echo "Nothing was sent: the record cannot be pushed." | tee -a "$reports/apply.could-not-begin.md" >&2
    exit 1
  }
  options+=(--create "--announced=$token")
elif [[ ${1:-} == first ]]; then
  options+=(--base none)
else
  rm "$reports/apply.could-not-begin.md"
  echo "Nothing was sent: there is no record yet. The first time, run: ci/apply.sh first" >&2
  echo "In GitLab, start the job assistants-first-run${CI_PIPELINE_URL:+: $CI_PIPELINE_URL}" >&2
  exit 3
fi

# What was applied must be recorded, even if another assistant failed.
failed=0
reported apply --yes --record "${options[@]}" "${older[@]}" -- "${assistants[@]}" || failed=$?
if ((failed != 0)) && [[ -s $reports/apply.json ]]; then
  echo "Not everything was applied: see the job assistants-apply and its reports." > "$reports/not-applied"
  failed=2
fi
if ! publish; then
  echo "What was applied is live, but not recorded. Run this again." | tee "$reports/not-applied" >&2
  exit 2
fi
exit "$failed"
