#!/usr/bin/env bash
# Make .venv: every pinned package, rootflow itself, and what lets a bare `mlflow run` find it.
set -euo pipefail
cd "$(dirname "$0")/.."

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

"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' requirements.lock)"
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip install --quiet -r requirements.lock
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip install --quiet --no-deps -e .
.venv/bin/python -m rootflow.tracking.environment
touch .venv
