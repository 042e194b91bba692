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
  # Every file that is installed has the digest that the lock says. -I: else Python would import what lies about here.
  python3 -I -m venv "$place"
  pip=("$place/bin/python" -I -m pip --disable-pip-version-check --quiet install)
  "${pip[@]}" --require-hashes --only-binary :all: -r "$home/source/requirements/tool.lock" >&2
  "${pip[@]}" --no-deps --no-index --no-build-isolation "$home/source" >&2
fi
"$place/bin/reconciler" --version >&2
echo "$place/bin"
