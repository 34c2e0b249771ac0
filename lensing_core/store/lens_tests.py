"""Lens tests of candidates: kept, found again, and asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from lensing_core.store.batches import in_batches
from lensing_core.store.candidates import CutoutPlace
from lensing_core.store.tables import Candidate, LensTest
from lensing_core.store.tables.base import utc_now

FAILED = "failed"


@dataclass(frozen=True)
class LensTestKey:
    """Key of a lens test: settings and version."""

    settings_key: str
    version: int


@dataclass(frozen=True)
class StoredLensTest:
    """A kept lens test.

    Attributes
    ----------
    candidate_id : int
    at : datetime
    verdict : str
        'supports', 'no_lens', 'unclear' or 'failed'.
    sentence : str
    result : dict
        All numbers as plain JSON; empty where it failed.
    pictures : bytes or None
        Packed arrays; None where it failed, or where they were not asked for.
    """

    candidate_id: int
    at: datetime
    verdict: str
    sentence: str
    result: dict[str, Any]
    pictures: bytes | None


def find_lens_test(
    session: Session, candidate_id: int, place: CutoutPlace, key: LensTestKey
) -> StoredLensTest | None:
    """The test of a candidate's present pixels with some settings; None where there is none."""
    row = session.get(LensTest, (candidate_id, key.settings_key, key.version))
    if row is None or row.cutout_sha256 != place.cutout_sha256:
        return None
    return _stored(row, row.pictures)


def newest_lens_test(
    session: Session, candidate_id: int, place: CutoutPlace, version: int
) -> StoredLensTest | None:
    """The newest test of a candidate's present pixels by a version, with whatever settings."""
    row = session.scalar(
        select(LensTest)
        .where(
            LensTest.candidate_id == candidate_id,
            LensTest.version == version,
            LensTest.cutout_sha256 == place.cutout_sha256,
        )
        .order_by(LensTest.at.desc())
        .limit(1)
    )
    return None if row is None else _stored(row, row.pictures)


def keep_lens_test(
    session: Session,
    candidate_id: int,
    place: CutoutPlace,
    key: LensTestKey,
    *,
    verdict: str,
    sentence: str,
    result: dict[str, Any],
    pictures: bytes | None,
) -> StoredLensTest:
    """Keep a test in the place of an older one of the same settings."""
    theta_e = result.get("theta_e_arcsec") or {}
    row = LensTest(
        candidate_id=candidate_id,
        settings_key=key.settings_key,
        version=key.version,
        cutout_sha256=place.cutout_sha256,
        at=utc_now(),
        verdict=verdict,
        sentence=sentence,
        theta_e_arcsec=theta_e.get("value"),
        theta_e_error_arcsec=theta_e.get("error"),
        reduced_chi2=result.get("reduced_chi2"),
        reduced_chi2_no_lens=result.get("reduced_chi2_no_lens"),
        result=result,
        pictures=pictures,
    )
    row = session.merge(row)
    session.flush()
    return _stored(row, pictures)


def latest_lens_tests(session: Session, candidate_ids: Iterable[int]) -> dict[int, LensTest]:
    """The newest test of each candidate that has one, of its present pixels; without pictures."""
    latest: dict[int, LensTest] = {}
    for part in in_batches(candidate_ids):
        rows = session.scalars(
            select(LensTest)
            .join(Candidate, Candidate.id == LensTest.candidate_id)
            .where(
                LensTest.candidate_id.in_(part),
                LensTest.cutout_sha256 == Candidate.cutout_sha256,
            )
            .options(defer(LensTest.pictures))
            .order_by(LensTest.at)
        )
        latest.update((row.candidate_id, row) for row in rows)
    return latest


def verdicts_of(session: Session, candidate_ids: Iterable[int], key: LensTestKey) -> dict[int, str]:
    """Verdicts of the tests of candidates' present pixels with some settings, by candidate."""
    found: dict[int, str] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(LensTest.candidate_id, LensTest.verdict)
            .join(Candidate, Candidate.id == LensTest.candidate_id)
            .where(
                LensTest.candidate_id.in_(part),
                LensTest.settings_key == key.settings_key,
                LensTest.version == key.version,
                LensTest.cutout_sha256 == Candidate.cutout_sha256,
            )
        )
        found.update((row[0], row[1]) for row in rows)
    return found


def untested(session: Session, candidate_ids: Sequence[int], key: LensTestKey) -> list[int]:
    """Those of some candidates whose pixels have no test with some settings, in their order."""
    done = verdicts_of(session, candidate_ids, key)
    return [one for one in candidate_ids if one not in done]


def _stored(row: LensTest, pictures: bytes | None) -> StoredLensTest:
    return StoredLensTest(row.candidate_id, row.at, row.verdict, row.sentence, row.result, pictures)
