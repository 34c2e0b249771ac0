"""Brightness, color, size and center of cutouts: what a ranking must not live on alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.imaging.noise import frame_mask
from lensing_core.models.contract import flux_scale

APERTURE_ARCSEC = 2.0
CENTER_ARCSEC = 0.75
CENTER_CELLS = 5
_AT_ONCE = 2000


@dataclass(frozen=True)
class Appearance:
    """Brightness, colors and size of n cutouts.

    Attributes
    ----------
    brightness : ndarray of shape (n, 1)
        log10 of the flux within 2″ of the center, summed over bands, above the median of the
        cutout's frame; the counts of a picture in place of flux. Non-positive flux counts as that
        of the faintest object with a positive one.
    color : ndarray of shape (n, bands − 1)
        log10 of the flux ratios of neighboring bands; 0 columns for one band.
    size : ndarray of shape (n, 1)
        log10 of the radius in arcsec that holds half of the flux within 2″.
    cells : ndarray of shape (n, bands · 25)
        Mean pixel values within 0.75″ of the center along each axis, brought to 5 × 5 cells,
        where hardly any arc is.
    typical : ndarray of shape (n, 1)
        Median absolute pixel value of the whole cutout.
    """

    brightness: Float64Array
    color: Float64Array
    size: Float64Array
    cells: Float64Array
    typical: Float64Array

    @property
    def center(self) -> Float64Array:
        """Cells as asinh, in units of what is typical of all these cutouts, (n, bands · 25).

        One unit for all: measured catalog by catalog, it would tell lenses from others by the
        catalog that they came from.
        """
        return np.asarray(np.arcsinh(self.cells / (float(np.median(self.typical)) or 1.0)))

    @property
    def matching(self) -> Float64Array:
        """Brightness, colors and size side by side, (n, bands + 1)."""
        return np.hstack([self.brightness, self.color, self.size])

    def part(self, rows: IntArray) -> Appearance:
        """Appearance of some of the cutouts."""
        return Appearance(*(getattr(self, name)[rows] for name in vars(self)))

    @classmethod
    def concatenate(cls, parts: list[Appearance]) -> Appearance:
        """Appearance of several sets of cutouts, one after the other."""
        names = ("brightness", "color", "size", "cells", "typical")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def measure_appearance(flux: Float32Array, geometry: CutoutGeometry) -> Appearance:
    """Measure cutouts (n, band, y, x) as stored; pixels without data count as sky.

    Raises
    ------
    ContractError
        If a band of flux has no zero point.
    """
    values = flux * flux_scale(geometry)[:, None, None]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN")  # a band without data has no sky
        sky = np.nanmedian(values[..., frame_mask(flux.shape[-1])], axis=-1)
    values = values - np.nan_to_num(sky)[..., None, None]
    values = np.nan_to_num(values)
    axis = (np.arange(geometry.size_px) - (geometry.size_px - 1) / 2) * geometry.pixel_scale_arcsec
    radius = np.hypot(axis[:, None], axis[None, :])
    inside = radius <= min(APERTURE_ARCSEC, geometry.size_arcsec / 2)
    by_band = values[..., inside].sum(axis=-1)
    total = by_band.sum(axis=1)
    logs = np.log10(_positive(by_band))
    return Appearance(
        np.log10(_positive(total))[:, None],
        np.diff(logs, axis=1),
        np.log10(_half_light(values.sum(axis=1)[:, inside], radius[inside]))[:, None],
        _cells(values, axis),
        np.median(np.abs(values), axis=(1, 2, 3))[:, None].astype(np.float64),
    )


def appearance_of_rows(
    stores: Mapping[int, CutoutStore], catalog_id: IntArray, row: IntArray
) -> Appearance:
    """Measure stored cutouts of several catalogs, in the order of ``row``.

    Parameters
    ----------
    stores : mapping of int to CutoutStore
        By catalog; all of one set of bands.
    catalog_id, row : ndarray of shape (n,)
        Catalog of each cutout, and its row there.
    """
    parts, order = [], []
    for key, store in stores.items():
        mine = np.flatnonzero(catalog_id == key)
        for first in range(0, len(mine), _AT_ONCE):
            chosen = mine[first : first + _AT_ONCE]
            parts.append(measure_appearance(store.read_many(row[chosen]), store.geometry))
            order.append(chosen)
    return Appearance.concatenate(parts).part(np.argsort(np.concatenate(order)))


def _positive(values: NDArray[np.floating]) -> Float64Array:
    """Values with those that are not positive set to the smallest positive one."""
    positive = values[values > 0]
    least = positive.min() if positive.size else 1.0
    return np.maximum(values, least).astype(np.float64)


def _half_light(flux: NDArray[np.floating], radius: NDArray[np.floating]) -> Float64Array:
    """Radius at which the growth of light first reaches half, shape (n,)."""
    order = np.argsort(radius, kind="stable")
    growth = np.cumsum(flux[:, order], axis=1)
    reached = growth >= growth[:, -1:] / 2
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), len(order) - 1)
    return np.maximum(radius[order][first], radius[radius > 0].min()).astype(np.float64)


def _cells(values: NDArray[np.floating], axis: NDArray[np.floating]) -> Float64Array:
    """Means of the central pixels in a grid of cells."""
    edges = np.linspace(-CENTER_ARCSEC, CENTER_ARCSEC, CENTER_CELLS + 1)
    cell = np.digitize(axis, edges) - 1
    cells = []
    for y in range(CENTER_CELLS):
        for x in range(CENTER_CELLS):
            block = values[..., cell == y, :][..., cell == x]
            empty = np.zeros(values.shape[:2])
            cells.append(block.mean(axis=(-1, -2)) if block.size else empty)
    return np.concatenate(cells, axis=1).astype(np.float64)
