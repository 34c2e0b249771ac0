"""Estimates of lenses not found yet and of the price of the next ones, to decide when to stop."""

from __future__ import annotations

import math
from html import escape

import panel as pn

from lens_triage.app.context import AppContext
from lens_triage.app.team.catalog_chooser import scored_catalog_chooser
from lens_triage.app.team.consensus import METRICS_CSS
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import html, section
from lensing_core.errors import LensTriageError
from lensing_core.labeling.still_hidden import StillHidden, still_hidden
from lensing_core.labeling.team import Team
from lensing_core.selection.hidden import Hidden

DEFAULT_SECONDS = 5.0
_NOTE = (
    "Two estimates with different assumptions. By probabilities: the sum over objects that no "
    "grader has decided, times the ratio of lenses found to lenses expected among the decided "
    "ones. By two searches (capture-recapture): from the lenses that graders find in random "
    "samples, and how many of these are also in the ranking's list of expected lenses; both find "
    "bright arcs, so this is a lower limit. Intervals are 95 %."
)


class HiddenBoard(pn.viewable.Viewer):
    """A chooser of catalogs, and the answers for one."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._seconds: float | None = None
        self.catalog = scored_catalog_chooser(context)
        self._answers = html(f"<p>{_UNSCORED}</p>", css=METRICS_CSS)
        self._view = section("Still hidden", self._answers, note=_NOTE, aside=(self.catalog,))
        super().__init__()
        self.catalog.param.watch(lambda _: self.reload(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def show_team(self, team: Team) -> None:
        """Take the pace of the graders, and look again."""
        paced = [(g.seconds, g.n_votes) for g in team.graders if g.seconds and g.n_votes]
        votes = sum(n for _, n in paced)
        self._seconds = sum(s * n for s, n in paced) / votes if votes else None
        self.reload()

    def reload(self) -> None:
        """Read scores and grades again, in a thread."""
        catalog = self.catalog.value
        if catalog:
            in_background(lambda: self._read(catalog), lambda found: self._show(catalog, found))

    def _read(self, catalog: str) -> StillHidden | str:
        with self._context.database.session() as session:
            try:
                return still_hidden(session, catalog, self._seconds or DEFAULT_SECONDS)
            except LensTriageError as error:
                return str(error)

    def _show(self, catalog: str, found: StillHidden | str) -> None:
        if catalog == self.catalog.value:
            self._answers.object = (
                f"<p>{escape(found)}</p>" if isinstance(found, str) else self._html(found)
            )

    def _html(self, found: StillHidden) -> str:
        return hidden_html(found, self._seconds)


_UNSCORED = "No catalog is scored yet."


def hidden_html(found: StillHidden, seconds: float | None) -> str:
    """The answers as sentences; ``seconds`` None: no grader has a pace yet."""
    lines = [
        f"{fmt.count(found.lenses)} lenses among {fmt.count(found.decided)} objects that graders "
        f"have decided; {fmt.count(found.undecided)} are left, ranked by {escape(found.ensemble)}."
    ]
    tail = found.tail
    checked = (
        "no object is decided yet, so the probabilities are used without a correction"
        if math.isnan(tail.ratio)
        else f"{fmt.count(tail.judged)} lenses were found where {tail.promised:.1f} were expected"
    )
    lines.append(f"<b>By probabilities {_between(tail.hidden)}</b>: {checked}.")
    captures = found.captures
    if found.by_captures is None:
        lines.append(
            "By two searches: not known. Graders have found no lens in a random sample "
            f"({fmt.count(captures.sample)} objects decided); label a session with the queue "
            "Random sample."
        )
    else:
        lines.append(
            f"<b>By two searches {_between(found.by_captures)}</b>: graders found "
            f"{fmt.count(captures.graders)} lenses in random samples, {fmt.count(captures.both)} "
            f"of them in the list of expected lenses, which has {fmt.count(captures.machine)} "
            "decided lenses."
        )
    lines.append(_price(found, seconds))
    return "".join(f"<p>{line}</p>" for line in lines)


def _between(hidden: Hidden) -> str:
    high = "no upper end" if math.isinf(hidden.high) else f"{hidden.high:.1f}"
    return f"{hidden.value:.1f} [{hidden.low:.1f}, {high}]"


def _price(found: StillHidden, seconds: float | None) -> str:
    price = found.price
    pace = (
        f"{seconds:.1f} s a cutout, the graders' pace"
        if seconds
        else f"{DEFAULT_SECONDS:g} s a cutout (assumed: no grader has a pace yet)"
    )
    if price.objects is None or price.minutes is None:
        return (
            f"<b>The next {price.lenses} lenses:</b> the remaining objects are not expected to "
            "contain that many. Stop here, unless a single lens is worth grading the rest."
        )
    low = "?" if price.low_minutes is None else f"{price.low_minutes:.1f}"
    high = (
        "more than all remaining objects"
        if price.high_minutes is None
        else (f"{price.high_minutes:.1f}")
    )
    return (
        f"<b>The next {price.lenses} lenses cost {price.minutes:.1f} min [{low}, {high}]</b>: "
        f"{fmt.count(price.objects)} objects at {pace}."
    )
