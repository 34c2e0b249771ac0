"""The page's talk with other programs over SAMP: what is sent, and what they point at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from lens_triage.app.acting import acting
from lens_triage.app.context import AppContext
from lens_triage.app.review.exporting import cutout_source
from lens_triage.app.review.finding import (
    Answer,
    selection_to_json,
)
from lensing_core.errors import BadInputError
from lensing_core.export import ExportRow
from lensing_core.export.pictures import cutout_fits
from lensing_core.export.samp import Pointed, SampLink
from lensing_core.export.tables import write_votable
from lensing_core.store import Session
from lensing_core.store.candidates import nearest_candidate, no_candidate
from lensing_core.store.export_rows import export_candidates, export_rows
from lensing_core.store.query_json import query_from_json
from lensing_core.store.selections import keep_selection
from lensing_core.workspace import Workspace

MOST_SENT = 100_000
REACH_ARCSEC = 5.0
_FILES_KEPT = 20


@lru_cache(maxsize=8)
def samp_link(workspace: Workspace) -> SampLink:
    """The connection that all pages of a workspace share."""
    return SampLink()


class ReviewSamp:
    """Answers the messages of the page's SAMP menu."""

    def __init__(
        self, context: AppContext, grader_id: int | None, hides_blind: bool = False
    ) -> None:
        self._context = context
        self._grader_id = grader_id
        self._hides_blind = hides_blind
        self._link = samp_link(context.workspace)

    def answers(self) -> dict[str, Answer]:
        """Answers by type of message."""
        return {
            "samp_state": lambda _session, _message: self._state(),
            "samp_connect": self._connect,
            "samp_disconnect": self._disconnect,
            "samp_table": self._table,
            "samp_image": self._image,
            "samp_position": self._position,
        }

    def _state(self, sent: str = "") -> dict[str, Any]:
        connected = self._link.connected
        return {"connected": connected, "others": self._link.others(), "sent": sent}

    def _connect(self, _session: Session, _message: Mapping[str, Any]) -> dict[str, Any]:
        if self._link.connect():
            return self._state()
        return self._state("No SAMP hub runs on this machine; start TOPCAT or Aladin, or a hub.")

    def _disconnect(self, _session: Session, _message: Mapping[str, Any]) -> dict[str, Any]:
        self._link.disconnect()
        return self._state()

    def _table(self, _session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        query = query_from_json(message["query"], self._grader_id, hides_blind=self._hides_blind)
        self._check()
        path = self._new_file(".vot")
        ids: list[int] = []

        def rows() -> Iterator[ExportRow]:
            for row in export_rows(self._context.database, query, limit=MOST_SENT):
                ids.append(int(row.number("candidate")))
                yield row

        write_votable(path, rows, ["Candidates of lens-triage.", "Scores are no confirmation."])
        if not ids:
            raise BadInputError("There is no candidate to send.")
        n = self._link.send_table(path, "lens-triage candidates", ids)
        return self._state(f"{len(ids):,} rows sent to {_programs(n)}.")

    def _image(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        self._check()
        row = self._row(message)
        path = self._new_file(".fits")
        cutout_fits(row, cutout_source(session, self._context.workspace)).writeto(path)
        n = self._link.send_image(path, row.name)
        return self._state(f"{row.name} sent to {_programs(n)}.")

    def _position(self, _session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        self._check()
        row = self._row(message)
        ra, dec = row.number("ra"), row.number("dec")
        if np.isnan(ra) or np.isnan(dec):
            raise BadInputError(f"{row.name} has no position.")
        n = self._link.send_position(ra, dec)
        return self._state(f"{_programs(n).capitalize()} pointed at {row.name}.")

    def _row(self, message: Mapping[str, Any]) -> ExportRow:
        query = query_from_json(message["query"], self._grader_id, hides_blind=self._hides_blind)
        try:
            (row,) = self._context.database.ask(export_candidates, query, [int(message["id"])])
        except KeyError:
            raise no_candidate(message["id"]) from None
        return row

    def _check(self) -> None:
        if not self._link.connected:
            raise BadInputError("SAMP is not connected; press Connect while a hub runs.")

    def _new_file(self, suffix: str) -> Path:
        folder = self._context.workspace.cache / "samp"
        folder.mkdir(parents=True, exist_ok=True)
        old = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in old[: max(0, len(old) - _FILES_KEPT + 1)]:
            path.unlink(missing_ok=True)
        return folder / f"candidates-{uuid4().hex[:12]}{suffix}"


def _programs(n: int) -> str:
    return "1 program" if n == 1 else f"{n} programs"


def pointed_to_json(context: AppContext, pointed: Pointed) -> dict[str, Any] | None:
    """Return what the page does when another program points at something; None: nothing.

    One row opens its candidate, several make a selection, a position opens the nearest candidate
    within 5″.
    """
    if len(pointed.candidates) == 1:
        return {"type": "samp", "open": pointed.candidates[0]}
    if pointed.candidates:
        with acting(context, "keep_selection") as (session, _):
            kept = keep_selection(session, pointed.candidates, "Picked in another program")
        return {"type": "samp", "selection": selection_to_json(kept)}
    if pointed.position_deg is None:
        return None
    with context.database.session() as session:
        found = nearest_candidate(session, *pointed.position_deg, REACH_ARCSEC)
    if found is None:
        ra, dec = pointed.position_deg
        where = f"{ra:.5f} {dec:+.5f}"
        text = f"Another program pointed at {where}; no candidate lies within {REACH_ARCSEC:g}″."
        return {"type": "samp", "notice": text}
    return {"type": "samp", "open": found}


def follow(
    link: SampLink, context: AppContext, send: Callable[[dict[str, Any]], None]
) -> Callable[[], None]:
    """Pass what others point at on to a page; returns a function that stops that."""

    def heard(pointed: Pointed) -> None:
        answer = pointed_to_json(context, pointed)
        if answer is not None:
            send(answer)

    return link.listen(heard)
