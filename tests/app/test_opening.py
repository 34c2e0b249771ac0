"""Whether ``lens-triage demo`` opens a browser window."""

from __future__ import annotations

import sys
import webbrowser

import pytest
from typer.testing import CliRunner

from lens_triage.app import cli
from lens_triage.app.front import main

ENVIRONMENTS = [
    ({"DISPLAY": ":0"}, [], True),
    ({"WAYLAND_DISPLAY": "wayland-0"}, [], True),
    ({}, [], False),
    ({"DISPLAY": ":0", "CI": "true"}, [], False),
    ({"DISPLAY": ":0"}, ["--no-browser"], False),
    ({}, ["--open"], True),
]


@pytest.mark.parametrize(("environment", "options", "opens"), ENVIRONMENTS)
def test_a_window_is_opened_where_somebody_may_see_it(
    environment, options, opens, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked: list[bool] = []
    monkeypatch.setattr(main, "serve", lambda *_, open_browser, **__: asked.append(open_browser))
    CliRunner().invoke(cli.cli, ["demo", str(tmp_path / "demo"), *options], catch_exceptions=False)
    assert asked == [opens]


def test_a_machine_without_a_browser_serves_all_the_same(monkeypatch, caplog) -> None:
    def fail(url: str) -> bool:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "open", fail)
    main._open_browser("http://127.0.0.1:1/")
    assert "open http://127.0.0.1:1/ yourself" in caplog.text
