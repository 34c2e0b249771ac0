"""Maps of a mass: convergence, shear and deflection for D_ls / D_s = 1; magnifications."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from astropy.io import fits
from astropy.wcs import WCS
from scipy.interpolate import RegularGridInterpolator

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.mass import Lens
from lensing_core.cluster_model.planes import LensPlane
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError

_MOST_PIXELS = 4_000_000


@dataclass(frozen=True)
class LensingMaps:
    """Maps (y, x) on a grid of the tangent plane, for D_ls / D_s = 1.

    Attributes
    ----------
    axis_x, axis_y : ndarray of shape (n,), (m,)
        Centers of pixels, arcsec; x to the west, y to the north.
    kappa, gamma_1, gamma_2 : ndarray of shape (m, n)
        Means over pixels, from the deflection at their corners.
    alpha_x, alpha_y : ndarray of shape (m, n)
        Deflection at the centers, arcsec.
    """

    axis_x: Float64Array
    axis_y: Float64Array
    kappa: Float64Array
    gamma_1: Float64Array
    gamma_2: Float64Array
    alpha_x: Float64Array
    alpha_y: Float64Array

    @property
    def pixel_arcsec(self) -> float:
        return float(self.axis_x[1] - self.axis_x[0])

    def magnification(self, ratio: float) -> Float64Array:
        """1 / det A, signed, for a source of this D_ls / D_s."""
        shear = self.gamma_1**2 + self.gamma_2**2
        det = (1 - ratio * self.kappa) ** 2 - ratio**2 * shear
        return np.asarray(1 / np.where(det == 0, 1e-12, det))

    def kappa_at(self, points: Float64Array) -> Float64Array:
        """κ (n,) between the pixels at points (n, 2): x, y."""
        between = RegularGridInterpolator(
            (self.axis_y, self.axis_x), self.kappa, bounds_error=False, fill_value=None
        )
        return np.asarray(between(points[:, ::-1]))


def compute_maps(
    lens: Lens, *, half_arcsec: float, pixel_arcsec: float, center: tuple[float, float] = (0.0, 0.0)
) -> LensingMaps:
    """Maps of a square field around a place.

    Raises
    ------
    BadInputError
        If the field has no pixels, or more than four million.
    """
    n = round(2 * half_arcsec / pixel_arcsec) if pixel_arcsec > 0 else 0
    if not 2 <= n <= _MOST_PIXELS**0.5:
        raise BadInputError(
            f"Maps of {2 * half_arcsec:g} arcsec with pixels of {pixel_arcsec:g} arcsec have {n} "
            f"pixels a side: give 2 to {int(_MOST_PIXELS**0.5)}."
        )
    edge: Float64Array = np.linspace(-n / 2, n / 2, n + 1) * pixel_arcsec
    middle: Float64Array = (edge[1:] + edge[:-1]) * 0.5
    ax, ay = _on_grid(lens, edge + center[0], edge + center[1])
    xx, xy = _slopes(ax, pixel_arcsec)
    yx, yy = _slopes(ay, pixel_arcsec)
    at = _on_grid(lens, middle + center[0], middle + center[1])
    return LensingMaps(
        axis_x=middle + center[0],
        axis_y=middle + center[1],
        kappa=(xx + yy) / 2,
        gamma_1=(xx - yy) / 2,
        gamma_2=(xy + yx) / 2,
        alpha_x=at[0],
        alpha_y=at[1],
    )


def _on_grid(lens: Lens, x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array]:
    grid_x, grid_y = np.meshgrid(x, y)
    ax, ay = lens.deflection(torch.from_numpy(grid_x), torch.from_numpy(grid_y))
    return ax.numpy(), ay.numpy()


def _slopes(corners: Float64Array, pixel: float) -> tuple[Float64Array, Float64Array]:
    """∂/∂x and ∂/∂y of pixels from the values (m + 1, n + 1) at their corners."""
    right = (corners[:, 1:] - corners[:, :-1]) / pixel
    up = (corners[1:, :] - corners[:-1, :]) / pixel
    return (right[1:] + right[:-1]) / 2, (up[:, 1:] + up[:, :-1]) / 2


def wcs_of(maps: LensingMaps, plane: LensPlane) -> WCS:
    """TAN projection with north up and east to the left."""
    wcs = WCS(naxis=2)
    pixel = maps.pixel_arcsec
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [plane.ra_deg, plane.dec_deg]
    wcs.wcs.cdelt = [-pixel / 3600, pixel / 3600]
    wcs.wcs.crpix = [1 - maps.axis_x[0] / pixel, 1 - maps.axis_y[0] / pixel]
    wcs.wcs.radesys = "ICRS"
    return wcs


def write_map(
    path: Path, data: Float64Array, wcs: WCS, *, unit: str, what: str, cards: dict[str, object]
) -> None:
    """Write one map as FITS, float32, whole or not at all.

    Parameters
    ----------
    cards : dict
        Further keywords of the header: (value, comment) or a value each.
    """
    header = wcs.to_header()
    header["BUNIT"] = unit
    header["CONTENT"] = what
    for name, value in cards.items():
        header[name] = value
    with replacing(path) as written:
        fits.PrimaryHDU(data.astype(np.float32), header).writeto(written, overwrite=True)
