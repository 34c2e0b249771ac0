"""Cutouts that the Pan-STARRS service has sent: all are taken, or have no data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lensing_core.fetching.replies import Refused, planes_of
from lensing_core.fetching.services import CUTOUT_SERVICES, make_order

pytestmark = pytest.mark.real


def test_replies_of_pan_starrs_are_taken(real_data: Path) -> None:
    order = make_order(CUTOUT_SERVICES["panstarrs"], bands=("i",), size_arcsec=30.0)
    found: Counter[str] = Counter()
    for path in (real_data / "sled_ps1").glob("*/*/*.fits"):
        content = path.read_bytes()
        try:
            found["taken whole"] += planes_of(content, order, ("i",)) == {"i": content}
        except Refused as problem:
            found[str(problem).partition(":")[0]] += 1
    assert found == {"taken whole": 268, "the image has no data": 1}
