"""A member that needs no pixels: a PU model on what other members computed of a cutout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.models.contract import InputContract
from lensing_core.models.manifest import HEAD
from lensing_core.models.member import Member, MemberOutput, Metadata, Predictor
from lensing_core.pu import PUModel


@dataclass(frozen=True)
class HeadInput:
    """Columns that a head takes: an output of one base member.

    Attributes
    ----------
    model : str
        Id of the base member.
    what : {'embedding', 'features'}
    columns : int
    """

    model: str
    what: Literal["embedding", "features"]
    columns: int


def gather_inputs(
    inputs: tuple[HeadInput, ...], outputs: Mapping[str, MemberOutput]
) -> Float32Array:
    """The columns (n, Σ columns) from outputs by model id.

    Infinite features become NaN, unknown; trees and standardizers take NaN.

    Raises
    ------
    ContractError
        If a base member's output has another number of columns, or none of that kind.
    """
    parts = []
    for wanted in inputs:
        values = getattr(outputs[wanted.model], wanted.what)
        columns = 0 if values is None else values.shape[1]
        if columns != wanted.columns:
            raise ContractError(
                f"A head takes {wanted.columns} columns of {wanted.what} from model "
                f"{wanted.model}, which gave {columns}; train the head again."
            )
        parts.append(values)
    table = np.concatenate(parts, axis=1)
    table[np.isinf(table)] = np.nan
    return table


@dataclass(frozen=True)
class HeadMember:
    """A PU model with where its columns come from.

    Attributes
    ----------
    inputs : tuple of HeadInput
    model : PUModel
    shift : float
        Added to the model's log-odds, for the unlabeled objects that were left out of its training.
    bases : mapping of str to Member
        The members of :attr:`inputs`, for :meth:`predictor`; an ensemble that holds them calls
        :meth:`from_outputs` instead, so that nothing is computed twice.
    """

    inputs: tuple[HeadInput, ...]
    model: PUModel
    shift: float
    bases: Mapping[str, Member]

    @property
    def base_ids(self) -> tuple[str, ...]:
        """Ids of the base members, each once."""
        return tuple(dict.fromkeys(i.model for i in self.inputs))

    @property
    def contract(self) -> InputContract:
        """Contract of the first base member; :meth:`predictor` checks them all."""
        return self.bases[self.base_ids[0]].contract

    @property
    def metadata_names(self) -> tuple[str, ...]:
        names = [name for base in self.bases.values() for name in base.metadata_names]
        return tuple(dict.fromkeys(names))

    def from_outputs(self, outputs: Mapping[str, MemberOutput]) -> MemberOutput:
        """Log-odds from the outputs of the base members, by model id."""
        return MemberOutput(self.model.decision(gather_inputs(self.inputs, outputs)) + self.shift)

    def predictor(
        self, geometry: CutoutGeometry, catalog: str, *, with_variance: bool = False
    ) -> Predictor:
        """Scores cutouts of ``geometry`` by computing the base members first.

        Raises
        ------
        ContractError
            If cutouts do not fit a base member, or variances are asked for: heads have none.
        """
        if with_variance:
            raise ContractError(
                "A head trained on positive and unlabeled objects gives no variance of its "
                "logits; fuse its ensemble by another rule than the inverse variance."
            )
        predictors = {k: self.bases[k].predictor(geometry, catalog) for k in self.base_ids}
        return _HeadPredictor(self, predictors)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the PU model; return what the manifest must hold."""
        fitted = self.model.to_files(folder)
        return {
            "kind": HEAD,
            "inputs": [asdict(i) for i in self.inputs],
            "shift": self.shift,
            "pu": {
                k: fitted[k]
                for k in ("method", "prior", "label_frequency", "diagnostics", "choices")
            },
        }

    @classmethod
    def load(
        cls, folder: Path, manifest: dict[str, Any], bases: Mapping[str, Member]
    ) -> HeadMember:
        """Read what :meth:`save` wrote."""
        return cls(
            tuple(HeadInput(**i) for i in manifest["inputs"]),
            PUModel.from_files(folder, manifest.get("files")),
            float(manifest["shift"]),
            bases,
        )


@dataclass(frozen=True)
class _HeadPredictor:
    head: HeadMember
    bases: Mapping[str, Predictor]

    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> MemberOutput:
        return self.head.from_outputs({k: p(flux, metadata) for k, p in self.bases.items()})
