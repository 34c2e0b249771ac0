"""Maps over a cutout, what their numbers mean, and how strongly they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import ByteArray, Float32Array
from lensing_core.errors import LensTriageError

Method = Literal["integrated_gradients", "grad_cam", "rollout", "mil"]
IN_LOG_ODDS: tuple[Method, ...] = ("integrated_gradients", "grad_cam")
COLOR_MAP = "viridis"
"""Of matplotlib: as bright as strong, also for eyes that confuse red and green or blue and
yellow."""
FULL_LOG_ODDS = 1.0
FULL_EXCESS = 1.0


class NoAttentionError(LensTriageError):
    """A member that has no map of attention, and what to look at instead."""


@dataclass(frozen=True)
class AttentionMap:
    """An attention map of a member.

    Attributes
    ----------
    method : {'integrated_gradients', 'grad_cam', 'rollout', 'mil'}
    values : ndarray of shape (y, x), float32
        Log-odds for (positive) or against (negative) a lens, a pixel (integrated gradients) or a
        cell of the feature map (Grad-CAM); the others: weight in units of an even share. NaN where
        the member does not look.
    cell_px : float
        Side of a cell, token or patch, or width of the smoothing, in pixels: the map shows nothing
        finer.
    total : float
        Log-odds that the positive pixels or cells add up to. The others: the largest value.
    logit : float
        The member's raw logit.
    exact : bool
        Whether cells or pixels add up: of Grad-CAM to the logit less a constant (else to first
        order only), of integrated gradients to the logit less ``empty``, within a tenth.
    empty : float or None
        Integrated gradients: the member's raw logit of an empty sky.
    """

    method: Method
    values: Float32Array
    cell_px: float
    total: float
    logit: float
    exact: bool = False
    empty: float | None = None

    def strength(self) -> Float32Array:
        """Return how strongly each pixel is drawn, (y, x), 0 to 1; 0 where the member does not
        look.

        What speaks for a lens, on a linear scale. The strongest pixel of a map is at 1 only if
        there is something to see: where the evidence adds up to less than one log-odds, or no
        place has twice its even share, the whole map is fainter in proportion. Maps are therefore
        comparable between candidates, and noise is not drawn like an arc.
        """
        raised = self._raised()
        scale = self._scale()
        if scale is None:
            return np.zeros_like(raised)
        return np.asarray(raised / scale, dtype=np.float32)

    def end_of_scale(self) -> float | None:
        """Return the value of a pixel that is drawn with full strength; None where none is."""
        scale = self._scale()
        return None if scale is None else self._floor + scale

    @property
    def _floor(self) -> float:
        """Values above it are drawn."""
        return 0.0 if self.method in IN_LOG_ODDS else 1.0

    def _raised(self) -> Float32Array:
        return np.maximum(np.nan_to_num(self.values, nan=0.0) - self._floor, 0)

    def _scale(self) -> float | None:
        """Full strength, counted from :attr:`_floor`."""
        peak = float(self._raised().max())
        full = self.total / FULL_LOG_ODDS if self.method in IN_LOG_ODDS else peak / FULL_EXCESS
        return peak / min(1.0, full) if peak > 0 and full > 0 else None

    def placed(self, window: slice, size_px: int) -> AttentionMap:
        """The map in a cutout of ``size_px``, of which the member sees ``window``."""
        if self.values.shape == (size_px, size_px):
            return self
        whole = np.full((size_px, size_px), np.nan, dtype=np.float32)
        whole[window, window] = self.values
        return replace(self, values=whole)


def scale_colors(strength: ArrayLike) -> ByteArray:
    """Return colors of strengths from 0 to 1, RGB in a last axis of three."""
    from matplotlib import colormaps  # here: a server starts without it

    return np.asarray(colormaps[COLOR_MAP](np.asarray(strength), bytes=True)[..., :3])


def overlay(shown: AttentionMap, *, upside_down: bool) -> ByteArray:
    """The map as a picture (y, x, RGBA) to be laid over that of the cutout.

    Color and opacity go with the strength (:data:`COLOR_MAP`).

    Parameters
    ----------
    upside_down : bool
        Row 0 is the lowest, as in pictures of flux cutouts.
    """
    strength = shown.strength()
    picture = np.empty((*strength.shape, 4), dtype=np.uint8)
    picture[..., :3] = scale_colors(strength)
    picture[..., 3] = (strength * 255 + 0.5).astype(np.uint8)
    return picture[::-1] if upside_down else picture
