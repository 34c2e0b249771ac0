#!/usr/bin/env bash
# Usage: find-chromium.sh PYTHON
# Prints the path of a Chromium for the browser tests; installs one where that is possible.
set -uo pipefail
python=$1

installed() {
    if [ -n "${LENS_TRIAGE_CHROMIUM:-}" ]; then echo "$LENS_TRIAGE_CHROMIUM"; return 0; fi
    command -v chromium || command -v chromium-browser || command -v google-chrome
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

installed && exit 0
playwrights 2>/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium with apt" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >&2
    installed && exit 0
fi
echo "Installing Chromium through Playwright" >&2
timeout 600 "$python" -m playwright install chromium >&2 && playwrights && exit 0
echo "No Chromium for the browser tests. Install one (Debian: sudo apt install chromium), or set" \
     "LENS_TRIAGE_CHROMIUM to its path, or leave these tests out: make test" \
     "PYTEST_ARGS=\"-m 'not browser'\"" >&2
exit 1
