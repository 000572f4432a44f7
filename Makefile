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

COMPILE = .venv/bin/uv pip compile pyproject.toml --extra simulation --extra remote --extra dev \
  --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate

# The second has the versions of the first of all that both have.
lock:
	$(COMPILE) --extra cpu -o requirements.lock
	$(COMPILE) --extra gpu -c requirements.lock -o requirements-gpu.lock
