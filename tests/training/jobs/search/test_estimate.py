"""What a search says beforehand of its time and room."""

from __future__ import annotations

import pytest

from lens_triage.training.jobs.search.estimate import SearchEstimate


@pytest.mark.parametrize(
    ("size", "said"), [(2e6, "less than 0.1 GB"), (1.26e9, "1.3 GB")], ids=["small", "large"]
)
def test_room_is_never_nothing(size: float, said: str) -> None:
    sentence = SearchEstimate(150, 144, 40.0, int(size)).sentence
    assert sentence.startswith("At most 150 galaxies to paint and 294 cutouts to encode: about 1")
    assert sentence.endswith(f"{said}.")
