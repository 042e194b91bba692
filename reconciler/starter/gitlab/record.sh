# ci/record.sh: sourced by the other scripts. Fetches the record of what was applied; without one, `base` is none.
# `begins` names the command that is about to run: the reports of an earlier job in this folder are not its own.
# Each environment has its own folder, because a pipeline may run several.
reports=reports${RECONCILER_ENVIRONMENT:+/$RECONCILER_ENVIRONMENT}
for folder in reports "$reports"; do
  [[ ! -L $folder ]] || rm "$folder" # a branch may contain it, and it could point anywhere
done
mkdir -p "$reports"
if [[ -n ${begins:-} ]]; then
  rm -f "$reports/$begins".*
  [[ $begins != apply ]] || rm -f "$reports"/{not-applied,applied-before}
  # If this job ends before the command starts, ci/tell.sh has only this.
  printf '### `reconciler %s` could not start\n\nSee the log of the job.\n' "$begins" > "$reports/$begins.could-not-begin.md"
fi
record=refs/reconciler/${RECONCILER_ENVIRONMENT:+$RECONCILER_ENVIRONMENT/}applied
base=$record
code=0
git ls-remote --exit-code origin "$record" > /dev/null || code=$?
case $code in
  0) git fetch --quiet origin "+$record:$record" ;;
  2) # there is none yet; any other code is a failure
    base=none && git update-ref -d "$record"
    # To start anew under another name would take live edits for changes, and overwrite them.
    others=$(git ls-remote origin 'refs/reconciler/*' | cut -f 2 | paste -s -d ' ' -)
    [[ -z $others ]] || echo "There is no $record, but there is $others. If the environment was renamed," \
      "copy its record before the first run: git fetch origin OLD && git push origin FETCH_HEAD:$record" >&2
    ;;
  *) exit "$code" ;;
esac
before=$(git for-each-ref --format='%(objectname)' "$record")

# The token is in no command line and no file. Without RECORD_TOKEN, git uses its own credentials.
push() {
  if [[ -z ${RECORD_TOKEN:-} ]]; then
    git push "$@"
  else
    git -c http.followRedirects=false -c credential.helper= \
      -c credential.helper='!echo username=record; echo "password=$RECORD_TOKEN"; :' push "$@"
  fi
}

# Pushes the record if it has moved since it was fetched or last pushed.
publish() {
  local after remote=${RECORD_URL:-${RECORD_TOKEN:+${CI_PROJECT_URL:+$CI_PROJECT_URL.git}}}
  after=$(git for-each-ref --format='%(objectname)' "$record")
  [[ $after != "$before" ]] || return 0
  push "--force-with-lease=$record:$before" "${remote:-origin}" "$after:$record" || return 1
  before=$after
}

# Maintains a request with what was written into the definitions. On GitLab, it uses the token that can push.
propose() {
  if [[ -n ${GITLAB_CI:-} ]]; then
    [[ -n ${RECORD_TOKEN:-} ]] || { echo "No request was opened: RECORD_TOKEN is not set." >&2 && return 1; }
    export GITLAB_TOKEN=$RECORD_TOKEN
  fi
  reconciler propose "$@"
}

# Runs a command with its reports.
reported() {
  local command=$1 suffix files=()
  shift
  rm -f "$reports/$command".*
  for suffix in json md html xml codequality; do
    files+=(--report "$reports/$command.$suffix")
  done
  captured "$command" reconciler "$command" "${files[@]}" "$@"
}

# Runs a step of a command: if that ends without a report, the step's output is saved instead.
captured() {
  local name=$1 code=0
  shift
  "$@" 2> "$reports/$name.said" || code=$?
  cat "$reports/$name.said" >&2
  if [[ ! -s $reports/$name.json ]]; then
    { echo "### \`reconciler $name\` could not start" && echo && sed 's/^/    /' "$reports/$name.said"; } \
      > "$reports/$name.could-not-begin.md"
  fi
  rm "$reports/$name.said"
  return "$code"
}

# Splits a comma-separated list into lines.
split() {
  tr ',' '\n' <<< "$1" | sed -E 's/^[[:space:]]+|[[:space:]]+$//g; /^$/d'
}
