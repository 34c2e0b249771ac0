"""Settings that an import recognized by itself, to inspect and change; choices if it could not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn

from lens_triage.app.widgets.fields import label_of
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import Row, Table, action, column
from lens_triage.training.settings import IngestSettings, fields
from lensing_core.errors import Offer
from lensing_core.ingest.guesses import Guess


def value_text(value: Any) -> str:
    """A setting's value as one line: ``F277W=0.06, F444W=0.06``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def guess_rows(guesses: Sequence[Guess]) -> list[Row]:
    """A row for each guess; those with a value can be changed."""
    labels = {field.name: label_of(field) for field in fields(IngestSettings)}
    rows: list[Row] = []
    for k, guess in enumerate(guesses):
        has_value = guess.value not in ("", None)
        rows.append(
            {
                "key": str(k),
                "setting": labels[guess.setting],
                "value": value_text(guess.value) if has_value else "",
                "why": {"text": guess.sentence, "tone": "warning" if guess.is_doubtful else ""},
                "act": {"text": "", "actions": [action("change", "Change")] if has_value else []},
            }
        )
    return rows


def offer_rows(offers: Sequence[Offer]) -> list[Row]:
    """A row for each way out, with a button that takes it."""
    return [
        {
            "key": str(k),
            "text": offer.text,
            "act": {"text": "", "actions": [action("take", "Take this")]},
        }
        for k, offer in enumerate(offers)
    ]


class Recognized(pn.viewable.Viewer):
    """Guesses of an import as a table.

    Parameters
    ----------
    on_change : callable
        Called with the setting and the value that shall be changed.
    """

    def __init__(self, on_change: Callable[[str, Any], None]) -> None:
        self._guesses: Sequence[Guess] = ()
        self.table = Table(
            columns=[
                column("setting", "Setting", align="wrap", width="22%"),
                column("value", "Taken as", align="wrap", width="28%"),
                column("why", "Why", align="wrap"),
                column("act", "", align="right", width="78px"),
            ],
            label="Recognized",
        )
        self.table.on_action(lambda _, key: on_change(*self._guesses[int(key)][:2]))
        self._view = section("Recognized by names and headers", self.table, visible=False)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, guesses: Sequence[Guess]) -> None:
        """Show guesses; nothing where there are none."""
        self._guesses = guesses
        self.table.update(guess_rows(guesses))
        self._view.visible = bool(guesses)


class Offers(pn.viewable.Viewer):
    """Ways out of an error, of which one is taken.

    Parameters
    ----------
    on_take : callable
        Called with the settings that state it.
    """

    def __init__(self, on_take: Callable[[Mapping[str, Any]], None]) -> None:
        self._offers: Sequence[Offer] = ()
        self.table = Table(
            columns=[
                column("text", "Possible readings", align="wrap"),
                column("act", "", align="right", width="80px"),
            ],
            label="Choices",
        )
        self.table.on_action(lambda _, key: on_take(self._offers[int(key)].settings))
        self._view = section("Choose one", self.table, visible=False)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, offers: Sequence[Offer]) -> None:
        """Show offers; nothing where there are none."""
        self._offers = offers
        self.table.update(offer_rows(offers))
        self._view.visible = bool(offers)
