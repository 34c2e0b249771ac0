"""The frozen evaluation set of a catalog: objects that no retrained head ever sees.

Whole groups (duplicates within 2″, sky blocks) belong to it. The choice is written to
``held_out/reserved/<catalog>.npz`` the first time and stands from then on; labels that come later
fall on either side by where their objects are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lensing_core.arrays import BoolArray, IntArray
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.table import (
    LENS,
    CandidateLabels,
)
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.workspace import Workspace

ONE_IN = 5
"""One group in this many belongs to the frozen set."""


def frozen_set_path(workspace: Workspace, catalog: str) -> Path:
    """Path of the frozen evaluation set of a catalog."""
    return workspace.reserved_set(catalog)


def freeze(
    workspace: Workspace, labels: CandidateLabels, groups: IntArray, seen: BoolArray, seed: int
) -> BoolArray:
    """Mask of the frozen set's candidates, by :func:`choose_frozen_set`; stored permanently."""
    known, frozen = _read(workspace, labels)
    result = choose_frozen_set(workspace, labels, groups, seen, seed)
    if not known.all() or (result != frozen).any():
        _write(workspace, labels, result)
    return result


def choose_frozen_set(
    workspace: Workspace, labels: CandidateLabels, groups: IntArray, seen: BoolArray, seed: int
) -> BoolArray:
    """Mask of the frozen set's candidates, shape (n,); new ones are assigned, not stored.

    Groups with labeled lenses that no base member has seen are dealt evenly: only those can show
    how well something ranks.

    Raises
    ------
    BadInputError
        If labeled lenses stand in too few groups to freeze some and train on the rest.
    """
    known, frozen = _read(workspace, labels)
    names, member = np.unique(groups, return_inverse=True)
    chosen, decided = np.zeros(len(names), dtype=bool), np.zeros(len(names), dtype=bool)
    decided[member[known]] = True
    chosen[member[frozen]] = True  # where catalogs join two groups, the frozen one wins
    useful = (labels.state == LENS) & ~seen
    if not decided.any():
        n_groups = len(np.unique(member[useful]))
        if n_groups < ONE_IN:
            raise BadInputError(
                f"Labeled lenses that the base ensemble has not seen stand in {n_groups} groups "
                f"(duplicates, sky blocks); retraining needs {ONE_IN}, so that some form a "
                f"frozen evaluation set. "
                "Label more lenses, farther apart, or give smaller sky blocks (a larger "
                "block_nside; 0 for none)."
            )
        chosen[member[group_folds(groups, useful, ONE_IN, seed=seed) == 0]] = True
    else:
        new = np.flatnonzero(~decided & ~chosen)
        rng = np.random.default_rng([seed, int(decided.sum())])
        chosen[new] = rng.random(len(new)) < 1 / ONE_IN
    return np.asarray(chosen[member])


def _read(workspace: Workspace, labels: CandidateLabels) -> tuple[BoolArray, BoolArray]:
    """Masks of the candidates that were assigned before, and of those in the frozen set."""
    known, frozen = np.zeros(len(labels), dtype=bool), np.zeros(len(labels), dtype=bool)
    for catalog_id, name in labels.catalogs.items():
        path = frozen_set_path(workspace, name)
        if not path.is_file():
            continue
        with np.load(path, allow_pickle=False) as stored:
            mine = labels.catalog_id == catalog_id
            known[mine] = np.isin(labels.candidate_id[mine], stored["candidate_id"])
            chosen = stored["candidate_id"][stored["reserved"]]
            frozen[mine] = np.isin(labels.candidate_id[mine], chosen)
    return known, frozen


def _write(workspace: Workspace, labels: CandidateLabels, frozen: BoolArray) -> None:
    for catalog_id, name in labels.catalogs.items():
        path = frozen_set_path(workspace, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = labels.catalog_id == catalog_id
        with replacing(path) as beside, beside.open("wb") as stream:
            np.savez(stream, candidate_id=labels.candidate_id[mine], reserved=frozen[mine])
