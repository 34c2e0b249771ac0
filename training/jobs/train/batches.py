"""Batches of labeled cutouts for networks, the same after a resume, shared between devices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, distributed
from torch.utils.data import DataLoader, Dataset, Sampler

from lens_triage.training.jobs.train.data import TrainingData
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.models.networks import MetadataField, encode_metadata


class Batch(NamedTuple):
    """Labeled cutouts.

    Attributes
    ----------
    flux : Tensor of shape (n, band, y, x)
    labels : Tensor of shape (n,)
    metadata : Tensor of shape (n, m); m is 0 for a network that takes none
    truth : Tensor of shape (n, k), NaN where unknown; k is 0 where nothing asks for it
    weights : Tensor of shape (n,), of the labels in the loss
    """

    flux: Tensor
    labels: Tensor
    metadata: Tensor
    truth: Tensor
    weights: Tensor


@dataclass(frozen=True)
class LabeledCutouts(Dataset[Batch]):
    """Objects of a training set: one read a batch, none kept.

    Attributes
    ----------
    truth : ndarray of shape (objects of ``data``, k)
    """

    data: TrainingData
    indices: IntArray
    fields: Sequence[MetadataField]
    truth: Float32Array

    def __len__(self) -> int:
        return len(self.indices)

    def __getitems__(self, positions: list[int]) -> Batch:
        chosen = self.indices[positions]
        columns = np.empty((len(chosen), 0), dtype=np.float32)
        if self.fields:
            known = self.data.metadata_of(chosen, [field.name for field in self.fields])
            columns = encode_metadata(self.fields, known)
        return Batch(
            torch.from_numpy(self.data.flux(chosen)),
            torch.from_numpy(self.data.labels.label[chosen].astype(np.float32)),
            torch.from_numpy(columns),
            torch.from_numpy(self.truth[chosen]),
            torch.from_numpy(self.data.labels.weights(chosen)),
        )


class _EpochShuffle(Sampler[int]):
    """A new order each epoch that depends on seed and epoch alone, so that a resume keeps it.

    Each of several processes takes every so-manieth object; all take equally many.
    """

    def __init__(self, n: int, seed: int, processes: int) -> None:
        self.n, self.seed, self.processes, self.epoch = n, seed, processes, 0

    def __len__(self) -> int:
        return self.n // self.processes

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.n)
        mine: list[int] = order[_rank() :: self.processes][: len(self)].tolist()
        return iter(mine)

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the beginning of each epoch."""
        self.epoch = epoch


class _Share(Sampler[int]):
    """Every object once, dealt out to the processes in turn."""

    def __init__(self, n: int, processes: int) -> None:
        self.n, self.processes = n, processes

    def __len__(self) -> int:
        return len(range(_rank(), self.n, self.processes))

    def __iter__(self) -> Iterator[int]:
        return iter(range(_rank(), self.n, self.processes))


def _rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def train_loader(cutouts: LabeledCutouts, size: int, *, seed: int, processes: int) -> Any:
    """Shuffled batches of ``size``, in each of the processes that train together."""
    sampler = _EpochShuffle(len(cutouts), seed, processes)
    return DataLoader(
        cutouts,
        batch_size=size,
        sampler=sampler,
        drop_last=len(sampler) % size == 1,  # BatchNorm cannot train on one image
        collate_fn=as_read,
    )


def validation_loader(cutouts: LabeledCutouts, size: int, *, processes: int) -> Any:
    """Every object once, over all processes."""
    sampler = _Share(len(cutouts), processes)
    return DataLoader(cutouts, batch_size=size, sampler=sampler, collate_fn=as_read)


def as_read(batch: Any) -> Any:
    """A batch is read as a whole: there is nothing to collate."""
    return batch
