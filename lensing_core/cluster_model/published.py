"""Published masses of clusters: maps of κ or of deflections, as a lens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.io import fits
from astropy.wcs import WCS
from scipy.interpolate import RectBivariateSpline
from scipy.signal import fftconvolve
from torch import Tensor

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.planes import LensPlane
from lensing_core.cluster_model.profiles import Pair
from lensing_core.cluster_model.tables import beside
from lensing_core.errors import BadInputError

_MOST_TURN = 2e-3
_LEAST_PIXELS = 8


@dataclass(frozen=True)
class MapLens:
    """A mass whose deflection is known on a grid; cubic splines lie between its pixels.

    Attributes
    ----------
    plane : LensPlane
    axis_x, axis_y : ndarray of shape (n,), (m,)
        Arcsec, ascending.
    alpha_x, alpha_y : RectBivariateSpline
        Deflection (arcsec) for D_ls / D_s = 1.
    """

    plane: LensPlane
    axis_x: Float64Array
    axis_y: Float64Array
    alpha_x: RectBivariateSpline
    alpha_y: RectBivariateSpline

    @property
    def half_arcsec(self) -> float:
        """Distance from x = y = 0 that the map reaches on all sides."""
        edges = -self.axis_x[0], self.axis_x[-1], -self.axis_y[0], self.axis_y[-1]
        return float(min(edges))

    def deflection(self, x: Tensor, y: Tensor) -> Pair:
        """Deflection (arcsec) at places of any shape; beyond the map, that of its border."""
        px = np.clip(x.numpy(), self.axis_x[0], self.axis_x[-1])
        py = np.clip(y.numpy(), self.axis_y[0], self.axis_y[-1])
        return (
            torch.from_numpy(self.alpha_x.ev(py, px)),
            torch.from_numpy(self.alpha_y.ev(py, px)),
        )


def lens_of_maps(stated: Mapping[str, Any], folder: Path, plane: LensPlane) -> MapLens:
    """A lens of published FITS maps.

    Parameters
    ----------
    stated : mapping
        ``kappa``, or ``deflection_x`` and ``deflection_y``: files with a celestial WCS and north
        up. ``z_source`` for which they hold; without it they hold for D_ls / D_s = 1, as those of
        the Frontier Fields do. ``unit`` of deflections: ``arcsec`` or ``pixel``; else by BUNIT.
    folder : Path
        Relative files lie in it.
    plane : LensPlane

    Raises
    ------
    BadInputError
        If a file is none of these maps.
    """
    ratio = 1.0
    if (z := stated.get("z_source")) is not None:
        ratio = float(plane.ratio(float(z)))
        if ratio <= 0:
            raise BadInputError(f"The maps hold for z_source {z}: that is not behind the cluster.")
    if "kappa" in stated:
        axis_x, axis_y, kappa, _ = _read(beside(folder, stated["kappa"]), plane)
        alpha = deflection_of_kappa(kappa / ratio, float(axis_x[1] - axis_x[0]))
    elif "deflection_x" in stated and "deflection_y" in stated:
        maps = []
        for name, sign_of in (("deflection_x", True), ("deflection_y", False)):
            path = beside(folder, stated[name])
            axis_x, axis_y, data, header = _read(path, plane)
            unit = str(stated.get("unit") or header.get("BUNIT") or "arcsec").strip().lower()
            if unit not in ("arcsec", "pixel", "pixels", "pix"):
                raise BadInputError(
                    f"{path}: deflections in {unit!r}; state unit: arcsec or pixel."
                )
            scale = 1.0 if unit == "arcsec" else float(axis_x[1] - axis_x[0])
            mirrored = sign_of and header["MIRRORED"]
            maps.append(data * scale / ratio * (-1 if mirrored else 1))
        if maps[0].shape != maps[1].shape:
            raise BadInputError("The two maps of the deflection differ in size.")
        alpha = maps[0], maps[1]
    else:
        raise BadInputError("Published maps need kappa, or deflection_x and deflection_y.")
    return MapLens(
        plane,
        axis_x,
        axis_y,
        *(RectBivariateSpline(axis_y, axis_x, component) for component in alpha),
    )


def deflection_of_kappa(
    kappa: Float64Array, pixel_arcsec: float
) -> tuple[Float64Array, Float64Array]:
    """α = (1/π) ∫ κ(θ') (θ − θ') / |θ − θ'|² d²θ', arcsec, of a map with nothing around it."""
    m, n = kappa.shape
    y, x = np.mgrid[-m + 1 : m, -n + 1 : n] * pixel_arcsec
    r2 = x**2 + y**2
    r2[m - 1, n - 1] = np.inf
    area = pixel_arcsec**2 / math.pi
    return tuple(fftconvolve(kappa, k / r2 * area, mode="same") for k in (x, y))


def _read(
    path: Path, plane: LensPlane
) -> tuple[Float64Array, Float64Array, Float64Array, dict[str, Any]]:
    """Axes (arcsec, ascending), map, and its header's unit with whether x was mirrored."""
    if not path.is_file():
        raise BadInputError(f"Map {path} does not exist.")
    try:
        with fits.open(path) as file:
            hdu = next((h for h in file if h.data is not None and np.ndim(h.data) == 2), None)
            if hdu is None:
                raise BadInputError(f"{path} has no image of two dimensions.")
            data, header = np.asarray(hdu.data, dtype=np.float64), hdu.header
            wcs = WCS(header).celestial
    except OSError as error:
        raise BadInputError(f"{path} cannot be read as FITS: {error}.") from error
    if not wcs.has_celestial or min(data.shape) < _LEAST_PIXELS:
        raise BadInputError(f"{path} has no celestial WCS, or fewer than {_LEAST_PIXELS} pixels.")
    if not np.isfinite(data).all():
        raise BadInputError(f"{path} has pixels without a value: cut the map, or fill them.")
    m, n = data.shape
    x, y = plane.to_plane(*wcs.pixel_to_world_values(*np.meshgrid(np.arange(n), np.arange(m))))
    step = float(np.median(np.diff(x, axis=1)))
    if abs(float(np.median(np.diff(x, axis=0)))) > _MOST_TURN * abs(step):
        raise BadInputError(f"{path} is turned: resample it with north up.")
    axis_x, axis_y = np.median(x, axis=0), np.median(y, axis=1)
    mirrored = bool(axis_x[0] > axis_x[-1])
    if mirrored:
        axis_x, data = axis_x[::-1], data[:, ::-1]
    if axis_y[0] > axis_y[-1]:
        raise BadInputError(f"{path} has south up: resample it with north up.")
    return axis_x, axis_y, data, {"BUNIT": header.get("BUNIT", ""), "MIRRORED": mirrored}
