#!/usr/bin/env bash
# ci/install.sh: installs the reconciler, and prints the folder to put into PATH. Nobody has to be root.
set -euo pipefail

from=https://github.com/OWNER/REPOSITORY
commit=COMMIT

home=${RECONCILER_HOME:-$PWD/.reconciler}
place=$home/$commit
if [[ ! -x $place/bin/reconciler ]]; then
  mkdir -p "$home"
  echo '*' > "$home/.gitignore" # nothing of it is the repository's
  rm -rf "$place" "$home/source"
  git init --quiet "$home/source"
  git -C "$home/source" fetch --quiet --depth 1 "$from" "$commit"
  git -C "$home/source" -c advice.detachedHead=false checkout --quiet FETCH_HEAD
  # The one way of installing, GitHub's too: every package has the digest that the lock says.
  bash "$home/source/.github/actions/install/install" "$(command -v python3)" "$place" > /dev/null
fi
"$place/bin/reconciler" --version >&2
echo "$place/bin"
