#!/usr/bin/env bash
# ci/tell.sh: updates the comment on the request, or the issue. Usage: ci/tell.sh comment plan, or: issue drift
set -euo pipefail

what=$1 command=$2
reports=reports${RECONCILER_ENVIRONMENT:+/$RECONCILER_ENVIRONMENT}
if [[ -z ${GITLAB_TOKEN:-} ]]; then
  echo "GITLAB_TOKEN is not set, so no $what is written. A fork's pipeline never has it." >&2
  exit 0
fi
said=()
[[ -z ${CI_JOB_URL:-} ]] || said+=(--link "$CI_JOB_URL/artifacts/browse/$reports")
if [[ "$what $command" == "comment plan" && -n ${CI_PROJECT_URL:-} ]]; then
  said+=(--apply-link "$CI_PROJECT_URL/-/pipelines/new")
fi
if [[ "$what $command" == "comment apply" ]]; then
  # On each request that was merged since, comment with its result.
  [[ -s $reports/applied-before ]] || exit 0
  said+=(--merged-since "$(< "$reports/applied-before")")
fi
text=$reports/$command.could-not-begin.md
if [[ -s $reports/$command.json ]]; then
  reconciler "$what" "$reports/$command.json" "${said[@]}"
# Only an apply may end without a word: one that is late, or that has no record yet.
elif [[ -s $text || $command != apply ]]; then
  mkdir -p "$reports"
  [[ -s $text ]] || printf '### `reconciler %s` left no report\n\nSee the log of the job.\n' "$command" > "$text"
  [[ $what == comment ]] || said+=(--about "$command")
  reconciler "$what" --text "$text" "${said[@]}"
fi
