"""The labeled candidates that look most like one of them, as a network sees them.

Embeddings come from what a member has stored of each catalog; labels are those of
:mod:`lensing_core.datasets`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array, IntArray
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.table import LENS, CandidateLabels
from lensing_core.datasets.uses import USES
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.store import Database, Session
from lensing_core.store.catalogs import all_catalogs
from lensing_core.store.tables import Catalog
from lensing_core.store.votes import votes_fingerprint
from lensing_core.stored_arrays import StoredArray
from lensing_core.workspace import Workspace

MOST_LABELED = 100_000
_FRESH_S = 60.0
_INDEXES = 2
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Neighbor:
    """A labeled candidate and how alike it is."""

    candidate_id: int
    is_lens: bool
    similarity: float


@dataclass(frozen=True)
class LabeledEmbeddings:
    """Embeddings of labeled candidates, ready to be compared.

    Similarity is the cosine of embeddings less the mean of the labeled ones: without that, all
    embeddings of a network lie in one direction and all are alike.

    Attributes
    ----------
    candidate_id : ndarray of shape (n,), int64
    is_lens : ndarray of shape (n,), bool
    vectors : ndarray of shape (n, d), float32
        Of unit length.
    mean : ndarray of shape (d,), float32
    left_out : int
        Labeled candidates beyond :data:`MOST_LABELED`.
    """

    candidate_id: IntArray
    is_lens: BoolArray
    vectors: Float32Array
    mean: Float32Array
    left_out: int = 0

    @classmethod
    def of(
        cls, candidate_id: IntArray, is_lens: BoolArray, embeddings: Float32Array, left_out: int = 0
    ) -> LabeledEmbeddings:
        """Make them from embeddings (n, d)."""
        mean = embeddings.mean(axis=0) if len(embeddings) else np.zeros(embeddings.shape[1], "f4")
        return cls(candidate_id, is_lens, _unit(embeddings - mean), mean, left_out)

    def without(self, rows: BoolArray) -> LabeledEmbeddings:
        """The same without some rows; the mean stays."""
        if not rows.any():
            return self
        kept = ~rows
        return LabeledEmbeddings(
            self.candidate_id[kept], self.is_lens[kept], self.vectors[kept], self.mean
        )

    def nearest(self, embedding: Float32Array, most: int, *, without: int) -> list[Neighbor]:
        """The ``most`` nearest lenses and the ``most`` nearest others, nearest first.

        Parameters
        ----------
        embedding : ndarray of shape (d,)
        without : int
            A candidate that is no neighbor of itself.
        """
        if not len(self.candidate_id):
            return []
        similarity = self.vectors @ _unit((embedding - self.mean)[None])[0]
        similarity[self.candidate_id == without] = -np.inf
        neighbors = []
        for side in (True, False):
            rows = np.flatnonzero((self.is_lens == side) & (similarity > -np.inf))
            if len(rows) > most:
                rows = rows[np.argpartition(-similarity[rows], most)[:most]]
            rows = rows[np.argsort(-similarity[rows], kind="stable")]
            neighbors += [
                Neighbor(int(self.candidate_id[k]), side, float(similarity[k])) for k in rows
            ]
        return neighbors


def _unit(vectors: Float32Array) -> Float32Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def labels_of_look_alikes(session: Session, catalogs: Sequence[Catalog]) -> CandidateLabels:
    """Labeled candidates of catalogs: those graded here first, then imported labels."""
    labels = read_labels(session, catalogs, USES["look-alikes"], grades=GradeRule.current(session))
    return labels.part(np.argsort(~labels.graded, kind="stable"))


class NeighborIndex:
    """Answers for any member and candidate; what was read is kept for a while.

    Parameters
    ----------
    most_labeled : int
        Of more labeled candidates, those graded here and a fixed random part of the imported ones.
    """

    def __init__(
        self, workspace: Workspace, database: Database, *, most_labeled: int = MOST_LABELED
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._most = most_labeled
        self._kept: OrderedDict[str, tuple[float, tuple[object, ...], LabeledEmbeddings]] = (
            OrderedDict()
        )
        self._lock = Lock()

    def embedding(self, model_id: str, catalog: str, row: int) -> Float32Array | None:
        """The stored embedding of a candidate; None where there is none."""
        stored = self._stored(model_id, catalog)
        if stored is None or row >= len(stored):
            return None
        embedding: Float32Array = stored[row]
        return embedding if np.isfinite(embedding).all() else None

    def labeled(self, model_id: str) -> LabeledEmbeddings:
        """All labeled candidates that a member has an embedding of.

        New labels count after a minute at the latest.
        """
        with self._lock:
            read_at, state, embeddings = self._kept.get(model_id, (-np.inf, (), None))
            now = time.monotonic()
            if embeddings is not None and now - read_at < _FRESH_S:
                return embeddings
            with self._database.session() as session:
                catalogs = [
                    c
                    for c in all_catalogs(session)
                    if outputs_path(self._workspace, model_id, c.name, "embedding").is_file()
                ]
                current = self._state(session, model_id, catalogs)
                if embeddings is None or current != state:
                    embeddings = self._read(
                        model_id, catalogs, labels_of_look_alikes(session, catalogs)
                    )
            self._kept[model_id] = (now, current, embeddings)
            self._kept.move_to_end(model_id)
            while len(self._kept) > _INDEXES:
                self._kept.popitem(last=False)
            return embeddings

    def _state(
        self, session: Session, model_id: str, catalogs: Sequence[Catalog]
    ) -> tuple[object, ...]:
        files = [
            (c.id, c.n_candidates, path.stat().st_mtime_ns)
            for c in catalogs
            if (path := outputs_path(self._workspace, model_id, c.name, "embedding")).is_file()
        ]
        return (*votes_fingerprint(session), *files)

    def _stored(self, model_id: str, catalog: str) -> StoredArray | None:
        return stored_output(outputs_path(self._workspace, model_id, catalog, "embedding"))

    def _read(
        self, model_id: str, catalogs: Sequence[Catalog], labels: CandidateLabels
    ) -> LabeledEmbeddings:
        chosen, n_graded = np.arange(len(labels)), int(labels.graded.sum())
        left_out = max(0, len(chosen) - self._most)
        if left_out:
            order = np.random.default_rng(0).permutation(chosen[n_graded:])
            chosen = np.concatenate([chosen[:n_graded], order])[: self._most]
        parts: list[Float32Array] = []
        kept: list[IntArray] = []
        for catalog in catalogs:
            stored = self._stored(model_id, catalog.name)
            mine = chosen[labels.catalog_id[chosen] == catalog.id]
            if stored is None or not len(mine):
                continue
            mine = mine[labels.row[mine] < len(stored)]
            mine = mine[np.argsort(labels.row[mine])]  # the disk is read in order
            for first in range(0, len(mine), _AT_ONCE):
                part = mine[first : first + _AT_ONCE]
                vectors = stored[labels.row[part]]
                finite = np.isfinite(vectors).all(axis=1)
                parts.append(vectors[finite])
                kept.append(part[finite])
        if not parts:
            nobody = np.empty((0, 0), np.float32)  # of no length: no member has stored one
            return LabeledEmbeddings.of(np.empty(0, np.int64), np.empty(0, bool), nobody)
        rows = np.concatenate(kept)
        return LabeledEmbeddings.of(
            labels.candidate_id[rows], labels.state[rows] == LENS, np.concatenate(parts), left_out
        )
