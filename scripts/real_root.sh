#!/usr/bin/env bash
# ROOT itself, with which tests write and read files: in an environment of its own in .root, once,
# since it takes 0.6 GB and no part of rootflow needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

target=.root
mkdir -p "$target"
exec 9>"$target/.lock"
flock 9 # several tests may ask at once
place=$target/root
if ! "$place/bin/python" -c pass 2>/dev/null; then
  rm -rf "$place" "$place.partial"
  .venv/bin/uv venv --quiet --python .venv/bin/python "$place.partial"
  .venv/bin/uv pip install --quiet --python "$place.partial/bin/python" root==0.1a12 numpy==2.4.6
  mv "$place.partial" "$place"
fi
echo "$PWD/$place/bin/python"
