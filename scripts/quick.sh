#!/usr/bin/env bash
# Before each commit: style, types, the tests that start neither TensorFlow nor MLflow, and the whole
# chain once. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE
export PATH="$PWD/.venv/bin:$PATH"

ruff check .
ruff format --check .
mypy
python -m pytest --quick --quiet -r fE --numprocesses 2 --dist loadfile --no-loadscope-reorder "$@"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
project=$PWD
cd "$scratch"
rootflow main --config "$project/configs/ttbar-feed-forward.yaml" "data.files=[$project/data/ttbar/*.root]" \
  training.fast_dev_run=true model.width=16 evaluation.replicas=20 'evaluation.methods=[m_lb]' \
  'evaluation.drawn=[]' evaluation.displays=0 evaluation.importance_events=0 >main.log 2>&1 ||
  { cat main.log >&2; exit 1; }
echo "the chain from data/ttbar to an ONNX file: whole"
