# Two commands are all that is needed:
#   make lab     set everything up (once) and open JupyterLab; ARGS="..." goes to JupyterLab
#   make test    set everything up (once) and run the whole test suite on a real Ollama, by several
#                workers; with ARGS="tests/widgets -x" these tests only, by one (or -n auto)
# For developers: make bench (the figures), make figures (the pictures in the notebooks)

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python

.PHONY: lab test bench figures check clean

lab: $(VENV)/.installed
	@exec $(VENV)/bin/lifecycle-lab notebooks $(ARGS)

# Several workers are four times the load that a claim about times was made for: what failed beside
# others is tried once more by itself, and counts as it ends then.
test: check
	@$(RUN) -m pytest $(or $(ARGS),-n auto); status=$$?; \
	if [ $$status = 1 ] && [ -z "$(ARGS)" ]; then \
		echo "What failed beside others, once more by itself:"; \
		$(RUN) -m pytest --last-failed --last-failed-no-failures none; \
	else exit $$status; fi

bench: $(VENV)/.tested
	$(RUN) -m tests.bench $(ARGS)

figures: $(VENV)/.tested
	$(RUN) -m tests.figures $(ARGS)

check: $(VENV)/.tested
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The environment. The private Ollama, where one is needed, is built meanwhile (its part of the
# package needs nothing but Python), so that the two long steps take as long as the longer one.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "lifecycle_widgets needs Python 3.10 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
		  echo "Name another one: make lab PYTHON=python3.12"; exit 1; }
	@echo "Setting up the environment in $(VENV) (1 to 3 minutes, once) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment can be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(RUN) -m pip install --disable-pip-version-check --quiet --upgrade "pip>=25.1"
	@if [ -z "$$OLLAMA_HOST" ] && ! $(RUN) -c 'import socket; socket.create_connection(("localhost", 11434), 1)' 2>/dev/null; \
		then $(RUN) -m lifecycle_widgets.sandbox program & building=$$!; else building=; fi; \
	$(RUN) -m pip install --disable-pip-version-check --quiet --editable . || \
		{ test -z "$$building" || kill $$building 2>/dev/null; echo "The installation failed; see above. Nothing is lost: run make again."; exit 1; }; \
	test -z "$$building" || wait $$building || true
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "Installing what the tests need ..."
	@$(RUN) -m pip install --disable-pip-version-check --quiet --editable ".[test]"
	@touch $@

clean:
	rm -rf $(VENV) build dist test-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
