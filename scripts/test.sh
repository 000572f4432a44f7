#!/usr/bin/env bash
# Style, types, tests. Arguments go to pytest: scripts/test.sh tests/config -k base
set -euo pipefail
cd "$(dirname "$0")/.."

# Kept byte code makes each start of TensorFlow five times quicker.
unset PYTHONDONTWRITEBYTECODE
export PATH="$PWD/.venv/bin:$PATH"

# Reports are looked at in a real browser. Without one those tests are skipped, and say so.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! command -v chromium >/dev/null; then
  { apt-get update && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core; } \
    >/dev/null 2>&1 || echo "scripts/test.sh: chromium could not be installed" >&2
fi

# C++ is compiled against the onnxruntime of .venv. Without its headers those tests are skipped;
# in CI they fail.
scripts/onnxruntime.sh || true

ruff check .
ruff format --check .
mypy
# All tests: three workers, which take a file when they are free (tests/conftest.py): some wait
# for jobs, so that two would leave a core idle.
# Few tests do not pay for workers.
if [ $# = 0 ]; then
  set -- --numprocesses 3 --dist loadfile --no-loadscope-reorder
fi
python -m pytest --durations=25 "$@"
