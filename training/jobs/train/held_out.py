"""Scores of the objects that nothing of an ensemble was fitted on, kept for comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError, BrokenModelError, NotFoundError
from lensing_core.metrics import Difference, compare_rankings
from lensing_core.workspace import Workspace, check_slug

FEW = 10


@dataclass(frozen=True)
class HeldOut:
    """Scores of n held-out objects.

    Attributes
    ----------
    candidate_id, label : ndarray of shape (n,), int64
    logit : ndarray of shape (n,), float64
    """

    candidate_id: IntArray
    label: IntArray
    logit: Float64Array

    def write(self, workspace: Workspace, ensemble: str) -> None:
        """Keep in the workspace."""
        path = _path(workspace, ensemble)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside, beside.open("wb") as stream:
            np.savez(stream, candidate_id=self.candidate_id, label=self.label, logit=self.logit)

    @staticmethod
    def exists(workspace: Workspace, ensemble: str) -> bool:
        """Return whether the ensemble was trained in this workspace."""
        return _path(workspace, ensemble).is_file()

    @staticmethod
    def written_at(workspace: Workspace, ensemble: str) -> float:
        """Time of writing, in seconds of the file system's clock."""
        return _path(workspace, ensemble).stat().st_mtime

    def part(self, rows: IntArray) -> HeldOut:
        """Some of its objects."""
        return HeldOut(self.candidate_id[rows], self.label[rows], self.logit[rows])

    @classmethod
    def read(cls, workspace: Workspace, ensemble: str) -> HeldOut:
        """Raises NotFoundError where there are none, BrokenModelError where they are damaged."""
        path = _path(workspace, ensemble)
        try:
            with np.load(path, allow_pickle=False) as stored:
                return cls(stored["candidate_id"], stored["label"], stored["logit"])._checked()
        except FileNotFoundError:
            raise NotFoundError(
                f"Ensemble {ensemble} was not trained in this workspace: it has no test "
                "objects here to compare on."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise BrokenModelError(
                f"The scores of the test split of ensemble {ensemble} cannot be read: "
                f"{path} is damaged; restore it from a backup, or remove it to see the metrics of "
                "the manifest alone."
            ) from error

    def _checked(self) -> HeldOut:
        """Itself; raises ValueError where its columns do not fit together."""
        columns = (self.candidate_id, self.label, self.logit)
        if any(
            c.ndim != 1 or len(c) != len(self.label) or c.dtype.kind not in "if" for c in columns
        ):
            raise ValueError("columns of other shapes or types")
        return self


def _path(workspace: Workspace, ensemble: str) -> Path:
    return workspace.held_out / f"{check_slug(ensemble, what='Ensemble')}.npz"


@dataclass(frozen=True)
class Comparison:
    """The second ensemble against the first, on objects that neither was fitted on."""

    n_lenses: int
    n_others: int
    differences: dict[str, Difference]


def compare_ensembles(workspace: Workspace, first: str, second: str) -> Comparison:
    """Paired comparison on the held-out objects that both ensembles share.

    Raises
    ------
    NotFoundError
        If an ensemble has no held-out objects.
    BadInputError
        If they share too few.
    """
    a, b = HeldOut.read(workspace, first), HeldOut.read(workspace, second)
    _, where_a, where_b = np.intersect1d(a.candidate_id, b.candidate_id, return_indices=True)
    labels = a.label[where_a]
    n_lenses = int((labels == 1).sum())
    if min(n_lenses, len(labels) - n_lenses) < FEW:
        raise BadInputError(
            f"{first} and {second} share {n_lenses} test lenses and {len(labels) - n_lenses} "
            "non-lenses, too few to compare; train both on the same catalogs with the same seed."
        )
    differences = compare_rankings(a.logit[where_a], b.logit[where_b], labels)
    return Comparison(n_lenses, len(labels) - n_lenses, differences)
