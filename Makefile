# `make` lists the tasks. Each one sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
# pip's own settings may say where packages come from, not what is installed where. uv reads none of them: it gets the index.
PIP = PIP_USER=0 PIP_TARGET= PIP_PREFIX= PIP_CONSTRAINT= $(BIN)/python -m pip
INSTALL = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(PIP) config get global.index-url 2> /dev/null)}}" \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python

# GNU make and BSD make read this file: `help` comes first, and no line has what only one of them knows.
.PHONY: help lab check programs test test-all test-elsewhere proof workshop release bench bench-site bench-tab lighthouse site tab serve notebooks screenshots lock clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

lab: .venv/learn ## Start the mock server, and JupyterLab on the first notebook; Ctrl-C stops both
	@$(BIN)/python lab.py $(PORT:%=--port %) $(LAB_OPTIONS)

check: .venv/tests ## Check style, types, spelling, workflows and texts, in seconds, before a commit
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	files=$$($(BIN)/python -m tools.texts) && $(BIN)/codespell $$files
	$(BIN)/zizmor --offline --no-progress --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/python -m pytest -q -m check tests

programs: .venv/tests ## Install from Debian the programs that the tests need, as root; all of them with PROGRAMS=--all
	@$(BIN)/python -m tools.debian $(PROGRAMS)

# Four processes on two cores: much of what tests do is to wait.
test: programs ## Prove every notebook, the mock server and the site
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not long"

test-all: .venv/tests ## Prove the same, and run the tests that take long
	@$(BIN)/python -m tools.debian --all
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS)

test-elsewhere: .venv/tests ## Prove it as if on other computers: fonts, locales, clocks, users, programs, Pythons
	@$(BIN)/python -m tools.debian --all
	$(BIN)/python -m tools.elsewhere $(ELSEWHERE_OPTIONS)

proof: .venv/tests ## Break each documented behaviour of the mock server, and see who notices
	$(BIN)/python -m tools.proof $(PROOF_OPTIONS)

workshop: .venv/site ## Make the zip of a workshop: notebooks, site, slides, and wheels for every system
	$(BIN)/python -m workshop.bundle $(WORKSHOP_OPTIONS)

release: .venv/tests workshop ## Make what a version is released as, into dist/: wheel, source, zip, and the list of its packages (SBOM)
	$(BIN)/uv build --quiet --out-dir dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-file dist/packages.cdx.json requirements/learn.txt

bench: .venv/tests ## Measure the mock server beside Prism, Mockoon and bare uvicorn, on Linux
	@$(BIN)/python -m tools.debian wrk
	$(BIN)/python -m bench $(BENCH_OPTIONS)

bench-site: .venv/tests ## Measure how the site's build grows, beside plain Markdown, mkdocs-jupyter and Sphinx
	$(BIN)/python -m bench.site $(BENCH_OPTIONS)

bench-tab: programs ## Measure weight and start of the course in a browser tab, beside a bare JupyterLite
	$(BIN)/python -m bench.tab $(BENCH_OPTIONS)

lighthouse: programs ## Let Lighthouse judge three pages of the site; needs npm and Chromium
	$(BIN)/python -m tools.judges $(PAGES)

# SITE_URL=… and REPO_URL=… tell where the site will be, and where its source is.
site: .venv/site tab ## Build the site into site/, with the course in a browser tab where npm is there
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

tab: .venv/site ## Build the course that runs in a browser tab, for the site
	$(BIN)/python -m browser.build

serve: .venv/site ## Serve the site, and build it again when a file changes
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve $(MKDOCS_OPTIONS)

notebooks: .venv/tests ## Run every notebook and solution, save the outputs and the answers of the reference, write the exercises
	$(BIN)/python -m tools.write_outputs $(NOTEBOOKS)
	$(BIN)/python -m tools.write_exercises $(NOTEBOOKS)
	$(BIN)/python -m publish.recorded_answers

screenshots: programs ## Take the pictures of Settings > API again
	$(BIN)/python -m tools.screenshots

lock: .venv/learn ## Compile each list of packages, such as requirements.in; with LOCK=--upgrade, take the newest versions
	$(BIN)/python -m tools.lock $(LOCK)

clean: ## Remove what the tasks made; your .env and the mock server's database stay
	rm -rf .venv */.venv site dist browser/.build node_modules */node_modules */*/node_modules
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# A learner's own settings: made once, never overwritten.
.env:
	umask 077; cp .env.example .env

# What each reader needs, from a file for each: a learner, a maker of the site, who proves it all.
.venv/learn: requirements/learn.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, and $(PYTHON) is {sys.version.split()[0]}. Name a newer one, as in: make lab PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@echo "Installing the packages into .venv, which takes about a minute the first time."
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(INSTALL) --require-hashes -r requirements/learn.txt
	@$(INSTALL) --no-deps -e .
	@touch $@

.venv/site: .venv/learn requirements/site.txt
	@$(INSTALL) --require-hashes -r requirements/site.txt
	@touch $@

.venv/tests: .venv/site requirements/test.txt
	@echo "Installing what the tests need."
	@$(INSTALL) --require-hashes -r requirements/test.txt
	@touch $@
