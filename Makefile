# One command per chore; README.md explains run and test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check format train bench soak docs addon pythons test-arm test-image lock release clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/.base ## listen to the default input; ARGS="--source NAME" passes options on
	@$(BIN)/rtgenre run $(ARGS)

test: $(VENV)/.test ## install what the tests need and run everything
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(VENV)/.test ## lint, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m mypy

format: $(VENV)/.test ## format and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.base ## measure speed and memory on this machine
	@$(BIN)/rtgenre bench $(ARGS)

soak: $(VENV)/.test ## hours of audio at full speed with clients that come and go: does it leak?
	@$(BIN)/python -m benchmarks.soak $(ARGS)

train: $(VENV)/.training ## train the shipped model; see training/README.md
	@$(BIN)/python -m training.train $(ARGS)

docs: $(VENV)/.docs ## build the site of docs/ into site/, every link checked
	@$(BIN)/python -m scripts.settings_page
	@$(BIN)/python -m scripts.messages_page
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict $(ARGS)

addon: $(VENV)/pyvenv.cfg ## make Home Assistant's app into dist/home-assistant
	@$(BIN)/python -m scripts.addon

pythons: $(VENV)/pyvenv.cfg ## try the wheel with the newer Pythons of Debian, as root; takes minutes
	@sh scripts/test-pythons.sh $(BIN)/python $(ARGS)

test-arm: $(VENV)/.base ## try the wheel on emulated 64-bit ARM, as root; takes half an hour
	@sh scripts/test-arm.sh $(BIN)/python $(ARGS)

test-image: $(VENV)/pyvenv.cfg ## build the container images without Docker and try them, as root; takes minutes
	@$(BIN)/python -m scripts.image $(ARGS)

lock: $(VENV)/.release ## list what images are made of, with hashes; ARGS=--upgrade takes newer packages
	@$(BIN)/python -m scripts.lock $(ARGS)

release: $(VENV)/.release ## build wheel and sdist and try both; uploads nothing
	@$(BIN)/python -m scripts.release $(ARGS)

clean: ## remove everything that the other commands made
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Looked at each time; what is installed is installed again where it is new.
$(VENV)/pyvenv.cfg: FORCE
	@sh scripts/make-venv.sh $(PYTHON) $(VENV)

FORCE:

$(VENV)/.base: pyproject.toml $(VENV)/pyvenv.cfg
	@sh scripts/install-packages.sh base
	@sh scripts/install-python.sh $(BIN)/python . "about 200 MB, a minute or two"
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/pyvenv.cfg
	@sh scripts/install-packages.sh test
	@sh scripts/install-python.sh $(BIN)/python '.[training,test,check]' "about 3 GB, five to ten minutes"
	@touch $@

$(VENV)/.training: pyproject.toml $(VENV)/pyvenv.cfg
	@sh scripts/install-python.sh $(BIN)/python '.[training]' "about 3 GB, five to ten minutes"
	@touch $@

$(VENV)/.docs: pyproject.toml $(VENV)/pyvenv.cfg
	@sh scripts/install-python.sh $(BIN)/python '.[docs]' "about 250 MB, a minute or two"
	@touch $@

$(VENV)/.release: pyproject.toml $(VENV)/pyvenv.cfg
	@sh scripts/install-python.sh $(BIN)/python '.[release]' "about 220 MB, a minute or two"
	@touch $@
