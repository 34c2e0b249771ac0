"""Stamps of candidates for rows of tables."""

from __future__ import annotations

from collections.abc import Iterable

from lens_triage.app.viewer.tiles import tile_url
from lensing_core.store import Session
from lensing_core.store.candidates import cutout_places

_SIDE_PX = 96  # twice what a row shows, for screens of that density


def stamps(session: Session, candidate_ids: Iterable[int]) -> dict[int, str]:
    """Addresses of the pictures of candidates; ids that do not exist are left out."""
    return {
        key: tile_url(place.catalog, place.cutout_index, place.cutout_sha256, size=_SIDE_PX)
        for key, place in cutout_places(session, candidate_ids).items()
    }
