"""The labeled cutouts of a training run, and how they are divided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array, IntArray
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.datasets.labels import labels_to_train
from lensing_core.datasets.splits import fold_of_groups, split_groups
from lensing_core.datasets.table import TrainingLabels
from lensing_core.errors import BadInputError
from lensing_core.models.contract import InputContract, flux_scale
from lensing_core.store import open_database
from lensing_core.store.catalogs import catalogs_by_id
from lensing_core.store.metadata import fetch_metadata
from lensing_core.workspace import Workspace

SPLITS = {"train": 0.6, "validation": 0.1, "calibration": 0.15, "test": 0.15}


@dataclass(frozen=True)
class TrainingData:
    """Labeled objects of catalogs that share one geometry, read from their shards on demand."""

    labels: TrainingLabels
    stores: dict[int, CutoutStore]
    geometry: CutoutGeometry
    workspace: Workspace

    @classmethod
    def open(cls, workspace: Workspace, catalogs: list[str]) -> TrainingData:
        """Choose the labels that may be used, and open the cutouts.

        Raises
        ------
        ContractError
            If the catalogs do not share bands, size and pixel scale.
        """
        with open_database(workspace).session() as session:
            labels = TrainingLabels.of(labels_to_train(session, catalogs))
        stores = {
            catalog_id: CutoutStore(workspace.catalog_cutouts(name))
            for catalog_id, name in labels.catalogs.items()
        }
        first = next(iter(stores.values())).geometry
        contract = InputContract.of(first)
        for catalog_id, store in stores.items():
            contract.fit(store.geometry, labels.catalogs[catalog_id])
        return cls(labels, stores, first, workspace)

    def __len__(self) -> int:
        return len(self.labels)

    def flux(self, indices: IntArray) -> Float32Array:
        """Cutouts at AB zero point 25 (or as rendered), (n, band, y, x), in the order asked for."""
        out = np.empty((len(indices), *self.geometry.shape), dtype=np.float32)
        contract = InputContract.of(self.geometry)
        for catalog_id, store in self.stores.items():
            mine = np.flatnonzero(self.labels.catalog_id[indices] == catalog_id)
            if len(mine):
                selection = contract.fit(store.geometry, self.labels.catalogs[catalog_id])
                raw = store.read_many(self.labels.cutout_index[indices[mine]])
                factors = flux_scale(selection.geometry)[:, None, None]
                out[mine] = selection(raw) * factors
        return out

    @cached_property
    def metadata(self) -> dict[str, list[Any]]:
        """Return what is known of all objects beside their pixels, by name; read when first asked
        for.
        """
        with open_database(self.workspace).session() as session:
            return fetch_metadata(session, self.labels.candidate_id.tolist())

    @cached_property
    def origins(self) -> dict[str, str]:
        """'observed' or 'simulated', of each catalog by name."""
        with open_database(self.workspace).session() as session:
            catalogs = catalogs_by_id(session, self.labels.catalogs)
        return {catalog.name: catalog.origin for catalog in catalogs.values()}

    @cached_property
    def scale(self) -> str:
        """'galaxy' or 'cluster': the scale of the lenses, one for all catalogs."""
        with open_database(self.workspace).session() as session:
            return next(iter(catalogs_by_id(session, self.labels.catalogs).values())).scale

    def metadata_of(self, indices: IntArray, names: Sequence[str]) -> dict[str, list[Any]]:
        """:attr:`metadata` of some objects."""
        return {name: [self.metadata[name][k] for k in indices] for name in names}

    def native_factors(self) -> Float32Array:
        """Factors (band, 1, 1) from what :meth:`flux` gives to the unit of :attr:`geometry`."""
        return (1 / flux_scale(self.geometry)[:, None, None]).astype(np.float32)

    def native_flux(self, indices: IntArray) -> Float32Array:
        """Cutouts in the unit of :attr:`geometry`: features apply its zero points themselves."""
        return np.asarray(self.flux(indices) * self.native_factors(), dtype=np.float32)

    def batches(self, indices: IntArray, size: int) -> Iterator[IntArray]:
        """The indices in parts."""
        for first in range(0, len(indices), size):
            yield indices[first : first + size]

    def sha256(self) -> str:
        """Digest of which objects with which labels were used."""
        digest = hashlib.sha256()
        for name in ("candidate_id", "cutout_index", "label"):
            digest.update(np.ascontiguousarray(getattr(self.labels, name)).tobytes())
        if self.labels.weight is not None:
            digest.update(np.ascontiguousarray(self.labels.weight).tobytes())
        for catalog_id in sorted(self.stores):
            for path in sorted(self.stores[catalog_id].folder.glob("shard-*.json")):
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def fold(self, indices: IntArray, k: int, n: int, seed: int) -> tuple[IntArray, IntArray]:
        """Those of ``indices`` outside and inside the ``k``-th of ``n`` parts of whole groups."""
        inside = fold_of_groups(self.labels.group[indices], n, seed=seed) == k % n
        return indices[~inside], indices[inside]

    def split(self, seed: int) -> dict[str, IntArray]:
        """Indices of each split of :data:`SPLITS`, of whole groups.

        A group is a block of the sky with all its duplicates, see
        :meth:`~lensing_core.datasets.table.CandidateLabels.groups`; an object without a position is
        its own, unless another catalog has one of its name.

        Raises
        ------
        BadInputError
            If a split would lack lenses or non-lenses.
        """
        splits = split_groups(self.labels.group, SPLITS, seed=seed)
        for name, indices in splits.items():
            lenses = int((self.labels.label[indices] == 1).sum())
            if lenses < 2 or len(indices) - lenses < 2:
                raise BadInputError(
                    f"The {name} split would have {lenses} lenses and {len(indices) - lenses} "
                    "non-lenses; label more objects, spread over more of the sky."
                )
        return splits
