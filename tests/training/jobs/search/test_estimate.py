"""What a search says beforehand of its time and room."""

from __future__ import annotations

import pytest

from lens_triage.training.jobs.search.estimate import SearchEstimate, estimate_of
from lens_triage.training.jobs.search.timing import PaintingTime
from lens_triage.training.settings import SearchSettings

SETTINGS = SearchSettings(catalog="sky", n_hosts=100, layers="middle")


@pytest.mark.parametrize(
    ("size", "said"), [(2e6, "less than 0.1 GB"), (1.26e9, "1.3 GB")], ids=["small", "large"]
)
def test_room_is_never_nothing(size: float, said: str) -> None:
    sentence = SearchEstimate(150, 144, 40.0, int(size), 0.02, 12).sentence
    assert sentence.startswith("At most 150 galaxies to paint and 294 cutouts to encode: about 1")
    assert f"runs, and {said}. Painting was timed on 12 of the galaxies, 0.02 s each" in sentence


def test_time_follows_what_painting_takes_on_the_catalog() -> None:
    deep, shallow = (
        estimate_of([PaintingTime(s, 12, 500, 0.1)] * 3, SETTINGS, objects=500, room=0)
        for s in (0.02, 0.3)
    )
    # A tenth of the 500 objects suit, in each of three sets, though 100 are asked for.
    assert deep.galaxies == shallow.galaxies == 300
    assert shallow.painting_s == pytest.approx(0.3)
    assert deep.seconds is not None
    assert shallow.seconds is not None
    assert shallow.seconds - deep.seconds == pytest.approx(150 * 0.28)


def test_flagged_hosts_are_counted_and_not_measured() -> None:
    flagged = PaintingTime(0.02, 12, 79, None)
    assert (flagged.hosts(400), flagged.hosts(50), flagged.measured(400)) == (79, 50, 0)


def test_no_time_is_told_where_no_galaxy_could_be_painted() -> None:
    times = [PaintingTime(0.02, 12, 500, 0.1), PaintingTime(None, 0, 500, 0.0)]
    estimate = estimate_of(times, SETTINGS, objects=500, room=0)
    assert estimate.seconds is None
    assert "cannot be estimated" in estimate.sentence
