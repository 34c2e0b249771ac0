"""The button of everything that a page starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lens_triage import app
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.table import Table

APP = Path(app.__file__).parent


def test_a_press_is_answered_when_its_handler_has_ended() -> None:
    states: list[int] = []
    button = ActionButton(label="Go")
    button.on_press(lambda: states.append(button.answered))
    button.press()
    button.press()
    assert states == [0, 1]
    assert button.answered == 2


def test_a_handler_that_fails_leaves_no_button_busy() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    button = ActionButton(fail, label="Go")
    with pytest.raises(ZeroDivisionError):
        button.press()
    assert button.answered == 1


def test_a_table_waits_until_it_knows_that_there_is_nothing() -> None:
    table = Table(columns=[], empty="Nothing yet.")
    assert table.waiting
    table.update([])
    assert not table.waiting
    assert not Table(columns=[], rows=[{"key": "a"}]).waiting


def test_presses_of_buttons_in_a_table_are_answered() -> None:
    said: list[tuple[str, str]] = []
    table = Table(columns=[])
    table.on_action(lambda action, key: said.append((action, key)))
    table._handle_msg({"action": "cancel", "key": "r"})
    assert (said, table.answered) == ([("cancel", "r")], 1)


def test_every_icon_that_a_button_is_given_is_drawn() -> None:
    drawn = set(re.findall(r"^  (\w+):\s", (APP / "widgets/action_button.js").read_text(), re.M))
    for path in APP.rglob("*.py"):
        if "ActionButton" in (text := path.read_text()):
            wanted = set(re.findall(r'icon(?:=|": )"(\w+)"', text))
            links = set(re.findall(r'pmui\.Button\([^)]*icon="(\w+)"', text))
            assert wanted - links <= drawn, path.name


def test_no_page_has_a_button_that_is_not_seen_to_be_pressed() -> None:
    """Others than ActionButton wait for the server; a link needs none."""
    for path in APP.rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"\bpn\.widgets\.Button\(|\.on_click\(", text), path.name
