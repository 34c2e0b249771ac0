"""What commands print: the words of users and files, as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lens_triage.training.cli import console as module

SOURCES = sorted(Path(module.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("text", ["[old] run/a.fits", "[red]A[/red]", "[/]", ":star: [link=x]y"])
def test_brackets_and_colons_are_printed(text, capsys):
    module.console.print(text, soft_wrap=True)
    module.errors.print(text, soft_wrap=True)
    printed = capsys.readouterr()
    assert (printed.out.strip(), printed.err.strip()) == (text, text)


def test_no_command_has_a_console_of_its_own():
    others = [path.name for path in SOURCES if path.name != "console.py"
              and re.search(r"\bConsole\(", path.read_text(encoding="utf-8"))]  # fmt: skip
    assert others == []
    bare = re.compile(r"TextColumn\((?![^)]*markup=False)")
    assert [path.name for path in SOURCES if bare.search(path.read_text(encoding="utf-8"))] == []
