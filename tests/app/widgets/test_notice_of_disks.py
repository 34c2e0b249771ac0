"""What a disk refuses while a page is at work is one sentence on it."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import panel as pn

from lens_triage.app.main import _unexpected
from lens_triage.app.widgets.notice import UNEXPECTED, Notice

FULL = OSError(errno.ENOSPC, "No space left on device", "/data/triage.sqlite")


def test_a_notice_says_what_the_disk_refused():
    notice = Notice()
    with notice.guard():
        raise FULL
    assert notice.message == (
        "/data/triage.sqlite: no space is left on its disk; free some, then try again."
    )
    with notice.guard():
        raise ZeroDivisionError
    assert notice.message == UNEXPECTED


def test_a_callback_says_what_the_disk_refused(monkeypatch):
    said: list[str] = []
    shown = SimpleNamespace(error=lambda text, duration: said.append(text))
    monkeypatch.setattr(type(pn.state), "notifications", shown)
    _unexpected(FULL)
    _unexpected(ZeroDivisionError())
    assert said == [
        "/data/triage.sqlite: no space is left on its disk; free some, then try again.",
        UNEXPECTED,
    ]
