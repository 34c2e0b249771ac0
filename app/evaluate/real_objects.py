"""A ranking measured on a labeled catalog, which is scored first where it has no scores yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.real_tables import REAL_CSS, real_html
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.runs.starting import start_run
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.fields import CHIPS_LOOK
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import FITS, html, section
from lens_triage.training.settings import ScoreSettings
from lensing_core.errors import LensTriageError
from lensing_core.store.candidates import cutout_places
from lensing_core.store.runs import RunSummary
from lensing_core.store.summaries import CatalogSummary

_NOTE = (
    "Any ensemble on any catalog with labels or grades, without the objects that it was trained "
    "on. Matched separation: the share of lenses that rank above one of their five nearest "
    "non-lenses in brightness, color and size. If brightness alone ranks as well as the "
    "ensemble, there is no evidence that the ensemble detects arcs."
)
_LOW = {
    "& .MuiInputBase-root": {"height": "32px"},
    "& .MuiInputLabel-root:not(.MuiInputLabel-shrink)": {"top": "-4px"},
}
"""As low as the choosers beside it."""
_NO_CATALOG = "/"
"""Stands for none where a catalog can be chosen: above an empty value the label would lie on the
text. No catalog has such a name."""
_MEASURE, _SCORE_FIRST = "Measure", "Score, then measure"
_VISIBILITY = (
    "Column of the imported table with the visibility of the arcs of each lens, or the word "
    "grades for the grades of labeling sessions with the scheme visibility: recall is given for "
    "each class."
)
Found = dict[str, Any]


@dataclass(frozen=True)
class _Asked:
    """Request for a measurement."""

    ensemble: str
    catalogs: tuple[str, ...]
    painted: str
    visibility: str

    @property
    def named(self) -> list[str]:
        """All catalogs that need scores."""
        return list(dict.fromkeys([*self.catalogs, *filter(None, [self.painted])]))


class RealObjects(pn.viewable.Viewer):
    """Choosers, a button, the run that scores, and what was measured."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._ensemble = ""
        self._catalogs: dict[str, CatalogSummary] = {}
        self._no_run = why_not(context, "start_run")
        self._waiting: dict[str, _Asked] = {}  # by the run that scores for it
        style: dict[str, Any] = {"size": "small", "margin": 0}
        self.catalog = pmui.Select(label="Lenses of", width=250, **style)
        self.beside = pmui.MultiChoice(
            label="Non-lenses also of", width=300, margin=0, **CHIPS_LOOK
        )
        self.painted = pmui.Select(
            label="Painted arcs to compare with real ones", width=270, **style
        )
        self.visibility = pmui.TextInput(
            label="Visibility of arcs by", width=190, description=_VISIBILITY, sx=_LOW, **style
        )
        self.button = ActionButton(self._measure, label=_MEASURE)
        self._notice = Notice()
        self.monitor = RunMonitor(context, on_end=self._scored)
        self._results = html("", css=REAL_CSS)
        self._view = section(
            "On a labeled catalog",
            pn.Row(
                self.catalog,
                self.beside,
                self.painted,
                self.visibility,
                self.button,
                margin=(6, 0, 0, 0),
                styles={"gap": "14px", "align-items": "center", "flex-wrap": "wrap"},
                stylesheets=[FITS],
            ),
            self._notice,
            self.monitor,
            self._results,
            note=_NOTE,
        )
        super().__init__()
        self.catalog.param.watch(lambda _: self._offer_beside(), "value")
        for chooser in (self.catalog, self.beside, self.painted):
            chooser.param.watch(lambda _: self._name_button(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look at the run that scores again."""
        self.monitor.refresh()

    def offer(self, ensemble: str, catalogs: Sequence[CatalogSummary]) -> None:
        """Let labeled catalogs be chosen, and what the ensemble has scored; observed ones first."""
        offered = [
            c
            for c in catalogs
            if c.complete and c.n_candidates and (c.scored.get(ensemble) or c.label_source)
        ]
        offered.sort(key=lambda c: (c.origin == "simulated", not c.scored.get(ensemble)))
        if ensemble != self._ensemble:
            self._results.object = ""
            self._notice.clear()
        self._ensemble = ensemble
        self._catalogs = {c.name: c for c in offered}
        self._view.visible = bool(offered)
        _choose_from(self.catalog, {self._text(name): name for name in self._catalogs})
        made = [n for n, c in self._catalogs.items() if c.origin == "simulated"]
        _choose_from(
            self.painted, {"none": _NO_CATALOG, **{self._text(name): name for name in made}}
        )
        self._offer_beside()
        self._name_button()

    def _text(self, name: str) -> str:
        return name if self._left([name]) == [] else f"{name} (not scored yet)"

    def _left(self, names: Sequence[str]) -> list[str]:
        """Those of some catalogs of which the ensemble has not scored all candidates."""
        return [
            name
            for name in names
            if (c := self._catalogs.get(name)) is not None
            and c.scored.get(self._ensemble, 0) < c.n_candidates
        ]

    def _offer_beside(self) -> None:
        mine = self._catalogs.get(self.catalog.value or "")
        others = [
            name
            for name, c in self._catalogs.items()
            if mine is not None and c.survey == mine.survey and name != mine.name
        ]
        if others != self.beside.options:
            self.beside.param.update(
                options=others,
                value=[name for name in self.beside.value or () if name in others],
                visible=bool(others),
            )

    def _name_button(self) -> None:
        left = self._left(self._asked().named)
        self.button.param.update(
            label=_SCORE_FIRST if left else _MEASURE, forbidden=self._no_run if left else ""
        )

    def _asked(self) -> _Asked:
        return _Asked(
            self._ensemble,
            tuple(filter(None, [self.catalog.value, *(self.beside.value or ())])),
            "" if self.painted.value in (None, _NO_CATALOG) else self.painted.value,
            (self.visibility.value or "").strip(),
        )

    def _measure(self) -> None:
        """Measure what is chosen, or have scored first what has no scores."""
        self._notice.clear()
        asked = self._asked()
        if not asked.catalogs:
            return
        if left := self._left(asked.named):
            start_run(
                self._context,
                ScoreSettings(
                    ensemble=asked.ensemble, catalog=left[0], additional_catalogs=left[1:]
                ),
                button=self.button,
                notice=self._notice,
                started=lambda run_id: self._wait(run_id, asked),
            )
        else:
            self._look(asked)

    def _wait(self, run_id: str, asked: _Asked) -> None:
        self._waiting[run_id] = asked
        self.monitor.watch(run_id)

    def _scored(self, run: RunSummary) -> None:
        """A run has ended: measure what waited for it; why it failed stands in its card."""
        asked = self._waiting.pop(run.id, None)
        if asked is not None and run.status == "succeeded" and asked.ensemble == self._ensemble:
            self._look(asked)

    def _look(self, asked: _Asked) -> None:
        in_background(
            lambda: self._found(asked), lambda found: self._show(asked, found), button=self.button
        )

    def _show(self, asked: _Asked, found: Found | str) -> None:
        if asked.ensemble != self._ensemble:
            return  # another one was chosen meanwhile
        if isinstance(found, str):
            self._results.object = ""
            self._notice.say(found)
        else:
            self._results.object = real_html(found)

    def _found(self, asked: _Asked) -> Found | str:
        """Measured metrics, or one sentence on why nothing can be measured."""
        from lens_triage.training.real_evaluation import evaluate_real  # loads torch
        from lens_triage.training.realism import check_realism

        workspace = self._context.workspace
        try:
            found = evaluate_real(
                workspace, asked.ensemble, asked.catalogs, visibility=asked.visibility
            ).to_json()
            if asked.painted:
                found["realism"] = check_realism(
                    workspace, asked.painted, asked.catalogs, asked.ensemble
                )
        except LensTriageError as error:
            return str(error)
        shown = [key for gate in found.get("realism", ()) for key in gate["candidates"]]
        found["places"] = self._context.database.ask(cutout_places, shown)
        return found


def _choose_from(select: Any, options: dict[str, str]) -> None:
    """Offer choices by the text shown; what was chosen stays where it is there."""
    if dict(select.options or {}) == options:
        return
    chosen = select.value
    select.options = options
    select.value = chosen if chosen in options.values() else next(iter(options.values()), None)
