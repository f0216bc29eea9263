# Two commands are all a new user needs: `make demo` and `make test`.
# Each target is a few lines that can be copied; PYTHON chooses the interpreter (3.10, 3.11 or 3.12).

PYTHON ?= $(shell for p in python3.11 python3.12 python3.10 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
VENV ?= .venv
# Test files that run beside each other, some 2 GB each.
JOBS ?= 2
BIN := $(VENV)/bin

.PHONY: venv demo test check lint test-slow test-soak test-gpu bench docs wheel clean

venv: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "dance needs Python 3.10, 3.11 or 3.12 (make PYTHON=...)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: venv
	@mkdir -p out
	$(BIN)/dance reenact docs/media/photo.jpg docs/media/dance.mp4 \
		-o out/demo.mp4 --contact-sheet out/demo.png --force

test: venv
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --benchmark-disable

check: lint test wheel

lint: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test-slow: venv
	$(BIN)/python -m pytest --timeout 0 -m slow

test-soak: venv
	$(BIN)/python -m pytest --timeout 0 -m soak

test-gpu: venv
	$(BIN)/python -m pytest --timeout 0 -m gpu

bench: venv
	@mkdir -p out
	$(BIN)/python -m pytest tests/benchmarks --timeout 0 -m bench --bench-out out/bench.json $(if $(AGAINST),--bench-against $(AGAINST))

docs: venv
	$(BIN)/python docs/generate_cli.py

wheel: venv
	$(BIN)/python -m build --wheel --outdir dist

clean:
	rm -rf $(VENV) build dist out
