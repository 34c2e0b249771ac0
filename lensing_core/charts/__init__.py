"""Parts of charts of a million candidates: counts on grids, projections, regions."""

from lensing_core.charts.grid import bin_points, inside_polygon, nearest
from lensing_core.charts.projection import Plane, fit_plane
from lensing_core.charts.sky import SkyProjection, sky_projection

__all__ = [
    "Plane",
    "SkyProjection",
    "bin_points",
    "fit_plane",
    "inside_polygon",
    "nearest",
    "sky_projection",
]
