#!/usr/bin/env bash
# Usage: find-chromium.sh PYTHON
# Prints the path of a Chromium for the browser tests; installs one where that is possible.
# The shell without a window comes first: it draws nothing but pages.
set -uo pipefail
python=$1

installed() {
    if [ -n "${LENS_TRIAGE_CHROMIUM:-}" ]; then echo "$LENS_TRIAGE_CHROMIUM"; return 0; fi
    local name
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        command -v "$name" && return 0
    done
    return 1
}

playwrights() {
    "$python" - <<'PY'
import sys
from pathlib import Path
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    path = p.chromium.executable_path
print(path) if Path(path).exists() else sys.exit(1)
PY
}

with_apt() {
    echo "Installing $1 with apt" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1"; } >&2
}

installed && exit 0
playwrights 2>/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    with_apt chromium-headless-shell || with_apt chromium
    installed && exit 0
fi
echo "Installing Chromium through Playwright" >&2
timeout 600 "$python" -m playwright install chromium >&2 && playwrights && exit 0
echo "No Chromium for the browser tests. Install one (Debian: sudo apt install chromium), or set" \
     "LENS_TRIAGE_CHROMIUM to its path, or leave these tests out: make test" \
     "PYTEST_ARGS=\"-m 'not browser'\"" >&2
exit 1
