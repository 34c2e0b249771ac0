"""Purity and discoveries of a ranking in a survey, at a class prior that is set here."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.evaluate.plots import (
    DiscoveryPlot,
    PurityPlot,
)
from lens_triage.app.evaluate.tables import (
    CSS,
    deployment_html,
)
from lens_triage.app.widgets.section import (
    FITS,
    columns,
    html,
    section,
    stack,
)
from lensing_core.metrics import RankingCurve, deploy, discoveries

_PRIORS = tuple(m * 10.0**e for e in range(-5, 0) for m in (1, 2, 5))
_DEFAULT_PRIOR = 1e-3
_DEFAULT_CANDIDATES, _DEFAULT_SECONDS = 100_000, 3.0


class DeploymentView(pn.viewable.Viewer):
    """Three settings, a table of thresholds and two plots that follow them."""

    def __init__(self) -> None:
        self._curve: RankingCurve | None = None
        style: dict[str, Any] = {"margin": 0, "size": "small"}
        # Arrow keys step, too; the buttons beside a number have no name for a screen reader.
        number = {
            **style,
            "sx": {
                ".MuiInputAdornment-root": {"display": "none"},
                "input": {"paddingLeft": "14px"},
            },
        }
        self.prior = pmui.DiscreteSlider(
            label="Class prior: share of lenses among the candidates",
            options={_text(p): p for p in _PRIORS},
            value=_DEFAULT_PRIOR,
            width=330,
            **style,
        )
        self.candidates = pmui.IntInput(
            label="Candidates", value=_DEFAULT_CANDIDATES, start=1, step=1000, width=140, **number
        )
        self.seconds = pmui.FloatInput(
            label="Seconds for each",
            value=_DEFAULT_SECONDS,
            start=0.1,
            step=0.5,
            width=140,
            **number,
        )
        self._purity, self._discovery = PurityPlot(), DiscoveryPlot()
        self._table = html("", css=CSS)
        controls = pn.Row(
            self.prior,
            self.candidates,
            self.seconds,
            margin=(4, 0),
            styles={"gap": "28px", "align-items": "center", "flex-wrap": "wrap"},
            stylesheets=[FITS],
        )
        self._view = section(
            "In a survey",
            controls,
            self._table,
            columns(
                stack(_caption("Purity of the passing objects, by recall"), self._purity, gap=0),
                stack(
                    _caption("Lenses found by hours of review; dashed: an unsorted list"),
                    self._discovery,
                    gap=0,
                ),
                template="1fr 1fr",
            ),
            note="Recall and false-positive rate are measured; purity follows from them at the "
            "class prior chosen here, π TPR / (π TPR + (1 − π) FPR). Bounds combine the 95 % "
            "intervals of both rates.",
        )
        super().__init__()
        for part in (self.prior, self.candidates, self.seconds):
            part.param.watch(lambda _: self._draw(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(
        self, curve: RankingCurve, *, prior: float | None = None, candidates: int | None = None
    ) -> None:
        """Show another ranking; a prior and a number of candidates replace those that are set."""
        self._curve = None  # nothing is drawn twice while the settings change
        if prior is not None:
            options = sorted({*_PRIORS, prior})
            self.prior.param.update(options={_text(p): p for p in options}, value=prior)
        if candidates:
            self.candidates.value = candidates
        self._curve = curve
        self._draw()

    def _draw(self) -> None:
        n, seconds = self.candidates.value, self.seconds.value
        if self._curve is None or not n or not seconds or n < 1 or seconds <= 0:
            return  # a field is being edited
        found = deploy(self._curve, float(self.prior.value))
        self._purity.display(found)
        self._discovery.display(discoveries(found, n, seconds))
        self._table.object = deployment_html(found, n, seconds)


def _text(prior: float) -> str:
    return f"{prior:g}"


def _caption(text: str) -> pn.pane.HTML:
    return html(f"<p>{text}</p>", css=CSS)
