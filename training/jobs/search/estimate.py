"""Estimate of a search's time and disk space, before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from lens_triage.training.settings import SearchSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.ingest.catalog_writer import ROW_BYTES
from lensing_core.processes import available_cores
from lensing_core.store import Database
from lensing_core.store.catalogs import find_catalog
from lensing_core.workspace import Workspace

if TYPE_CHECKING:
    from lens_triage.training.jobs.search.timing import PaintingTime

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
    seconds : float or None
        None where painting could not be timed.
    painting_s : float or None
        Of one galaxy, mean over all sets.
    timed : int
        Galaxies on which that was measured.
    """

    galaxies: int
    objects: int
    seconds: float | None
    bytes: int
    painting_s: float | None = None
    timed: int = 0

    @property
    def sentence(self) -> str:
        """One line for people."""
        room = "less than 0.1" if self.bytes < 1e8 else f"{self.bytes / 1e9:.1f}"
        if self.seconds is None or self.painting_s is None:
            return (
                "None of the inspected objects is a red, extended galaxy to paint on, so the "
                f"time cannot be estimated; {room} GB of disk."
            )
        minutes = max(1, round(self.seconds / 60))
        return (
            f"At most {self.galaxies:,} galaxies to paint and {self.galaxies + self.objects:,} "
            f"cutouts to encode: about {minutes} min on this machine's processor if nothing else "
            f"runs, and {room} GB. Painting was timed on {self.timed} of the galaxies, "
            f"{self.painting_s:.2g} s each; the rest is estimated for two free cores."
        )


def estimate_search(
    workspace: Workspace, database: Database, settings: SearchSettings
) -> SearchEstimate:
    """Estimate the time and disk space of a search; paints a few galaxies to do so.

    Raises
    ------
    NotFoundError
        Without the catalog.
    BadInputError
        If nothing of it can be painted on.
    """
    from lens_triage.training.jobs.search.timing import time_painting  # loads PyTorch

    return estimate_of(
        time_painting(workspace, settings),
        settings,
        objects=_objects(database, settings),
        room=bytes_of_search(workspace, database, settings),
    )


def estimate_of(
    painting: list[PaintingTime], settings: SearchSettings, *, objects: int, room: int
) -> SearchEstimate:
    """Estimate from the time that painting takes in each training set."""
    galaxies = settings.training_sets * min(settings.n_hosts, objects)
    hosts = [one.hosts(settings.n_hosts) for one in painting]
    took = [one.seconds for one in painting if one.seconds is not None]
    if len(took) < len(painting) or not sum(hosts):
        return SearchEstimate(galaxies, objects, None, room)
    painting_s = sum(n * each for n, each in zip(hosts, took, strict=True))
    views = int(settings.views) * (1 if settings.layers == "middle" else 2)
    encoding = ENCODING_S * views * max(0.1, (settings.input_px or 224) / 128) ** 2
    seconds = (
        FIXED_S
        + painting_s
        + encoding * 2 / available_cores() * (sum(hosts) + objects)
        + MEASURING_S * sum(one.measured(settings.n_hosts) for one in painting)
    )
    timed = sum(one.timed for one in painting)
    return SearchEstimate(galaxies, objects, seconds, room, painting_s / sum(hosts), timed)


def bytes_of_search(workspace: Workspace, database: Database, settings: SearchSettings) -> int:
    """Disk space that a search takes at most; raises NotFoundError without the catalog."""
    objects = _objects(database, settings)
    geometry = CutoutStore(workspace.catalog_cutouts(settings.catalog)).geometry
    galaxies = settings.training_sets * min(settings.n_hosts, objects)
    cutout = 4 * prod(geometry.shape)
    return galaxies * (cutout + ROW_BYTES) + (galaxies + 2 * objects) * EMBEDDING_BYTES


def _objects(database: Database, settings: SearchSettings) -> int:
    with database.session() as session:
        return find_catalog(session, settings.catalog).n_candidates
