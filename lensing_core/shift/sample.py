"""A bounded sample of objects with all that is compared: kept of training sets, drawn at scoring.

A training set's stays with its ensemble as one ``.npz`` file of numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.cutouts import CutoutGeometry
from lensing_core.disk import replacing
from lensing_core.errors import BrokenModelError, NotFoundError
from lensing_core.models.contract import InputContract

MOST, MOST_OUTPUTS = 2000, 750
"""Objects that are measured, and those of which outputs of members are compared."""
MEASURED = "measured"
"""Name of the block of :mod:`lensing_core.shift.columns`."""
_META = "about"


@dataclass(frozen=True)
class Block:
    """Columns of one kind.

    Attributes
    ----------
    values : ndarray of shape (n, d)
        NaN where unknown.
    candidate_id : ndarray of shape (n,)
        In the workspace; -1 for objects of another one.
    names : tuple of str
        Of the columns; empty for an embedding.
    """

    values: Float32Array
    candidate_id: IntArray
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Float64Array:
        """One column (n,)."""
        return self.values[:, self.names.index(name)].astype(np.float64)


@dataclass(frozen=True)
class ObjectSample:
    """Objects that are not labeled as lenses.

    Attributes
    ----------
    contract : InputContract
        The bands and the field of view that were measured.
    blocks : mapping of str to Block
        :data:`MEASURED`, and outputs of members as ``embedding of MODEL``, ``features of MODEL``.
    theta_e_arcsec : ndarray of shape (m,)
        Known Einstein radii, of lenses too.
    zero_points_mag : mapping of str to list of float or None
        By catalog, in the order of the bands.
    logits : tuple of float, or None
        Of a training set: the 1st percentile of held-out non-lenses and the 99th of lenses.
    """

    contract: InputContract
    blocks: Mapping[str, Block]
    theta_e_arcsec: Float64Array
    zero_points_mag: Mapping[str, list[float | None]] = field(default_factory=dict)
    logits: tuple[float, float] | None = None

    @property
    def measured(self) -> Block:
        """Return what was measured of the cutouts."""
        return self.blocks[MEASURED]

    def write(self, path: Path) -> None:
        """Write to a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "contract": self.contract.to_json(),
            "names": {key: list(block.names) for key, block in self.blocks.items()},
            "zero_points_mag": dict(self.zero_points_mag),
            "logits": self.logits,
        }
        arrays: dict[str, Any] = {
            _META: np.array(json.dumps(about, allow_nan=False)),
            "theta_e_arcsec": self.theta_e_arcsec,
        }
        for key, block in self.blocks.items():
            arrays[f"values:{key}"] = block.values
            arrays[f"id:{key}"] = block.candidate_id
        with replacing(path) as beside, beside.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    @classmethod
    def read(cls, path: Path) -> ObjectSample:
        """Read what :meth:`write` wrote.

        Raises
        ------
        NotFoundError
            If there is none.
        BrokenModelError
            If it is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                about = json.loads(str(stored[_META]))
                blocks = {
                    key: Block(stored[f"values:{key}"], stored[f"id:{key}"], tuple(names))
                    for key, names in about["names"].items()
                }
                logits = about["logits"]
                return cls(
                    InputContract.from_json(about["contract"]),
                    blocks,
                    stored["theta_e_arcsec"].astype(np.float64),
                    about["zero_points_mag"],
                    None if logits is None else (float(logits[0]), float(logits[1])),
                )._checked()
        except FileNotFoundError:
            raise NotFoundError(f"There is no sample of a training set at {path}.") from None
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise BrokenModelError(
                f"The sample of a training set at {path} cannot be read: restore it from a backup, "
                "or remove it to score without comparing."
            ) from error

    def _checked(self) -> ObjectSample:
        """Itself; raises ValueError where its arrays do not fit together."""
        for block in self.blocks.values():
            fits = block.values.ndim == 2 and block.candidate_id.shape == block.values.shape[:1]
            if not fits or len(block.names) not in (0, block.values.shape[1]):
                raise ValueError("arrays of other shapes")
            if block.values.dtype.kind != "f" or block.candidate_id.dtype.kind != "i":
                raise ValueError("arrays of other types")
        self.measured  # noqa: B018 - raises KeyError
        return self

    def elsewhere(self) -> ObjectSample:
        """The same for another workspace, where ids of candidates mean nothing."""
        blocks = {
            key: Block(b.values, np.full(len(b), -1, dtype=np.int64), b.names)
            for key, b in self.blocks.items()
        }
        return ObjectSample(
            self.contract, blocks, self.theta_e_arcsec, self.zero_points_mag, self.logits
        )


def zero_points_of(geometry: CutoutGeometry, bands: Iterable[str]) -> list[float | None]:
    """Zero points of some bands as JSON: None where there is none."""
    of = dict(zip(geometry.bands, geometry.zero_points_mag, strict=True))
    return [None if of[band] != of[band] else of[band] for band in bands]


def noise_in_manifests(manifests: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Noise of a pixel of the training set by band, in magnitudes, as models themselves keep it.

    Networks and encoders scale flux by it. Empty where no model does, as for pictures.
    """
    for manifest in manifests:
        contract = manifest.get("contract") or {}
        picture = (manifest.get("encoder") or {}).get("picture") or {}
        sigma = manifest.get("sigma") or picture.get("sigma") or ()
        bands = contract.get("bands", ())
        if contract.get("pixel_kind") == "flux" and sigma and len(sigma) == len(bands):
            levels = 25.0 - 2.5 * np.log10(np.array(sigma, dtype=np.float64))
            return dict(zip(bands, levels.tolist(), strict=True))
    return {}
