"""An open workspace in the hands of a program: candidates, cutouts, scores, grades and heads.

The few lines that most notebooks and scripts begin with. What they do goes through the same
functions as on the pages: rankings, the constructor of label events, the rules of what is labeled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array, IntArray
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.table import LENS, UNLABELED, CandidateLabels
from lensing_core.datasets.uses import USES
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.labeling.reviewing import record_in_review
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.pu import PUModel, pu_method
from lensing_core.store import Database, open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import default_ensemble, network_members
from lensing_core.store.export_rows import export_rows
from lensing_core.store.graders import named_grader
from lensing_core.store.ranking import RankingQuery
from lensing_core.workspace import Workspace

if TYPE_CHECKING:
    from lensing_core.export import ExportRow
    from lensing_core.scoring import ArrayScores  # loads torch: imported when something is scored


@dataclass(frozen=True)
class FittedHead:
    """A head that was fitted on the embeddings of one catalog.

    Attributes
    ----------
    model : PUModel
        ``model.decision(embedding)`` gives log-odds at the class prior of the unlabeled.
    member : str
        Id of the network whose embeddings they are.
    labels : CandidateLabels
        Candidates of the catalog that have an embedding.
    embedding : ndarray of shape (n, d), float32
        In the same order.
    """

    model: PUModel
    member: str
    labels: CandidateLabels
    embedding: Float32Array

    @property
    def is_lens(self) -> BoolArray:
        """Return for each candidate whether it was a labeled lens."""
        return np.asarray(self.labels.state == LENS)

    def best(self, n: int = 20) -> IntArray:
        """Ids of the ``n`` unlabeled candidates with the highest log-odds, the best first."""
        unlabeled = np.flatnonzero(self.labels.state == UNLABELED)
        order = np.argsort(-self.model.decision(self.embedding[unlabeled]), kind="stable")
        return np.asarray(self.labels.candidate_id[unlabeled[order[:n]]])


class OpenWorkspace:
    """A workspace with its database.

    Attributes
    ----------
    workspace : Workspace
    database : Database

    Examples
    --------
    >>> search = OpenWorkspace.open("my-workspace")  # doctest: +SKIP
    >>> for row in search.candidates("default-ps1", limit=10):  # doctest: +SKIP
    ...     print(row["object_id"], row["probability"])
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.database: Database = open_database(workspace)

    @classmethod
    def open(cls, root: str | Path) -> OpenWorkspace:
        """Open the workspace of a folder; raises WorkspaceError where there is none."""
        return cls(Workspace.open(root))

    def candidates(
        self,
        ensemble: str = "",
        *,
        catalogs: Sequence[str] = (),
        limit: int | None = None,
        **query: Any,
    ) -> Iterator[ExportRow]:
        """Iterate over candidates in the order of an ensemble's scores, or another.

        Pages are read as they are needed, so that a catalog of any size goes through.

        Parameters
        ----------
        ensemble : str, optional
            The one that pages take by default if not given.
        catalogs : sequence of str, optional
            Names; all catalogs if not given.
        limit : int, optional
            Most candidates.
        **query
            Further fields of :class:`~lensing_core.store.ranking.RankingQuery`, as ``sort``,
            ``descending``, ``probability_min``, ``tags``, ``cone``.

        Yields
        ------
        ExportRow
            Values by the names of :data:`lensing_core.export.COLUMNS`, None where unknown.

        Raises
        ------
        NotFoundError
            If there is no such ensemble or catalog.
        """
        with self.database.session() as session:
            chosen = default_ensemble(session, ensemble, catalog=catalogs[0] if catalogs else "")
            ids = tuple(find_catalog(session, name).id for name in catalogs)
            asked = RankingQuery(ensemble_id=chosen.id, catalog_ids=ids, **query)
        yield from export_rows(self.database, asked, limit=limit)

    def geometry(self, catalog: str) -> CutoutGeometry:
        """Bands, size, pixel scale and calibration of a catalog's cutouts."""
        return CutoutStore(self.workspace.catalog_cutouts(catalog)).geometry

    def cutouts(self, catalog: str, indices: Sequence[int]) -> Float32Array:
        """Cutouts (n, band, y, x) of a catalog by their indices, NaN where there is no data."""
        return CutoutStore(self.workspace.catalog_cutouts(catalog)).read_many(indices)

    def score(
        self, flux: Float32Array, geometry: CutoutGeometry, ensemble: str = ""
    ) -> ArrayScores:
        """Score cutouts (n, band, y, x) that need stand in no catalog; nothing is stored.

        Raises
        ------
        BadInputError, ContractError, BrokenModelError
            As :class:`~lensing_core.scoring.ArrayScorer`.
        """
        from lensing_core.scoring import open_scorer

        with self.database.session() as session:
            scorer = open_scorer(self.workspace, default_ensemble(session, ensemble))
        return scorer(flux, geometry)

    def add_label(
        self, candidate: int, grade: str, *, grader: str, comment: str = "", uuid: str = ""
    ) -> str:
        """Add a grade to the log, as Review does; returns the UUID of its event.

        Parameters
        ----------
        candidate : int
            Its id: ``row["candidate"]``.
        grade : str
            Of Review's scheme: A, B, C or X.
        grader : str
            Name of a grader of the workspace.
        uuid : str, optional
            Makes a repeated call harmless; a new one if not given.

        Raises
        ------
        BadInputError
            If the event makes no sense.
        NotFoundError
            If there is no such candidate or grader.
        """
        event = {
            "uuid": uuid or str(uuid4()),
            "kind": "grade",
            "candidate": candidate,
            "grade": grade,
            "comment": comment,
            "given_at": datetime.now(UTC),
        }
        with self.database.session() as session:
            person = named_grader(session, grader)
            (outcome,) = record_in_review(session, person.id, [event], source="api")
        if outcome.refused:
            raise BadInputError(outcome.refused)
        return outcome.uuid

    def fit_head(
        self,
        catalog: str,
        *,
        prior: float,
        ensemble: str = "",
        method: str = "nnpu",
        seed: int = 0,
        **options: Any,
    ) -> FittedHead:
        """Fit a head on stored embeddings: labeled lenses against all other candidates.

        Labels are those of Retrain: grades given here before imported labels.

        Parameters
        ----------
        prior : float
            Share of lenses among the unlabeled.
        ensemble : str, optional
            Whose first network's embeddings are used.
        method, **options
            As of :func:`lensing_core.pu.pu_method`.

        Raises
        ------
        NotFoundError
            If no network of the ensemble has stored embeddings of the catalog.
        BadInputError
            If there are too few labeled lenses.
        """
        with self.database.session() as session:
            found = find_catalog(session, catalog)
            chosen = default_ensemble(session, ensemble, catalog=catalog)
            name, networks = chosen.name, network_members(chosen)
            rule = GradeRule.current(session)
            labels = read_labels(session, [found], USES["retrain"], grades=rule)
        for member in networks:
            stored = stored_output(outputs_path(self.workspace, member, catalog, "embedding"))
            if stored is None:
                continue
            labels = labels.part(np.flatnonzero(labels.row < len(stored)))
            embedding = stored[labels.row]
            known = np.flatnonzero(np.isfinite(embedding).all(axis=1))
            labels, embedding = labels.part(known), embedding[known]
            fit = pu_method(method, prior=prior, seed=seed, **options)
            model = fit.fit(embedding, (labels.state == LENS).astype(np.int64), labels.groups())
            return FittedHead(model, member, labels, embedding)
        raise NotFoundError(
            f"No network of ensemble {name} has stored embeddings of catalog {catalog}; score the "
            "catalog with it first."
        )
