"""The ready files of ``deploy/``: what they start exists, and their programs take them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lens_triage.app.cli import cli

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"


def commands() -> dict[str, list[str]]:
    """Return what each file starts, or says that it stands before, as words."""
    unit = (DEPLOY / "lens-triage.service").read_text()
    image = (DEPLOY / "Containerfile").read_text()
    found = {
        "lens-triage.service": re.search(r"ExecStart=\S*/(lens-triage .*)", unit).group(1).split(),
        "Containerfile": json.loads(re.search(r"^CMD (.*)", image, re.MULTILINE).group(1)),
    }
    for name in ("nginx.conf", "Caddyfile"):
        text = (DEPLOY / name).read_text().replace("\\\n#", " ")
        found[name] = re.search(r"#\s+(lens-triage serve.*)", text).group(1).split()
    return found


@pytest.mark.parametrize("file", commands())
def test_what_is_started_is_a_command_with_its_options(file):
    program, *words = commands()[file]
    assert program == "lens-triage"
    told = CliRunner().invoke(cli, [*words, "--help"])
    assert told.exit_code == 0, told.output
    assert told.output.lstrip().startswith("Usage: lens-triage serve")


def test_systemd_takes_the_unit(tmp_path):
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        pytest.skip("no systemd-analyze here (Debian: apt install systemd)")
    text = (DEPLOY / "lens-triage.service").read_text()
    started = "/opt/lens-triage/bin/lens-triage"  # which is not here
    assert f"ExecStart={started} " in text
    unit = tmp_path / "lens-triage.service"
    unit.write_text(text.replace(started, str(shutil.which("true"))))
    told = subprocess.run([systemd, "verify", "--man=no", unit], capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")
