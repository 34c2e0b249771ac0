"""Named settings of the color picture.

They are in units of the catalog's own sky noise, which makes each of them a preset of the survey.
"""

from __future__ import annotations

from lensing_core.imaging.stretch import AsinhStretch

PRESETS: dict[str, AsinhStretch] = {
    "standard": AsinhStretch(),
    "faint": AsinhStretch(stretch=4.0),
    "bright": AsinhStretch(stretch=40.0),
}
"""``faint`` lifts arcs out of the sky; ``bright`` resolves the cores of bright lenses."""
