"""Logarithmic axes hold the data, and are there before the data are."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.models import LogScale, Plot, Range1d

from lens_triage.app.evaluate.plots import DiscoveryPlot, PurityPlot, RocPlot
from lens_triage.app.score.histogram import Histogram
from lens_triage.app.widgets.log_axis import fit_log_range, log_range
from lensing_core.store.summaries import ScoreHistogram


@pytest.mark.parametrize("view", [RocPlot, PurityPlot, DiscoveryPlot, Histogram])
def test_no_plot_leaves_the_range_of_a_logarithmic_axis_to_the_browser(view) -> None:
    """Without data the browser warns of each, and draws no tick."""
    plots = view().__panel__().get_root().select({"type": Plot})
    assert plots
    log = [
        axis
        for plot in plots
        for scale, axis in ((plot.x_scale, plot.x_range), (plot.y_scale, plot.y_range))
        if isinstance(scale, LogScale)
    ]
    assert log
    assert all(isinstance(axis, Range1d) and 0 < axis.start < axis.end for axis in log)


def test_a_range_holds_the_positive_numbers_with_a_margin() -> None:
    axis = log_range()
    fit_log_range(axis, [[0.0, 1e-4, np.nan], [1e-1, np.inf]])
    assert (axis.start, axis.end) == pytest.approx((1e-4 * 10**-0.12, 1e-1 * 10**0.12))
    fit_log_range(axis, [[3.0]])
    assert 0 < axis.start < 3 < axis.end
    fit_log_range(axis, [[3.0]], start=0.5, end=100)
    assert axis.start == 0.5
    assert axis.end > 100
    before = axis.start, axis.end
    fit_log_range(axis, [[], [0.0]])
    assert (axis.start, axis.end) == before


def test_the_bars_of_scores_fit_on_their_axis() -> None:
    view = Histogram()
    edges = tuple(np.linspace(-10, 10, 5))
    view.display(ScoreHistogram(edges, {None: (0, 900, 3, 1), 1: (0, 0, 1, 7)}))
    (plot,) = view.__panel__().get_root().select({"type": Plot})
    assert plot.y_range.start == 0.6
    assert 900 < plot.y_range.end < 2000
