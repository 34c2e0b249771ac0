"""Lens tests of the candidates of a workspace, computed once for each setting."""

from __future__ import annotations

from typing import Any

from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.lens_test.result import LensTestResult, pack_pictures
from lensing_core.lens_test.settings import VERSION, LensTestSettings
from lensing_core.lens_test.testing import run_lens_test
from lensing_core.store import Session
from lensing_core.store.candidates import CutoutPlace
from lensing_core.store.lens_tests import FAILED, LensTestKey, StoredLensTest, keep_lens_test


def key_of(settings: LensTestSettings) -> LensTestKey:
    """What tests with these settings, by this version, are kept under."""
    return LensTestKey(settings.key, VERSION)


def fit_cutout(store: CutoutStore, index: int, settings: LensTestSettings) -> LensTestResult:
    """Test one stored cutout, with its variance map and PSF image where there are any.

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
    return run_lens_test(store.read(index), store.geometry, settings, variance=variance, psf=psf)


def outcome(store: CutoutStore, index: int, settings: LensTestSettings) -> dict[str, Any]:
    """The test of one stored cutout as it is kept; a refusal is an outcome too."""
    try:
        found = fit_cutout(store, index, settings)
    except BadInputError as error:
        return {"verdict": FAILED, "sentence": str(error), "result": {}, "pictures": None}
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
