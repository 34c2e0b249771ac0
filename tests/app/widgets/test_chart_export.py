"""Every chart of a page has its button, which knows what is drawn."""

from __future__ import annotations

import pytest
from bokeh.models import CustomAction

from lens_triage.app.evaluate.plots import (
    DiscoveryPlot,
    PurityPlot,
    RocPlot,
    recall_plot,
    reliability_plot,
)
from lens_triage.app.runs.curves import Curves
from lens_triage.app.score.histogram import Histogram
from lensing_core.store.runs import Curve


def _curve():
    curves = Curves()
    curves.update([Curve("train_loss", "network", (1, 2), (0.5, 0.4))])
    return curves._grid[0]


BIN = {"probability": 0.5, "share": 0.4, "low": 0.3, "high": 0.5, "count": 9}
STRATUM = {"name": "a", "recall": 0.5, "low_95": 0.2, "high_95": 0.8, "found": 1, "lenses": 2}


@pytest.mark.parametrize(
    "make",
    [
        lambda: RocPlot().__panel__(),
        lambda: PurityPlot().__panel__(),
        lambda: DiscoveryPlot().__panel__(),
        lambda: reliability_plot([BIN]),
        lambda: recall_plot("survey", [STRATUM]),
        lambda: Histogram().__panel__()[1],
        _curve,
    ],
)
def test_a_chart_saves_itself(make):
    plot = make().object
    buttons = [tool for tool in plot.toolbar.tools if isinstance(tool, CustomAction)]
    assert [button.name for button in buttons] == ["save"]
    assert not any(t.visible for t in plot.toolbar.tools if t not in buttons)
    (callback,) = {button.callback for button in buttons}
    assert callback.args["plot"] is plot
    drawn = {id(renderer.data_source) for renderer in plot.renderers}
    saved = {id(source) for source in callback.args["sources"]}
    assert saved
    assert saved <= drawn
    assert "lens-triage-save-chart" in callback.code
    columns = set().union(*(source.data for source in callback.args["sources"]))
    assert set(callback.args["columns"]) <= columns
    assert all(axis.axis_label for axis in (*plot.xaxis, *plot.yaxis))
