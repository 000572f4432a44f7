#!/usr/bin/env bash
# Every benchmark; each prints one JSON line: name, value, unit, reference, ratio.
set -euo pipefail
cd "$(dirname "$0")/.."

unset PYTHONDONTWRITEBYTECODE
for benchmark in benchmarks/*.py; do
  .venv/bin/python "$benchmark"
done
