#!/usr/bin/env bash
# Older versions of onnxruntime, in which tests open exported files: the oldest that there is for
# this Python, and one in between. Each gets an environment of its own in .onnxruntimes, once.
set -euo pipefail
cd "$(dirname "$0")/.."

target=.onnxruntimes
versions=(1.15.0 1.26.0)
# Before 1.19 they know nothing of NumPy 2.
declare -A numpy=([1.15.0]=1.26.4 [1.26.0]=2.4.6)

mkdir -p "$target"
exec 9>"$target/.lock"
flock 9 # several tests may ask at once
for version in "${versions[@]}"; do
  place=$target/$version
  if ! "$place/bin/python" -c pass 2>/dev/null; then
    rm -rf "$place" "$place.partial"
    .venv/bin/uv venv --quiet --python .venv/bin/python "$place.partial"
    .venv/bin/uv pip install --quiet --python "$place.partial/bin/python" \
      "onnxruntime==$version" "numpy==${numpy[$version]}"
    mv "$place.partial" "$place"
  fi
  echo "$PWD/$place/bin/python"
done
