"""Metadata beside the pixels: encoding, missing values, feature-wise linear modulation (FiLM)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.arrays import Float32Array
from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.networks.spec import MetadataField

#: What an encoder calls at each of its sites: (name of the site, features) to features.
Modulate = Callable[[str, Tensor], Tensor]

_SURVEY_DIM = 8
_CODE_DIM = 32


class Site(NamedTuple):
    """A place where features may be modulated: their number of channels and the channel axis."""

    channels: int
    axis: int


def encode_metadata(
    fields: Sequence[MetadataField], columns: Mapping[str, Sequence[Any]]
) -> Float32Array:
    """A table's columns as the metadata of a network.

    Parameters
    ----------
    fields : sequence of MetadataField
        The network's, in order.
    columns : mapping of str to sequence of length n
        Values in the unit of the field; None and NaN are missing. A field without a column is
        missing everywhere, and so is a survey that the network does not know.

    Returns
    -------
    ndarray of shape (n, m), float32
        NaN where missing; a categorical field holds the index of its category.
    """
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise BadInputError(f"Metadata columns have {sorted(lengths)} rows: give equal lengths.")
    encoded = np.full((lengths.pop(), len(fields)), np.nan, dtype=np.float32)
    for k, column in enumerate(columns.get(field.name) for field in fields):
        if column is None:
            continue
        if fields[k].categories:
            index = {name: float(i) for i, name in enumerate(fields[k].categories)}
            encoded[:, k] = [index.get(v, math.nan) for v in column]
        else:
            try:
                encoded[:, k] = [math.nan if v is None else float(v) for v in column]
            except (TypeError, ValueError) as error:
                raise BadInputError(
                    f"Metadata column {fields[k].name} is not numeric: {error}."
                ) from error
    return encoded


class MetadataEncoder(nn.Module):
    """Metadata (n, m), NaN where missing, to a code (n, 32).

    A numeric value is standardized with the statistics of its field; in the place of a missing one
    stands a learned value, and an indicator says so. A category has a learned vector, and "missing"
    is one more category.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, fields: Sequence[MetadataField]) -> None:
        super().__init__()
        self.n_columns = len(fields)
        self.numeric = [k for k, f in enumerate(fields) if not f.categories]
        self.categorical = [k for k, f in enumerate(fields) if f.categories]
        # The statistics belong to the specification, so the weights need not repeat them.
        self.register_buffer(
            "mean", torch.tensor([fields[k].mean for k in self.numeric]), persistent=False
        )
        self.register_buffer(
            "std", torch.tensor([fields[k].std for k in self.numeric]), persistent=False
        )
        self.missing_value = nn.Parameter(torch.zeros(len(self.numeric)))
        self.tables = nn.ModuleList(
            nn.Embedding(len(fields[k].categories) + 1, _SURVEY_DIM) for k in self.categorical
        )
        width = 2 * len(self.numeric) + _SURVEY_DIM * len(self.categorical)
        self.mix = nn.Linear(width, _CODE_DIM)

    def forward(self, metadata: Tensor | None, n: int) -> Tensor:
        """The code (n, 32); with None all is missing."""
        if metadata is None:
            metadata = self.mean.new_full((n, self.n_columns), math.nan)
        if metadata.shape != (n, self.n_columns):
            raise ContractError(
                f"Metadata of shape {tuple(metadata.shape)}: this network takes"
                f" ({n}, {self.n_columns})."
            )
        values = metadata[:, self.numeric].to(self.mean.dtype)
        missing = ~torch.isfinite(values)
        standard = (torch.where(missing, self.mean, values) - self.mean) / self.std
        parts = [torch.where(missing, self.missing_value, standard), missing.to(values.dtype)]
        for k, table in zip(self.categorical, self.tables, strict=True):
            assert isinstance(table, nn.Embedding)  # noqa: S101 (tells the type checker)
            last = table.num_embeddings - 1
            column = metadata[:, k]
            known = (column >= 0) & (column < last)
            parts.append(table(torch.where(known, column, float(last)).long()))
        return functional.silu(self.mix(torch.cat(parts, dim=1)))


class Film(nn.Module):
    """Feature-wise linear modulation (Perez et al. 2018, arXiv:1709.07871): γ · features + β.

    γ - 1 and β are linear in the code and start at 0, so an untrained modulation changes nothing.
    """

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self.scale_and_shift = nn.Linear(_CODE_DIM, 2 * site.channels)
        nn.init.zeros_(self.scale_and_shift.weight)
        nn.init.zeros_(self.scale_and_shift.bias)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """Features of shape (n, ..., channels, ...), with the channels on the site's axis."""
        shape = [1] * features.dim()
        shape[0], shape[self.site.axis] = len(code), self.site.channels
        scale, shift = self.scale_and_shift(code).chunk(2, dim=1)
        return features * (1 + scale.reshape(shape)) + shift.reshape(shape)


class Conditioning(nn.Module):
    """One metadata encoder and a modulation for each site."""

    def __init__(self, fields: Sequence[MetadataField], sites: Mapping[str, Site]) -> None:
        super().__init__()
        self.encoder = MetadataEncoder(fields)
        self.films = nn.ModuleDict({_key(name): Film(site) for name, site in sites.items()})

    def modulate(self, code: Tensor, site: str, features: Tensor) -> Tensor:
        """Features of n objects at a site, modulated by their code (n, 32).

        Sites without a modulation keep their features.
        """
        key = _key(site)
        if key not in self.films:
            return features
        modulated: Tensor = self.films[key](features, code)
        return modulated


def _key(site: str) -> str:
    """A site's name without the dots that torch forbids in names of modules."""
    return site.replace(".", "_")
