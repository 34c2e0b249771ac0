"""The bundles that the browser gets are those of the scripts in the tree."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BUNDLES = sorted((ROOT / "app" / "bundles").glob("*.js"))
_HEAD = re.compile(r'// Made by "make scripts" from (\S+); edit that\. Sources: sha256 (\w+)')
_IMPORT = re.compile(r'^(?:import|export)\b[^"=]*?"(\.[^"]+)"', re.M)


def sources(entry: str) -> list[str]:
    """Return the entry and all that it imports, relative to the root, sorted."""
    seen: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        folder = (ROOT / name).parent
        text = (ROOT / name).read_text(encoding="utf-8")
        waiting += [
            str((folder / target).resolve().relative_to(ROOT)) for target in _IMPORT.findall(text)
        ]
    return sorted(seen)


def digest(names: list[str]) -> str:
    """Return the same digest as ``tools/build-scripts.mjs``."""
    total = hashlib.sha256()
    for name in names:
        total.update(f"{name}\0".encode())
        total.update((ROOT / name).read_bytes())
    return total.hexdigest()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.stem)
def test_bundle_is_made_from_the_scripts_as_they_are(bundle: Path) -> None:
    entry, stated = _HEAD.match(bundle.read_text(encoding="utf-8")).groups()
    assert digest(sources(entry)) == stated, f"{bundle.name} is old: run make scripts"


def test_every_script_is_in_a_bundle() -> None:
    entries = [_HEAD.match(path.read_text(encoding="utf-8"))[1] for path in BUNDLES]
    used = {name for entry in entries for name in sources(entry)}
    scripts = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.js")
        if path.parent.name != "bundles"
    }
    assert used == scripts


def test_the_tests_of_the_scripts_pass() -> None:
    """Those of ``tests/scripts``, by the node of the dev extra or the machine's."""
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node is not None, "No node to test the scripts with: install the dev extra."
    tests = sorted(str(path) for path in (ROOT / "tests" / "scripts").rglob("*.test.js"))
    assert tests
    ran = subprocess.run(
        [node, "--test", *tests], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
