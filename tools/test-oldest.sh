#!/usr/bin/env bash
# Usage: test-oldest.sh PYTHON
# Installs the lower bounds of pyproject.toml into .venv-oldest and runs the quick tests there.
set -euo pipefail
python=$1
venv=.venv-oldest
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet uv
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --resolution lowest-direct \
    --editable ".[dev]"
"$venv/bin/pytest" -m "not browser and not slow and not real" tests
