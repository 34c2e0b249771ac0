"""References to compare with while grading, as JSON for the drawer of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lens_triage.app.viewer.tiles import tile_url
from lensing_core.store.references import Reference

_LARGEST_PX = 320


def references_to_json(references: Sequence[Reference]) -> list[dict[str, Any]]:
    """Picture, class and source of each."""
    return [
        {
            "id": one.candidate_id,
            "object_id": one.object_id,
            "is_lens": one.is_lens,
            "source": one.source,
            "picture": tile_url(one.catalog, one.cutout_index, one.cutout_sha256, size=_LARGEST_PX),
        }
        for one in references
    ]
