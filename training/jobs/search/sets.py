"""The training sets of a search: who stands in them, with which weight, and on which side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.retrain.frozen_set import frozen_set_path
from lensing_core.arrays import BoolArray, IntArray
from lensing_core.crossmatch.lenscat import read_lenscat
from lensing_core.crossmatch.matching import Positions, Status, crossmatch
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.groups import BLOCK_NSIDE, host_name, object_groups
from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.splits import fold_of_groups, split_groups
from lensing_core.datasets.table import CandidateLabels
from lensing_core.datasets.uses import LENS, UNLABELED, USES
from lensing_core.errors import BadInputError
from lensing_core.store import Session
from lensing_core.store.catalogs import find_catalogs
from lensing_core.workspace import Workspace

SPLITS = {"train": 0.7, "calibration": 0.15, "test": 0.15}
FEWEST_GROUPS = 40
"""Below it sky blocks would leave too few groups to divide: duplicates alone stay together."""
HALVES = 2


@dataclass(frozen=True)
class SearchData:
    """All objects of a search: those of the catalog first, then painted ones, set by set.

    Attributes
    ----------
    labels : CandidateLabels
        Of the catalog and the sets.
    set_number : ndarray of shape (n,)
        0 for the catalog's own objects, k for those of the k-th training set.
    parent : ndarray of shape (n,)
        Place of the galaxy that arcs were painted around; of the catalog's objects their own.
    group : ndarray of shape (n,)
        Objects that stay on one side of every split: duplicates, sky blocks, hosts and their arcs.
    split : ndarray of shape (n,), of str
        'train', 'calibration', 'test', or 'reserved' for those held out from every training.
    half : ndarray of shape (n,)
        Which of :data:`HALVES` parts of the groups.
    known : ndarray of shape (n,), bool
        Near a lens of the literature.
    with_blocks : bool
        Whether groups hold whole sky blocks.
    """

    labels: CandidateLabels
    set_number: IntArray
    parent: IntArray
    group: IntArray
    split: NDArray[np.str_]
    half: IntArray
    known: BoolArray
    with_blocks: bool

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def painted(self) -> BoolArray:
        """Objects with painted arcs."""
        return self.set_number > 0

    @property
    def unlabeled(self) -> BoolArray:
        """Objects of the catalog of which nothing is known."""
        return ~self.painted & (self.labels.state == UNLABELED) & ~self.known

    def of_split(self, name: str) -> tuple[IntArray, IntArray]:
        """Painted and unlabeled objects of a split, with labels 1 and 0."""
        rows = np.flatnonzero((self.split == name) & (self.painted | self.unlabeled))
        return rows, self.painted[rows].astype(np.int64)


def gather(
    session: Session,
    workspace: Workspace,
    catalog: str,
    sets: Sequence[str],
    *,
    seed: int,
    known_radius_arcsec: float,
) -> SearchData:
    """All objects with labels, grades, groups and splits.

    Raises
    ------
    BadInputError
        If a split would lack lenses or others.
    """
    catalogs = find_catalogs(session, [catalog, *sets])
    grades = GradeRule.current(session)
    labels = read_labels(session, catalogs, USES["retrain"], grades=grades)
    order = {found.id: k for k, found in enumerate(catalogs)}
    number = np.array([order[k] for k in labels.catalog_id.tolist()], dtype=np.int64)
    parent = _parents(labels, number)
    keys = [parent.tolist()]

    def grouped(nside: int | None) -> IntArray:
        ra, dec = labels.ra_deg, labels.dec_deg
        return object_groups(len(labels), keys=keys, block_nside=nside, ra_deg=ra, dec_deg=dec)

    group = grouped(BLOCK_NSIDE)
    with_blocks = len(np.unique(group)) >= FEWEST_GROUPS
    if not with_blocks:
        group = grouped(None)
    split = np.full(len(labels), "test", dtype="U12")
    for name, rows in split_groups(group, SPLITS, seed=seed).items():
        split[rows] = name
    split[np.isin(group, group[_reserved(workspace, catalog, labels)])] = "reserved"
    data = SearchData(
        labels,
        number,
        parent,
        group,
        split,
        fold_of_groups(group, HALVES, seed=seed),
        _near_known(labels, known_radius_arcsec),
        with_blocks,
    )
    _check_splits(data)
    return data


def known_ids(
    session: Session, catalog: str, known_radius_arcsec: float, workspace: Workspace
) -> IntArray:
    """Ids of candidates that are not to be painted on: known lenses and reserved objects."""
    labels = read_labels(
        session,
        find_catalogs(session, [catalog]),
        USES["retrain"],
        grades=GradeRule.current(session),
    )
    barred = (labels.state == LENS) | _near_known(labels, known_radius_arcsec)
    barred[_reserved(workspace, catalog, labels)] = True
    return labels.candidate_id[barred]


def _parents(labels: CandidateLabels, number: IntArray) -> IntArray:
    own = np.flatnonzero(number == 0)
    place = {labels.object_id[k]: k for k in own.tolist()}
    parents = np.arange(len(labels))
    for k in np.flatnonzero(number > 0).tolist():
        parents[k] = place[host_name(labels.object_id[k])]
    return parents


def _reserved(workspace: Workspace, catalog: str, labels: CandidateLabels) -> IntArray:
    """Places of the objects that retraining holds out for good."""
    path = frozen_set_path(workspace, catalog)
    if not path.is_file():
        return np.empty(0, dtype=np.int64)
    with np.load(path, allow_pickle=False) as stored:
        held = stored["candidate_id"][stored["reserved"]]
    return np.flatnonzero(np.isin(labels.candidate_id, held))


def _near_known(labels: CandidateLabels, radius_arcsec: float) -> BoolArray:
    """Return whether a confident lens of lenscat lies within the radius; shape (n,)."""
    if not radius_arcsec:
        return np.zeros(len(labels), dtype=bool)
    lenses = read_lenscat("confident")
    matches = crossmatch(
        Positions.of(labels.ra_deg, labels.dec_deg, np.nan),
        Positions.of(lenses.ra_deg, lenses.dec_deg, np.nan),
        radius_arcsec,
    )
    return np.isin(matches.source_status, [Status.MATCHED, Status.REVIEW])


def _check_splits(data: SearchData) -> None:
    for name in SPLITS:
        _, label = data.of_split(name)
        lenses = int(label.sum())
        if lenses < 2 or len(label) - lenses < 2:
            raise BadInputError(
                f"The {name} part of the catalog holds {lenses} painted and {len(label) - lenses} "
                "unlabeled objects, too few; use a larger catalog, more hosts, or hosts = all."
            )


def member_rows(
    data: SearchData, set_number: int, half: int, *, n_negatives: int, seed: int
) -> tuple[IntArray, IntArray]:
    """Painted objects of a set in a half of the training groups, and the non-lenses beside them.

    The latter are the hosts of these arcs without them, each as often as it stands there with
    arcs, and unlabeled objects of all types drawn by chance, others for each set.
    """
    inside = (data.split == "train") & (data.half == half)
    painted = np.flatnonzero(inside & (data.set_number == set_number))
    hosts = data.parent[painted]
    rest = np.setdiff1d(np.flatnonzero(inside & data.unlabeled), hosts)
    rng = np.random.default_rng([seed, set_number, half])
    drawn = rng.choice(rest, min(n_negatives // HALVES, len(rest)), replace=False)
    return painted, np.concatenate([hosts, np.sort(drawn)])
