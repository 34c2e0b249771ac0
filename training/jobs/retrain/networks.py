"""Networks trained further on lenses and unlabeled objects, from the weights that they have.

The loss is nnPU (Kiryo et al. 2017), balanced for rare lenses (Su, Chen & Xu 2021), as of the fast
heads. Every batch holds labeled lenses, a quarter at most, so that the few there are reach every
step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, Sampler

from lens_triage.training.jobs.retrain.consistency import Consistency, ConsistentModule
from lens_triage.training.jobs.retrain.selection import RetrainingSample
from lens_triage.training.jobs.train.batches import (
    LabeledCutouts,
    as_read,
)
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.jobs.train.module import (
    LensModule,
    Report,
)
from lens_triage.training.jobs.train.network import make_trainer
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import FinetuneSettings, TrainSettings
from lensing_core.arrays import BoolArray, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.table import LENS, TrainingLabels
from lensing_core.models.deep import DeepMember
from lensing_core.workspace import Workspace

LENS_SHARE = 0.25
"""Of a batch, at most."""
BALANCE = 0.5
"""Class prior of the loss's logits: :func:`~lens_triage.training.jobs.train.losses.make_loss`."""


def open_cutouts(
    workspace: Workspace, chosen: RetrainingSample, catalogs: dict[int, str], member: DeepMember
) -> TrainingData:
    """The cutouts of a selection as ``member`` takes them; label 0 means not known to be a lens.

    Raises
    ------
    ContractError
        If a catalog's cutouts do not fit the member.
    """
    stores = {key: CutoutStore(workspace.catalog_cutouts(name)) for key, name in catalogs.items()}
    taken = [member.contract.fit(s.geometry, catalogs[key]) for key, s in stores.items()]
    labels = TrainingLabels(
        chosen.candidate_id,
        chosen.row,
        chosen.catalog_id,
        (chosen.state == LENS).astype(np.int8),
        chosen.group,
        catalogs,
    )
    return TrainingData(labels, stores, taken[0].geometry, workspace)


class LensesInEveryBatch(Sampler[int]):
    """Positions in an order that gives each batch its share of lenses; new each epoch.

    An epoch passes all other objects once; lenses are dealt again when all were. It depends on seed
    and epoch alone, so that a resumed training goes on with what it would have seen.

    Parameters
    ----------
    lens : ndarray of shape (n,), bool
    size : int
        Of a batch.
    """

    def __init__(self, lens: BoolArray, size: int, seed: int) -> None:
        self.lenses, self.non_lenses = np.flatnonzero(lens), np.flatnonzero(~lens)
        self.share = max(1, min(len(self.lenses), int(LENS_SHARE * size)))
        self.size, self.seed, self.epoch = size, seed, 0
        self.batches = math.ceil(len(self.non_lenses) / (size - self.share))

    def __len__(self) -> int:
        return self.batches * self.size

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        wanted = self.batches * self.share
        decks = math.ceil(wanted / len(self.lenses))
        lenses = np.concatenate([rng.permutation(self.lenses) for _ in range(decks)])[:wanted]
        non_lenses = np.resize(
            rng.permutation(self.non_lenses), self.batches * (self.size - self.share)
        )
        order = np.concatenate(
            [lenses.reshape(self.batches, -1), non_lenses.reshape(self.batches, -1)], axis=1
        )
        yield from order.ravel().tolist()

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the beginning of each epoch."""
        self.epoch = epoch


def finetune(
    context: JobContext,
    settings: FinetuneSettings,
    member: DeepMember,
    data: TrainingData,
    rows: IntArray,
    *,
    name: str,
    seed: int,
) -> DeepMember:
    """``member`` trained further on ``rows`` of ``data``, from the run's last checkpoint or anew.

    Parameters
    ----------
    rows : ndarray of indices
        An object that counts several times stands there several times.
    name : str
        Of the curves, and of the folder of checkpoints.
    """
    folder: Path = context.folder / name
    lightning.seed_everything(seed, verbose=False)
    size = min(settings.network_batch, max(4, len(rows)))
    labels = data.labels.label[rows]
    order = LensesInEveryBatch(labels == 1, size, seed)
    make: Callable[..., LensModule] = LensModule
    if settings.consistency:
        wanted = Consistency(settings.consistency, settings.confidence)
        make = partial(ConsistentModule, consistency=wanted)
    module = make(
        member.spec,
        member.scaling,
        _as_training(settings),
        order.batches * settings.epochs,
        seed=seed,
        lens_share=float(labels.mean()),
        pixel_scale_arcsec=member.contract.pixel_scale_arcsec,
    )
    module.network.load_state_dict(member.network.state_dict())
    nothing = np.empty((len(data), 0), dtype=np.float32)
    cutouts = LabeledCutouts(data, rows, member.spec.metadata, nothing)
    batches = DataLoader(cutouts, batch_size=size, sampler=order, collate_fn=as_read)
    last = folder / "last.ckpt"
    trainer = make_trainer(
        _as_training(settings),
        folder,
        [
            ModelCheckpoint(folder, filename="last", enable_version_counter=False),
            Report(context, order.batches * settings.epochs, name),
        ],
    )
    trainer.fit(module, batches, ckpt_path=last if last.exists() else None, weights_only=True)
    trained = torch.load(last, map_location="cpu", weights_only=True)
    module.load_state_dict(trained["state_dict"])
    return replace(member, network=module.network.eval().cpu()).rounded()


def _as_training(settings: FinetuneSettings) -> TrainSettings:
    """The settings of a training that does what these ask for."""
    return TrainSettings(
        loss="nnpu",
        lens_prior=settings.survey_prior,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        blur_px=settings.blur_px,
        gain=settings.gain,
        precision=settings.precision,
        device=settings.device,
    )
