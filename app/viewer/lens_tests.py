"""Lens tests of candidates for the pages, kept in the workspace once they are computed.

Fits take seconds of a core: they wait in a pool of their own, apart from all else that is asked.
What is kept already is told to everybody; a new test is an action (``run_lens_test``).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lens_triage.app.acting import acting, permit
from lens_triage.app.context import AppContext
from lens_triage.app.http.pools import LENS_TESTS, OTHER
from lensing_core.arrays import ByteArray, Float32Array
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.imaging import (
    AsinhStretch,
    SkyNoise,
    auto_stretch,
    encode,
    lupton_rgb,
    rgb_channels,
    sky_noise,
)
from lensing_core.lens_test import VERSION, LensTestPictures, LensTestSettings, unpack_pictures
from lensing_core.store.candidates import CutoutPlace, cutout_places, no_candidate
from lensing_core.store.lens_tests import (
    LensTestKey,
    StoredLensTest,
    find_lens_test,
    newest_lens_test,
)

_MOST_SIGMA = 5.0
# Blue, white, red: of a residual below, at and above what is expected.
_COLD, _MIDDLE, _WARM = (
    np.array(c, dtype=float) for c in ((33, 102, 172), (247, 247, 247), (178, 24, 43))
)


class LensTests:
    """Lens tests of the candidates of a workspace, looked up or computed."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    async def answer(
        self, here: AppContext, candidate: int, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The test of a candidate's present pixels, or ``{"kept": false}``.

        Parameters
        ----------
        here : AppContext
            Of the browser that asks.
        asked : mapping
            ``compute``: whether to compute what is not kept, else the newest that is kept is told;
            ``positions``: where it starts, images in arcsec from the middle of the cutout.
        """
        settings = _settings(asked)
        if asked.get("compute") is not True:
            newest = await OTHER.run(lambda: self._newest(candidate))
            return {"kept": False} if newest is None else newest
        found = await OTHER.run(lambda: self._look(candidate, settings))
        if found is None:
            found = await LENS_TESTS.run(lambda: self._compute(here, candidate, settings))
        return found

    def _newest(self, candidate: int) -> dict[str, Any] | None:
        place = self._place(candidate)
        with self._context.database.session() as session:
            found = newest_lens_test(session, candidate, place, VERSION)
        return None if found is None else self._tell(place, found)

    def _look(self, candidate: int, settings: LensTestSettings) -> dict[str, Any] | None:
        place, key = self._place(candidate), LensTestKey(settings.key, VERSION)
        with self._context.database.session() as session:
            found = find_lens_test(session, candidate, place, key)
        return None if found is None else self._tell(place, found)

    def _compute(
        self, here: AppContext, candidate: int, settings: LensTestSettings
    ) -> dict[str, Any]:
        from lensing_core.lens_test.candidates import keep, outcome  # here: torch takes seconds

        permit(here, "run_lens_test")
        found = self._look(candidate, settings)  # asked for twice
        if found is not None:
            return found
        place = self._place(candidate)
        made = outcome(self._store(place), place.cutout_index, settings)
        with acting(here, "run_lens_test") as (session, _):
            kept = keep(session, candidate, place, settings, made)
        return self._tell(place, kept)

    def _place(self, candidate: int) -> CutoutPlace:
        found = self._context.database.ask(cutout_places, [candidate])
        if candidate not in found:
            raise no_candidate(candidate)
        return found[candidate]

    def _store(self, place: CutoutPlace) -> CutoutStore:
        return CutoutStore(self._context.workspace.catalog_cutouts(place.catalog))

    def _tell(self, place: CutoutPlace, found: StoredLensTest) -> dict[str, Any]:
        told: dict[str, Any] = {
            "kept": True,
            "at": found.at.isoformat(timespec="minutes"),
            "verdict": found.verdict,
            "sentence": found.sentence,
            **found.result,
        }
        if found.pictures is not None:
            store = self._store(place)
            pictures = unpack_pictures(found.pictures)
            cutout = store.read(place.cutout_index)
            told["pictures"] = {
                name: "data:image/png;base64," + base64.b64encode(encode(picture, "png")).decode()
                for name, picture in draw(cutout, store.geometry, pictures, found.result).items()
            }
            side = pictures.source.shape[-1] * pictures.source_scale_arcsec
            told["source_side_arcsec"] = side
            told["side_arcsec"] = pictures.arcs.shape[-1] * float(found.result["scale_arcsec"])
        return told


def draw(
    cutout: Float32Array,
    geometry: CutoutGeometry,
    pictures: LensTestPictures,
    result: Mapping[str, Any],
) -> dict[str, ByteArray]:
    """Pictures of a test, all flux of one stretch, the residual in units of the noise.

    Parameters
    ----------
    cutout : ndarray of shape (band, y, x)
    result : mapping
        As kept: which bands and pixels were fitted.
    """
    bands, binning, first = result["bands"], int(result["binning"]), int(result["first_px"])
    which = [geometry.bands.index(name) for name in bands]
    size = pictures.arcs.shape[-1]
    keep = slice(first, first + size * binning)
    data = cutout[which][:, keep, keep].reshape(len(which), size, binning, size, binning)
    shown = data.sum(axis=(2, 4))
    sky = sky_noise(cutout)
    level = sky.level[which][:, None, None] * binning**2
    noise = SkyNoise(np.zeros(len(which)), sky.sigma[which] * binning)
    of_bands = CutoutGeometry(
        geometry.survey, tuple(bands), size, geometry.pixel_scale_arcsec * binning, "flux",
        tuple(geometry.zero_points_mag[k] for k in which),
        tuple(geometry.psf_fwhm_arcsec[k] for k in which),
    )  # fmt: skip

    def channels(flux: Float32Array) -> Float32Array:
        if len(bands) == 1:
            return np.repeat(noise.scaled(np.asarray(flux, dtype=np.float32), 0)[None], 3, axis=0)
        return rgb_channels(np.asarray(flux, dtype=np.float32), of_bands, noise)

    seen = np.asarray(shown - level, dtype=np.float32)
    arcs = seen - pictures.galaxy
    stretch = auto_stretch(channels(seen))
    faint = AsinhStretch(black=-1.0, stretch=min(stretch.stretch, 12.0), q=8.0)
    z = np.where(np.isfinite(pictures.sigma), (arcs - pictures.arcs) / pictures.sigma, np.nan)
    n = np.isfinite(z).sum(axis=0)
    mean = np.where(n > 0, np.nansum(z, axis=0) / np.sqrt(np.maximum(n, 1)), np.nan)
    brightest = float(np.max(channels(pictures.source))) or 1.0
    bright = AsinhStretch(black=0.0, stretch=max(brightest / 4, 1e-3), q=4.0)
    return {
        "data": _color(channels(seen), stretch),
        "model": _color(channels(pictures.galaxy + pictures.arcs), stretch),
        "residual": _residual(mean),
        "arcs": _color(channels(arcs), faint),
        "lensed": _color(channels(pictures.arcs), replace(faint, black=0.0)),
        "source": _color(channels(pictures.source), bright),
    }


def _color(channels: Float32Array, stretch: AsinhStretch) -> ByteArray:
    levels, known = lupton_rgb(channels, stretch)
    return _upright(levels * 255, known)


def _residual(z: Float32Array) -> ByteArray:
    share = np.clip(np.nan_to_num(z) / _MOST_SIGMA, -1, 1)[..., None]
    end = np.where(share < 0, _COLD, _WARM)
    return _upright(_MIDDLE + np.abs(share) * (end - _MIDDLE), np.isfinite(z))


def _upright(levels: Any, known: Any) -> ByteArray:
    """RGBA with the first row of the array at the bottom."""
    out = np.empty((*known.shape, 4), dtype=np.uint8)
    out[..., :3] = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
    out[..., 3] = np.where(known, 255, 0)
    return np.ascontiguousarray(out[::-1])


def _settings(asked: Mapping[str, Any]) -> LensTestSettings:
    positions = asked.get("positions", [])
    numbers = (int, float)
    if not isinstance(positions, list) or not all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(type(v) in numbers and math.isfinite(v) and abs(v) < 1e3 for v in pair)
        for pair in positions
    ):
        raise BadInputError("positions: give a list of pairs of numbers, in arcsec.")
    pairs = tuple((round(float(x), 3), round(float(y), 3)) for x, y in positions)
    return LensTestSettings(positions_arcsec=pairs)
