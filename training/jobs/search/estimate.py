"""Estimate of a search's time and disk space, before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from lens_triage.training.settings import SearchSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.ingest.catalog_writer import ROW_BYTES
from lensing_core.processes import available_cores
from lensing_core.store import Database
from lensing_core.store.catalogs import find_catalog
from lensing_core.workspace import Workspace

PAINTING_S = 0.02
"""Of a galaxy of 64 px in three bands, on one core of 2020s machines; measured, see RESULTS."""
ENCODING_S = 0.015
"""Of a cutout, one view and the middle layer, over all cores of a machine with two."""
MEASURING_S = 0.001
FIXED_S = 60.0
"""Start, the committee, its metrics, and ranking."""
EMBEDDING_BYTES = 8 + 4 * 2560


@dataclass(frozen=True)
class SearchEstimate:
    """Time and disk space of a search.

    Attributes
    ----------
    galaxies : int
        Painted in all sets, at most.
    objects : int
        Of the catalog.
    """

    galaxies: int
    objects: int
    seconds: float
    bytes: int

    @property
    def sentence(self) -> str:
        """One line for people."""
        minutes = max(1, round(self.seconds / 60))
        room = "less than 0.1" if self.bytes < 1e8 else f"{self.bytes / 1e9:.1f}"
        return (
            f"At most {self.galaxies:,} galaxies to paint and {self.galaxies + self.objects:,} "
            f"cutouts to encode: about {minutes} min on this machine's processor if nothing else "
            f"runs, and {room} GB."
        )


def estimate_search(
    workspace: Workspace, database: Database, settings: SearchSettings
) -> SearchEstimate:
    """Estimate the time and disk space of a search; raises NotFoundError without a catalog."""
    with database.session() as session:
        objects = find_catalog(session, settings.catalog).n_candidates
    geometry = CutoutStore(workspace.catalog_cutouts(settings.catalog)).geometry
    galaxies = settings.training_sets * min(settings.n_hosts, objects)
    views = int(settings.views) * (1 if settings.layers == "middle" else 2)
    encoding = ENCODING_S * views * max(0.1, (settings.input_px or 224) / 128) ** 2
    painting = PAINTING_S * (geometry.size_px / 64) ** 2
    seconds = (
        FIXED_S
        + painting * galaxies
        + encoding * 2 / available_cores() * (galaxies + objects)
        + MEASURING_S * settings.training_sets * min(objects, 6 * settings.n_hosts)
    )
    cutout = 4 * prod(geometry.shape)
    disk_bytes = galaxies * (cutout + ROW_BYTES) + (galaxies + 2 * objects) * EMBEDDING_BYTES
    return SearchEstimate(galaxies, objects, seconds, disk_bytes)
