"""Images that a mass predicts for a source, beside those observed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.families import Family, farthest_arcsec
from lensing_core.cluster_model.mass import Lens
from lensing_core.cluster_model.profiles import Pair
from lensing_core.physics.point_images import images_of_point, search_grid

_STEP_ARCSEC = 0.5
_GRIDS = (81, 301)
_FIELD = 1.3
_MATCH_ARCSEC = 10.0


@dataclass(frozen=True)
class PredictedImage:
    """An image of a source by a mass.

    Attributes
    ----------
    family : str
    observed : str
        Name of the observed image next to it; empty where there is none.
    held_out : bool
        Whether that was left out of the fit.
    x, y : float
        Arcsec; NaN where the mass makes no image near the observed one.
    magnification : float
        Signed; negative: mirrored.
    offset_arcsec : float
        Distance from the observed image; NaN without one.
    """

    family: str
    observed: str
    held_out: bool
    x: float
    y: float
    magnification: float
    offset_arcsec: float


@dataclass(frozen=True)
class Scaled:
    """The deflection of a lens for one source: times its D_ls / D_s."""

    lens: Lens
    ratio: float

    def __call__(self, x: Tensor, y: Tensor) -> Pair:
        ax, ay = self.lens.deflection(x, y)
        return self.ratio * ax, self.ratio * ay


def predict(
    lens: Lens,
    families: Sequence[Family],
    ratios: Float64Array,
    sources: Float64Array,
    *,
    center: tuple[float, float] = (0.0, 0.0),
    grid: int | None = None,
    most_arcsec: float = math.inf,
) -> list[PredictedImage]:
    """All images of each source, each observed one with the nearest of the model's.

    Observed images are paired one to one, within 10″. An observed image without a partner has no
    place; an image of the model without one is a counter-image that was not listed.

    Parameters
    ----------
    ratios : ndarray of shape (f,)
    sources : ndarray of shape (f, 2)
    center : (float, float)
        Of the search, which reaches 1.3 times as far as the farthest image.
    grid : int, optional
        Its points along a side; by default one each 0.5″, 81 to 301. Closer pairs of images near
        galaxies may be missed.
    most_arcsec : float
        Farthest that it reaches, where the mass is known no farther.
    """
    half = min(_FIELD * farthest_arcsec(families, center), most_arcsec)
    n = grid or int(np.clip(2 * half / _STEP_ARCSEC, *_GRIDS))
    ax, ay = lens.deflection(*search_grid(center, half, n))
    found = []
    for family, ratio, source in zip(families, ratios, sources, strict=True):
        images = images_of_point(
            Scaled(lens, float(ratio)),
            (float(source[0]), float(source[1])),
            center=center,
            half_arcsec=half,
            n=n,
            on_grid=(float(ratio) * ax, float(ratio) * ay),
        )
        found += _paired(family, images)
    return found


def _paired(family: Family, images: Float64Array) -> list[PredictedImage]:
    places = np.array([(image.x, image.y) for image in family.images])
    distance = np.hypot(*(places[:, None, :] - images[None, :, :2]).transpose(2, 0, 1))
    rows, columns = linear_sum_assignment(np.minimum(distance, _MATCH_ARCSEC))
    partner = {
        int(r): int(c) for r, c in zip(rows, columns, strict=True) if distance[r, c] < _MATCH_ARCSEC
    }
    found = []
    for k, image in enumerate(family.images):
        x, y, mu, offset = math.nan, math.nan, math.nan, math.nan
        if (c := partner.get(k)) is not None:
            x, y, mu = images[c]
            offset = distance[k, c]
        found.append(
            PredictedImage(
                family.name,
                image.name,
                image.held_out,
                float(x),
                float(y),
                float(mu),
                float(offset),
            )
        )
    alone = sorted(set(range(len(images))) - set(partner.values()))
    for c in alone:
        x, y, mu = (float(value) for value in images[c])
        found.append(PredictedImage(family.name, "", False, x, y, mu, math.nan))
    return found


def rms_arcsec(predicted: Sequence[PredictedImage], *, held_out: bool = False) -> float:
    """Root mean square distance in the image plane, of those fitted or those held out.

    Only of observed images that the mass makes at all; see :func:`missed`. NaN if there are none.
    """
    offsets = [
        p.offset_arcsec
        for p in predicted
        if p.observed and p.held_out == held_out and not math.isnan(p.offset_arcsec)
    ]
    return float(np.sqrt(np.mean(np.square(offsets)))) if offsets else math.nan


def missed(predicted: Sequence[PredictedImage]) -> list[str]:
    """Observed images near which the mass makes none."""
    return [p.observed for p in predicted if p.observed and math.isnan(p.offset_arcsec)]
