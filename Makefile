# make run and make test are all that is needed. Both build the virtual environment.

VENV := .venv
IN_VENV := $(VENV)/bin/python

# Tests of one file run in one process, because they share a costly setup; slow files come first (tests/conftest.py).
# Without processes: ARGS="-n 0".
AT_ONCE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

export TF_CPP_MIN_LOG_LEVEL := 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run hospital test fuzz lint requirements audit sbom wheel clean
.DEFAULT_GOAL := help

help:
	@echo 'make run      start the app on http://localhost:8501 (other: make run PORT=8600 ADDRESS=0.0.0.0 HOSTS=reader.example.org)'
	@echo 'make hospital start a trial archive, a database, the worker and the app on this computer'
	@echo 'make test     run the tests (some of them: make test ARGS="tests/imaging -x")'
	@echo 'make fuzz     feed damaged files to the reader (more: make fuzz ARGS="--inputs 50000 --seed 1")'
	@echo 'make lint     check style, format and types'
	@echo 'make wheel    build the package into dist/'
	@echo 'make requirements'
	@echo '              pin requirements*.txt from pyproject.toml (newer versions: ARGS=--upgrade)'
	@echo 'make audit    look for known vulnerabilities of the pinned packages'
	@echo 'make sbom     write the bill of materials (CycloneDX) into dist/'
	@echo 'make clean    remove the virtual environment, builds and caches'

run: $(VENV)/for-running
	@exec $(IN_VENV) -m streamlit run app.py $(if $(PORT),--server.port $(PORT)) $(if $(ADDRESS),--server.address $(ADDRESS)) \
		$(foreach host,$(HOSTS),--server.allowedHosts $(host))

hospital: $(VENV)/for-hospital
	@exec $(IN_VENV) deploy/hospital.py $(ARGS)

test: $(VENV)/for-testing
	@$(IN_VENV) -m pytest $(AT_ONCE) $(ARGS)

fuzz: $(VENV)/for-testing
	@$(IN_VENV) -m tests.support.fuzz $(ARGS)

lint: $(VENV)/for-testing
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m mypy

wheel: $(VENV)/for-testing
	@$(IN_VENV) -m hatchling build -d dist -t wheel

# Versions that still fit stay as they are. The first command pins what make run installs, the second adds development,
# and the third is what a hospital installs, with the same versions.
COMPILE = UV_CUSTOM_COMPILE_COMMAND='make requirements' $(VENV)/bin/uv pip compile pyproject.toml --quiet \
	--universal --python-version 3.11 --generate-hashes --annotation-style line --no-emit-index-url $(ARGS)

requirements: $(VENV)/for-testing
	@$(COMPILE) --extra train --extra compare --output-file requirements.txt
	@$(COMPILE) --all-extras --constraint requirements.txt --output-file requirements-dev.txt
	@$(COMPILE) --extra hospital --extra postgres --constraint requirements-dev.txt --output-file requirements-hospital.txt

audit: $(VENV)/for-testing
	@$(IN_VENV) -m tests.support.audit requirements-dev.txt

sbom: $(VENV)/for-testing
	@mkdir -p dist
	@$(IN_VENV) -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-format JSON --output-file dist/sbom.cdx.json

clean:
	rm -rf $(VENV) dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find cxrmodel pages tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp file means that its requirements are installed completely. The file "unfinished" exists during
# an installation: if it was interrupted, the environment is built again.

$(VENV)/for-running: requirements.txt
	@$(INSTALL) -r requirements.txt && $(FINISH)

$(VENV)/for-hospital: requirements-hospital.txt
	@$(INSTALL) -r requirements-hospital.txt && $(FINISH)

$(VENV)/for-testing: requirements-dev.txt $(VENV)/for-running
	@$(INSTALL) -r requirements-dev.txt && $(FINISH)

INSTALL = eval "$$MAKE_VENV" && : > $(VENV)/unfinished && $(IN_VENV) -m pip install --require-hashes
FINISH = rm -f $(VENV)/unfinished && : > $@

# Ignore the stamps when Python is gone or an installation was interrupted.
ifneq (sound,$(shell (test ! -e $(VENV)/unfinished && $(IN_VENV) -c 0 && echo sound) 2>/dev/null))
.PHONY: $(VENV)/for-running $(VENV)/for-hospital $(VENV)/for-testing
endif

# Set $python to the name of a supported Python, or say in one sentence what is missing.
define FIND_PYTHON
python= ; found= ; without=
for name in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    version=$$("$$name" -c 'import sys; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null) && [ -n "$$version" ] || continue
    case $$version in
        3.11.*|3.12.*|3.13.*) ;;
        *) found=$${found:-"$$name is Python $$version"}; continue ;;
    esac
    if "$$name" -c 'import ensurepip, venv' 2>/dev/null; then python=$$name; break; fi
    without=$${without:-"$$name is Python $$version without its module venv"}
done
if [ -z "$$python" ]; then
    if [ -n "$$without" ]; then
        echo "$$without. Install it (on Debian and Ubuntu: apt-get install python3-venv) and run make again." >&2
    elif [ -n "$$found" ]; then
        echo "$$found. Python 3.11, 3.12 or 3.13 is needed. Install one, or name it (make PYTHON=/path/to/python3)." >&2
    else
        echo "No Python was found. Install Python 3.11, 3.12 or 3.13 (on Debian and Ubuntu: apt-get install python3 python3-venv) and run make again." >&2
    fi
    exit 1
fi
endef

# Keep a working environment of a supported Python, otherwise build a new one.
define MAKE_VENV
if [ -e $(VENV)/unfinished ] || ! $(IN_VENV) -c 'import sys, pip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    $(FIND_PYTHON)
    echo "Building the virtual environment with $$python. The first time this takes some minutes."
    rm -rf $(VENV) && mkdir $(VENV) && : > $(VENV)/unfinished && "$$python" -m venv $(VENV) || exit 1
fi
endef
export MAKE_VENV
export PYTHON
