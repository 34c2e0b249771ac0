"""Lens tests of the candidates of a workspace, computed once for each setting."""

from __future__ import annotations

import time
from typing import Any

from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.lens_test.result import pack_pictures
from lensing_core.lens_test.settings import VERSION, LensTestSettings
from lensing_core.lens_test.testing import FittedLens, describe, fit_lens
from lensing_core.store import Session
from lensing_core.store.candidates import CutoutPlace
from lensing_core.store.lens_tests import FAILED, LensTestKey, StoredLensTest, keep_lens_test


def key_of(settings: LensTestSettings) -> LensTestKey:
    """Key under which tests with these settings, by this version, are stored."""
    return LensTestKey(settings.key, VERSION)


def fit_stored(store: CutoutStore, index: int, settings: LensTestSettings) -> FittedLens:
    """Fit one stored cutout, with its variance map and PSF image where there are any.

    Raises
    ------
    BadInputError
        If nothing can be fitted.
    """
    variance = store.read_variance(index) if store.has_variance else None
    try:
        psf = store.read_psf(index)
    except NotFoundError:
        psf = None
    return fit_lens(store.read(index), store.geometry, settings, variance=variance, psf=psf)


def outcome(store: CutoutStore, index: int, settings: LensTestSettings) -> dict[str, Any]:
    """The test of one stored cutout as it is kept; a refusal is an outcome too."""
    began = time.perf_counter()
    try:
        return outcome_of(fit_stored(store, index, settings), settings, began)
    except BadInputError as error:
        return {"verdict": FAILED, "sentence": str(error), "result": {}, "pictures": None}


def outcome_of(fitted: FittedLens, settings: LensTestSettings, began: float) -> dict[str, Any]:
    """A fit that began at a time of :func:`time.perf_counter`, as it is kept."""
    found = describe(fitted, settings, began)
    return {
        "verdict": found.verdict,
        "sentence": found.sentence,
        "result": found.to_json(),
        "pictures": pack_pictures(found.pictures),
    }


def keep(
    session: Session,
    candidate_id: int,
    place: CutoutPlace,
    settings: LensTestSettings,
    found: dict[str, Any],
) -> StoredLensTest:
    """Keep an :func:`outcome`."""
    return keep_lens_test(session, candidate_id, place, key_of(settings), **found)
