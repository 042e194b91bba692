#!/usr/bin/env bash
# ci/drift.sh: what was edited live? It ends with 2 where something was, with 1 where not all could be looked at.
set -euo pipefail

. "$(dirname "$0")/record.sh"
reported drift --base "$base" --detailed-exitcode
