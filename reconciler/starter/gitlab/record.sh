# ci/record.sh: read by the other scripts. Fetches the record of what was applied; without one, `base` is none.
record=refs/reconciler/${RECONCILER_ENVIRONMENT:+$RECONCILER_ENVIRONMENT/}applied
base=$record
code=0
git ls-remote --exit-code origin "$record" > /dev/null || code=$?
case $code in
  0) git fetch --quiet origin "+$record:$record" ;;
  2) base=none && git update-ref -d "$record" ;; # there is none yet; any other code is a failure
  *) exit "$code" ;;
esac
before=$(git for-each-ref --format='%(objectname)' "$record")
mkdir -p reports

# Runs a command with its reports. Where it ends without one, what it said stands in their place.
reported() {
  local command=$1 code=0
  rm -f reports/"$command".*
  reconciler "$@" --report "reports/$command.json" --report "reports/$command.md" --report "reports/$command.html" \
    --report "reports/$command.xml" --report "reports/$command.codequality" 2> "reports/$command.said" || code=$?
  cat "reports/$command.said" >&2
  if [[ ! -s reports/$command.json ]]; then
    { echo "### \`reconciler $command\` could not begin" && echo && sed 's/^/    /' "reports/$command.said"; } \
      > "reports/$command.could-not-begin.md"
  fi
  rm "reports/$command.said"
  return "$code"
}
