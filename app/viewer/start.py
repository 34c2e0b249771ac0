"""Styles and start data for a page with the image viewer."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from bokeh import palettes

from lensing_core.imaging import PRESETS, STRETCH_KINDS

VIEWER_STYLES = ("viewer/viewer.css", "viewer/lens_test.css", "viewer/references.css")

_HEAT = ([0, 0.34, 1], [0, 1, 1]), ([0, 1], [0, 1]), ([0, 0.65, 0.98, 1], [0, 0, 1, 1])
"""Red, green and blue of DS9's "heat" by level: places and values of its corners."""


@cache
def image_start() -> dict[str, Any]:
    """Presets, stretches of single bands, and color maps, as the viewer's script takes them."""
    return {
        "presets": {
            name: {"black": p.black, "stretch": p.stretch, "q": p.q} for name, p in PRESETS.items()
        },
        "curves": list(STRETCH_KINDS),
        "palettes": {
            name: "".join(color.lstrip("#") for color in colors)
            for name, colors in {
                "viridis": palettes.Viridis256,
                "inferno": palettes.Inferno256,
                "magma": palettes.Magma256,
                "cividis": palettes.Cividis256,
                "heat": _heat(),
            }.items()
        },
    }


def _heat() -> list[str]:
    level = np.linspace(0, 1, 256)
    channels = np.stack([np.interp(level, *corners) for corners in _HEAT], axis=1)
    return ["{:02x}{:02x}{:02x}".format(*rgb) for rgb in (channels * 255 + 0.5).astype(int)]
