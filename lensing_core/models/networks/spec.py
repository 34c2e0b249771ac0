"""Specification of a network: backbone, input, conditioning and options, as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from lensing_core.errors import BadInputError, LensTriageError

ARC_AWARE = "arc_aware"

#: Backbones that the tests build, train a step and run; any other timm name is taken as well.
TESTED_BACKBONES = (
    ARC_AWARE,
    "resnet18",
    "resnet34",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
    "convnext_atto",
    "convnext_tiny",
    "efficientnet_b0",
    "mobilenetv3_small_100",
    "swin_tiny_patch4_window7_224",
)

#: Metadata that a network may be conditioned on. The list is closed on purpose: a position on the
#: sky would let a network learn the footprint of the labels, and lensing does not depend on it.
NUMERIC_METADATA = ("psf_fwhm_arcsec", "depth_mag", "pixel_scale_arcsec", "redshift", "richness")
CATEGORICAL_METADATA = ("survey",)

_COMMON_OPTIONS: dict[str, Any] = {
    # Where metadata act: on the embedding, or on every stage of the backbone.
    "film_at": "embedding",
    # Width of a hidden layer in the head; 0 for a linear head.
    "head_hidden": 0,
}
_TIMM_OPTIONS: dict[str, Any] = {
    # ResNets: no max-pool after the first convolution, for cutouts of about 64 px.
    "small_stem": False,
    # Further keywords of timm.create_model, e.g. {"patch_size": 8} or {"drop_path_rate": 0.1}.
    "timm": {},
}
_ARC_AWARE_OPTIONS: dict[str, Any] = {
    "prior": True,
    "dim": 192,
    "depth": 6,
    "heads": 6,
    # Pixels per token along one axis: a power of two.
    "stride": 8,
}
_MIL_OPTIONS: dict[str, Any] = {"patch_px": 64, "stride_px": 64, "attention_dim": 128}


class PretrainedUnavailableError(LensTriageError):
    """Pretrained weights were asked for and cannot be had; nothing was built instead."""


@dataclass(frozen=True)
class MetadataField:
    """One column of the metadata.

    Attributes
    ----------
    name : str
        One of `NUMERIC_METADATA` or `CATEGORICAL_METADATA`; the unit stands in the name.
    mean, std : float
        Of the training sample; the column enters the network as ``(value - mean) / std``.
    categories : tuple of str
        For a categorical field: its names; the column holds their index.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = (*NUMERIC_METADATA, *CATEGORICAL_METADATA)
        if self.name not in known:
            raise BadInputError(
                f"A network cannot be conditioned on {self.name!r}; use some of {', '.join(known)}."
            )
        if (self.name in CATEGORICAL_METADATA) != bool(self.categories):
            raise BadInputError(
                f"Metadata field {self.name}: categories belong to {CATEGORICAL_METADATA[0]} alone,"
                f" which needs them; found {list(self.categories)}."
            )
        if len(set(self.categories)) != len(self.categories):
            raise BadInputError(f"Metadata field {self.name}: name each category once.")
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise BadInputError(
                f"Metadata field {self.name}: mean {self.mean} and std {self.std} must be finite,"
                " std above 0."
            )

    @classmethod
    def from_values(cls, name: str, values: Sequence[Any]) -> MetadataField:
        """The field with the statistics of a training column; None and NaN are missing.

        A column that is the same everywhere gets std 1.
        """
        if name in CATEGORICAL_METADATA:
            return cls(name, categories=tuple(sorted({v for v in values if isinstance(v, str)})))
        column = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
        column = column[np.isfinite(column)]
        if not len(column):
            raise BadInputError(f"Metadata field {name}: no row has a value; leave the field out.")
        return cls(name, mean=float(column.mean()), std=float(column.std()) or 1.0)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "name": self.name,
            "mean": self.mean,
            "std": self.std,
            "categories": list(self.categories),
        }


@dataclass(frozen=True)
class NetworkSpec:
    """All that is needed to build a network, less its weights.

    Attributes
    ----------
    backbone : str
        ``"arc_aware"`` or a name of timm.
    in_bands, size_px : int
        Bands and side of the (square) cutouts.
    dropout : float
        Probability of dropping an entry of the embedding; the head alone has dropout.
    metadata : tuple of MetadataField
        Columns of the metadata, in order; empty for none.
    pooling : {'mean', 'mil'}
        ``'mean'``: the backbone sees the whole cutout and pools in its own way; ``'mil'``: it sees
        patches, which gated attention pools.
    options : dict
        See :meth:`option`.
    """

    backbone: str
    in_bands: int
    size_px: int
    dropout: float = 0.2
    metadata: tuple[MetadataField, ...] = ()
    pooling: Literal["mean", "mil"] = "mean"
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.in_bands < 1 or self.size_px < 8:
            raise BadInputError(
                f"Network input of {self.in_bands} bands and {self.size_px} px: use at least one"
                " band and 8 px."
            )
        if not 0 <= self.dropout <= 0.9:
            raise BadInputError(f"Dropout {self.dropout}: use a value from 0 to 0.9.")
        if self.pooling not in ("mean", "mil"):
            raise BadInputError(f"Pooling {self.pooling!r}: use 'mean' or 'mil'.")
        names = [f.name for f in self.metadata]
        if len(set(names)) != len(names):
            raise BadInputError(f"Metadata fields {names}: name each once.")
        known = self._known_options()
        if unknown := sorted(set(self.options) - set(known)):
            raise BadInputError(
                f"Network {self.backbone}: unknown options {', '.join(unknown)};"
                f" known are {', '.join(sorted(known))}."
            )
        if self.option("film_at") not in ("embedding", "stages"):
            raise BadInputError(
                f"Option film_at {self.option('film_at')!r}: use 'embedding' or 'stages'."
            )
        if self.pooling == "mil":
            patch, stride = self.option("patch_px"), self.option("stride_px")
            if not 1 <= stride <= patch <= self.size_px:
                raise BadInputError(
                    f"Patches of {patch} px every {stride} px in cutouts of {self.size_px} px: use"
                    " stride_px up to patch_px, and patch_px up to the size."
                )
        if self.pooling == "mil" and self.backbone == ARC_AWARE and self.option("prior"):
            raise BadInputError(
                "The positional prior of arc_aware has its center in the middle of its image, which"
                " a patch has not: switch the prior off (arc_prior), or use pooling 'mean'."
            )

    def _known_options(self) -> dict[str, Any]:
        own = _ARC_AWARE_OPTIONS if self.backbone == ARC_AWARE else _TIMM_OPTIONS
        return {**_COMMON_OPTIONS, **own, **(_MIL_OPTIONS if self.pooling == "mil" else {})}

    def option(self, name: str) -> Any:
        """An option, or its default. All networks: ``film_at``, ``head_hidden``; timm backbones:
        ``small_stem``, ``timm``; arc_aware: ``prior``, ``dim``, ``depth``, ``heads``, ``stride``;
        pooling ``'mil'``: ``patch_px``, ``stride_px``, ``attention_dim``.
        """
        return self.options.get(name, self._known_options()[name])

    @property
    def encoder_size_px(self) -> int:
        """Side of the image that the backbone sees."""
        return int(self.option("patch_px")) if self.pooling == "mil" else self.size_px

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "backbone": self.backbone,
            "in_bands": self.in_bands,
            "size_px": self.size_px,
            "dropout": self.dropout,
            "metadata": [f.to_json() for f in self.metadata],
            "pooling": self.pooling,
            "options": dict(self.options),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> NetworkSpec:
        """The spec that :meth:`to_json` wrote."""
        try:
            columns = tuple(
                MetadataField(**{**f, "categories": tuple(f.get("categories", ()))})
                for f in values.get("metadata", ())
            )
            return cls(**{**values, "metadata": columns})
        except TypeError as error:
            raise BadInputError(f"Network specification: {error}.") from error
