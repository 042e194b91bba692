#!/usr/bin/env bash
# ci/drift.sh: reports live edits. Exit codes: 2: there are some. 1: not everything could be checked.
set -euo pipefail

begins=drift . "$(dirname "$0")/record.sh"
reported drift --base "$base" --detailed-exitcode
