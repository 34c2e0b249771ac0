#!/usr/bin/env bash
# Usage: make-environment.sh VENV WHAT
# Makes the virtual environment if it is missing and installs WHAT ("." or ".[dev]") into it.
set -euo pipefail
venv=$1
what=$2

suitable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if [ ! -x "$venv/bin/python" ]; then
    python=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if suitable "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        echo "lens-triage needs Python 3.11 or newer; found: $(python3 --version 2>&1)." \
             "Install one, or name it: make PYTHON=/path/to/python3 ..." >&2
        exit 1
    fi
    # Debian ships venv without ensurepip unless python3-venv is installed: pip goes in by itself.
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$venv"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet pip
    else
        echo "$python has neither ensurepip nor pip; on Debian: apt install python3-venv" >&2
        exit 1
    fi
fi

echo "Installing lens-triage into $venv (some minutes the first time: PyTorch is large)"
# Without compiling all of it: Python compiles what it imports, and no more.
"$venv/bin/python" -m pip install --quiet --no-compile --editable "$what"
