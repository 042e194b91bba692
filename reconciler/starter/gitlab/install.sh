#!/usr/bin/env bash
# ci/install.sh: installs reconciler without root, and prints the folder to add to PATH.
set -euo pipefail

from=https://github.com/OWNER/REPOSITORY
commit=COMMIT

home=${RECONCILER_HOME:-$PWD/.reconciler}
place=$home/$commit
# A folder that was kept, or a cache from elsewhere, may name a Python that is gone.
if ! "$place/bin/reconciler" --version > /dev/null 2>&1; then
  mkdir -p "$home"
  echo '*' > "$home/.gitignore" # keep it out of the repository
  rm -rf "$place" "$home/source"
  git init --quiet "$home/source"
  git -C "$home/source" fetch --quiet --depth 1 "$from" "$commit"
  git -C "$home/source" -c advice.detachedHead=false checkout --quiet FETCH_HEAD
  # The same installation as on GitHub: the lock file has the hash of every package. In these jobs, 2 and 3 have a
  # meaning, and pip ends with 2 if a package cannot be downloaded.
  bash "$home/source/.github/actions/install/install" "$(command -v python3)" "$place" > /dev/null || exit 1
fi
"$place/bin/reconciler" --version >&2
echo "$place/bin"
