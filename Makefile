# Needs only python3 (3.11 or newer) and make; everything else is built into .venv at the first use.
PYTHON ?= python3
IN_VENV = exec $(PYTHON) config/local/bootstrap.py
LAUNCH = $(IN_VENV) -m config.local.launch
THROWAWAY = $(LAUNCH) with
TESTS = $(THROWAWAY) --settings tests.settings python -m pytest
# Every page in a browser, for every role: half of the time.
PAGES = tests/browser tests/test_every_page.py
LOCK = .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet

.DEFAULT_GOAL := help
.PHONY: run reset shell migrations test test-pages test-rest lint bench chaos pictures acceptance lock help

run: ## start everything and say where; PORT=9000 chooses the port, DEMO=0 starts empty
	@$(LAUNCH) run

reset: ## throw the local data away, after asking; YES=1 does not ask
	@$(LAUNCH) reset $(if $(YES),--yes)

shell: ## a Python shell on the running stack
	@$(IN_VENV) manage.py shell

migrations: ## write the migrations that the models ask for
	@$(THROWAWAY) python manage.py makemigrations $(ARGS)

test: ## the tests, on servers of their own, in two halves side by side; ARGS="-k score" goes to pytest, and then it is one
ifdef ARGS
	@$(TESTS) $(ARGS)
else
	@$(PYTHON) config/local/bootstrap.py
	@$(MAKE) --no-print-directory -j2 test-pages test-rest
endif

test-pages:
	@$(TESTS) $(PAGES)

test-rest:
	@$(TESTS) $(addprefix --ignore=,$(PAGES))

lint: ## style, types, layers, migrations, templates, deployment
	@$(IN_VENV) -m config.local.lint

bench: ## the measurements of BENCHMARKS.md; ARGS go to tests.bench
	@$(THROWAWAY) --durable python -m tests.bench $(ARGS)

chaos: ## workers killed, servers stopped, and what came of 40,000 pieces of work: CHAOS.md; ARGS=--short takes seconds
	@$(IN_VENV) -m tests.chaos $(ARGS)

pictures: ## the pictures of docs/images anew, of the demo in a real browser
	@PICTURES=1 $(THROWAWAY) --settings tests.settings python -m pytest tests/browser/test_pictures.py

acceptance: ## the acceptance tests and their report
	@$(THROWAWAY) --settings tests.settings python -m tests.acceptance.report $(ARGS)

lock: ## renew requirements.txt and requirements-dev.txt from pyproject.toml; ARGS=--upgrade takes newer versions
	@$(PYTHON) config/local/bootstrap.py
	@$(LOCK) $(ARGS) --group dev pyproject.toml -o requirements-dev.txt
	@$(LOCK) $(ARGS) -c requirements-dev.txt pyproject.toml -o requirements.txt

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
