.PHONY: run test quick bench check lock

CONFIG = configs/ttbar.yaml

run: .venv
	.venv/bin/rootflow main --config $(CONFIG)

test: .venv
	scripts/test.sh

quick: .venv
	scripts/quick.sh

bench: .venv
	scripts/bench.sh

check: .venv
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

.venv: requirements.lock pyproject.toml scripts/setup.sh
	scripts/setup.sh

lock:
	.venv/bin/uv pip compile pyproject.toml --all-extras --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock
