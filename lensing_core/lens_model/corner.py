"""Picture of a posterior: each pair of its quantities, and each by itself."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lensing_core.lens_model.posterior import LensPosterior

SHOWN = {
    "theta_e_arcsec": "$\\theta_E$ [arcsec]",
    "axis_ratio": "$q$",
    "angle_deg": "direction [deg]",
    "slope": "slope",
    "shear": "shear",
    "shear_angle_deg": "its direction [deg]",
    "source_radius_arcsec": "source [arcsec]",
    "magnification": "magnification",
}
_LEVELS = (0.68, 0.95)
_BINS = 20
_PATH = re.compile(r'(?<= d=")[^"]*')
_DIGITS = re.compile(r"(\.\d\d)\d+")


def corner_svg(posterior: LensPosterior) -> str:
    """Corner plot as SVG: regions that hold 68 and 95 % of each pair, 16, 50 and 84 % of each."""
    import matplotlib as mpl  # here: slow to import
    from corner import corner
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    names = [name for name in SHOWN if name in posterior.quantities]
    columns = []
    for name in names:
        values = posterior.quantities[name]
        if name.endswith("_deg"):  # not torn apart at 0
            middle = posterior.summary["quantities"][name]["p50"]
            values = middle + (values - middle + 90) % 180 - 90
        columns.append(values)
    n = len(names)
    figure = Figure(figsize=(1.15 * n + 0.6,) * 2)
    FigureCanvasSVG(figure)
    figure.subplots(n, n)
    with mpl.rc_context({"svg.fonttype": "none", "font.size": 8}):
        corner(
            np.column_stack(columns),
            labels=[SHOWN[name] for name in names],
            bins=_BINS,
            smooth=1.0,
            levels=_LEVELS,
            quantiles=(0.16, 0.5, 0.84),
            plot_datapoints=False,
            plot_density=False,
            fill_contours=True,
            max_n_ticks=3,
            color="#2166ac",
            fig=figure,
            label_kwargs={"fontsize": 8},
            labelpad=0.22,
        )
        written = io.StringIO()
        figure.savefig(written, format="svg", bbox_inches="tight")
    # Hundredths of a point are enough for a path.
    return _PATH.sub(lambda path: _DIGITS.sub(r"\1", path[0]), written.getvalue())
