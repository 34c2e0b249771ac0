"""Putting a catalog into a workspace: pixels and database rows move forward together.

Each step writes one shard, then commits its rows in one transaction. A process killed between the
two leaves a shard that no row speaks of; the next :class:`CatalogWriter` removes it and goes on
from the last committed source row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import astropy.units as u
import numpy as np
from astropy_healpix import HEALPix

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry, CutoutWriter, cutout_sha256
from lensing_core.disk import require_space
from lensing_core.errors import BadInputError
from lensing_core.ingest.proxies import theta_e_proxies
from lensing_core.store import Session, open_database
from lensing_core.store.candidates import ids_of_objects
from lensing_core.store.catalog_rows import (
    add_catalog,
    count_quarantined,
    insert_candidates,
    insert_quarantine,
    survey_row,
)
from lensing_core.store.catalogs import catalog_named, get_catalog
from lensing_core.store.tables import Catalog
from lensing_core.workspace import Workspace, check_slug

_HEALPIX = HEALPix(nside=64, order="nested")


@dataclass(frozen=True)
class CatalogSpec:
    """Description of a catalog before its first row. Fields as in the ``catalog`` table."""

    name: str
    geometry: CutoutGeometry
    survey_definition: Mapping[str, Any]
    scale: str = "galaxy"
    origin: str = "observed"
    label_source: str | None = None
    label_confidence: float = 1.0
    label_policy: str = "all"
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewCandidate:
    """A row to be written, with its cutout at the same place of the array beside it.

    ``observation`` takes columns of the ``observation`` table by name.
    """

    object_id: str
    ra_deg: float | None = None
    dec_deg: float | None = None
    label: int | None = None
    label_source: str | None = None
    label_confidence: float | None = None
    label_policy: str | None = None
    magnitude: float | None = None
    observation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """A source row that cannot be ingested. Fields as in the ``quarantine`` table."""

    row_number: int
    reason: str
    message: str
    object_id: str | None = None
    source: str | None = None


ROW_BYTES = 4096
"""Of the database, for a candidate with its observation and indices: an upper bound of most."""


def require_space_for(
    workspace: Workspace, catalog: str, rows: int, bytes_per_cutout: int, *, scratch: int = 0
) -> None:
    """Raise StorageError where the disk has no room for what is left of a catalog's rows.

    Parameters
    ----------
    rows : int
        In all, those that are written already included.
    bytes_per_cutout : int
        With variance and PSF where they are stored.
    scratch : int
        Bytes of files that are needed while it is made.
    """
    with open_database(workspace).session() as session:
        begun = catalog_named(session, catalog)
    left = max(0, rows - (begun.rows_read if begun else 0))
    if left:
        needed = left * (bytes_per_cutout + ROW_BYTES) + scratch
        require_space(workspace.root, needed, f"Catalog {catalog} ({left:,} objects)")


class CatalogWriter:
    """Appends to one catalog of a workspace.

    Parameters
    ----------
    workspace : Workspace
    spec : CatalogSpec
        For a catalog that exists, its geometry must agree with the stored one.

    Attributes
    ----------
    rows_read : int
        Source rows already done (written or quarantined); where to go on.
    complete : bool
        Whether the catalog was finished before.
    notes : dict
        The catalog's notes as they stood when it was opened.
    cutouts : CutoutWriter
        Writes the shards.
    next_shard : int
        Number of the shard to come.
    rows_per_shard : int
        The best number of rows for one :meth:`append`.
    n_written : int
        Candidates written so far, those of earlier attempts included.
    """

    def __init__(self, workspace: Workspace, spec: CatalogSpec) -> None:
        check_slug(spec.name, what="Catalog")
        self._database = open_database(workspace)
        self.cutouts = CutoutWriter(workspace.catalog_cutouts(spec.name), spec.geometry)
        with self._database.session() as session:
            catalog = catalog_named(session, spec.name)
            if catalog is None:
                catalog = self._new_catalog(session, spec)
            self.catalog_id = catalog.id
            self.rows_read = catalog.rows_read
            self.complete = catalog.complete
            self.notes = dict(catalog.notes)
            self.n_written = catalog.n_candidates
            self.next_shard = int(catalog.notes.get("shards", 0))
        self.cutouts.drop_from(self.next_shard)

    @staticmethod
    def _new_catalog(session: Session, spec: CatalogSpec) -> Catalog:
        geometry = spec.geometry
        survey = survey_row(session, geometry.survey, spec.survey_definition)
        catalog = Catalog(
            name=spec.name,
            survey=survey,
            scale=spec.scale,
            origin=spec.origin,
            bands=list(geometry.bands),
            size_px=geometry.size_px,
            pixel_scale_arcsec=geometry.pixel_scale_arcsec,
            pixel_kind=geometry.pixel_kind,
            label_source=spec.label_source,
            label_confidence=spec.label_confidence,
            label_policy=spec.label_policy,
            notes=dict(spec.notes),
        )
        return add_catalog(session, catalog)

    @property
    def rows_per_shard(self) -> int:
        return self.cutouts.rows_per_shard

    def known_object_ids(self, object_ids: Sequence[str]) -> set[str]:
        """Those of ``object_ids`` that the catalog has already."""
        with self._database.session() as session:
            return set(ids_of_objects(session, object_ids, [self.catalog_id]))

    def append(
        self,
        flux: Float32Array,
        rows: Sequence[NewCandidate],
        *,
        rows_read: int,
        rejected: Sequence[Rejected] = (),
        variance: Float32Array | None = None,
        psf: Float32Array | None = None,
    ) -> None:
        """Write one shard and its rows; ``rows_read`` is the count of source rows now done.

        Parameters
        ----------
        flux : ndarray of shape (len(rows), band, y, x), float32
            May be empty when every row was rejected.
        """
        if len(flux) != len(rows):
            raise BadInputError(f"{len(flux)} cutouts for {len(rows)} rows.")
        if len(rows):
            self.cutouts.write_shard(self.next_shard, flux, variance=variance, psf=psf)
        self.record(
            rows,
            [cutout_sha256(cutout) for cutout in flux],
            rows_read=rows_read,
            rejected=rejected,
            has_variance=variance is not None,
        )

    def record(
        self,
        rows: Sequence[NewCandidate],
        sha256: Sequence[str],
        *,
        rows_read: int,
        rejected: Sequence[Rejected] = (),
        has_variance: bool = False,
        notes: Mapping[str, Any] | None = None,
    ) -> None:
        """Put rows into the database whose pixels stand in shard :attr:`next_shard` already.

        Parameters
        ----------
        sha256 : sequence of str
            Of the cutouts.
        notes : dict, optional
            Replace notes of these names, together with the rows.
        """
        healpix = _healpix(rows)
        shards = self.next_shard + bool(len(rows))
        with self._database.session() as session:
            self._insert_rows(session, rows, healpix, sha256, has_variance=has_variance)
            insert_quarantine(session, self.catalog_id, [vars(bad) for bad in rejected])
            catalog = get_catalog(session, self.catalog_id)
            catalog.rows_read = rows_read
            catalog.n_candidates += len(rows)
            catalog.n_quarantined += len(rejected)
            self.notes |= {**(notes or {}), "shards": shards}
            catalog.notes = dict(self.notes)
        self.next_shard = shards
        self.n_written += len(rows)
        self.rows_read = rows_read

    def _insert_rows(
        self,
        session: Session,
        rows: Sequence[NewCandidate],
        healpix: Sequence[int | None],
        digests: Sequence[str],
        *,
        has_variance: bool,
    ) -> None:
        """Insert candidates and their observations, each table in one statement."""
        if not rows:
            return
        proxies = theta_e_proxies([row.observation for row in rows])
        candidates = [
            {
                **{name: value for name, value in vars(row).items() if name != "observation"},
                "cutout_index": self.n_written + k,
                "cutout_sha256": digests[k],
                "healpix": healpix[k],
                "theta_e_proxy_arcsec": proxies[k] if np.isfinite(proxies[k]) else None,
            }
            for k, row in enumerate(rows)
        ]
        observations = [{"variance_available": has_variance, **row.observation} for row in rows]
        insert_candidates(session, self.catalog_id, candidates, observations)

    def finish(self, **notes: Any) -> None:
        """Mark the catalog complete; ``notes`` are added to its notes."""
        with self._database.session() as session:
            catalog = get_catalog(session, self.catalog_id)
            catalog.complete = True
            catalog.notes = {**catalog.notes, **notes}
            catalog.n_quarantined = count_quarantined(session, self.catalog_id)
        self.complete = True


def _healpix(rows: Sequence[NewCandidate]) -> list[int | None]:
    placed = [k for k, row in enumerate(rows) if row.ra_deg is not None and row.dec_deg is not None]
    pixels: list[int | None] = [None] * len(rows)
    if placed:
        found = _HEALPIX.lonlat_to_healpix(
            [rows[k].ra_deg for k in placed] * u.deg, [rows[k].dec_deg for k in placed] * u.deg
        )
        for k, pixel in zip(placed, np.atleast_1d(found), strict=True):
            pixels[k] = int(pixel)
    return pixels
