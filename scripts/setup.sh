#!/usr/bin/env bash
# Make .venv: every pinned package, rootflow itself, and what lets a bare `mlflow run` use it.
# It names no place, so that it goes on working where the project is moved or copied to.
# scripts/setup.sh gpu has TensorFlow for NVIDIA GPUs, with CUDA (3.4 GB), scripts/setup.sh cpu the
# one without; without a word .venv stays what it was, at first cpu.
set -euo pipefail
cd "$(dirname "$0")/.."

extra=${1:-$(cat .venv/extra 2>/dev/null || echo cpu)}
case $extra in
  cpu) lock=requirements.lock ;;
  gpu) lock=requirements-gpu.lock ;;
  *)
    echo "scripts/setup.sh $extra: there is no such environment: cpu or gpu" >&2
    exit 2
    ;;
esac

python=""
for candidate in python3.11 python3 python; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "rootflow: Python 3.11 is needed; none of python3.11, python3, python is one" >&2
  exit 1
fi

# Without byte code each start of TensorFlow compiles it again, for 20 seconds.
unset PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$python" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' "$lock")"
"$tools/bin/uv" venv --quiet --clear --seed --relocatable --python "$python" .venv
echo "$extra" >.venv/extra
VIRTUAL_ENV=$PWD/.venv "$tools/bin/uv" pip install --quiet -r "$lock"
VIRTUAL_ENV=$PWD/.venv "$tools/bin/uv" pip install --quiet --no-deps -e .
# The path of an editable install may be relative to the folder that it stands in.
echo ../../../../src >.venv/lib/python3.11/site-packages/_editable_impl_rootflow.pth
.venv/bin/python -m rootflow.tracking.environment
touch .venv
