#!/usr/bin/env bash
# Style, types, tests. Arguments go to pytest: scripts/test.sh tests/config -k base
set -euo pipefail
cd "$(dirname "$0")/.."

# Kept byte code makes each start of TensorFlow five times quicker.
unset PYTHONDONTWRITEBYTECODE
export PATH="$PWD/.venv/bin:$PATH"

ruff check .
ruff format --check .
mypy
python -m pytest --durations=15 "$@"
