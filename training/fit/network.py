"""Training the deep member with Lightning."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    ModelCheckpoint,
)
from lightning.pytorch.tuner import Tuner
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler

from lensing_core.metrics import RankingCurve
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.networks import (
    AugmentationSpec,
    MetadataField,
    NetworkSpec,
    augment,
    build_network,
    encode_metadata,
)
from training.fit.data import Indices, TrainingData
from training.fit.losses import make_loss
from training.fit.pretrain import pretrain
from training.jobs.context import JobContext
from training.settings import TrainSettings

SCALING_SAMPLE = 512
_MIN_FOLDS = 5
_ACCELERATORS = {"auto": "auto", "cpu": "cpu", "cuda": "gpu"}


Batch = tuple[Tensor, Tensor, Tensor]


class _Cutouts(Dataset[Batch]):
    """Labelled cutouts by batch of indices with their metadata: one read a batch, none kept."""

    def __init__(
        self, data: TrainingData, indices: Indices, fields: Sequence[MetadataField]
    ) -> None:
        self.data, self.indices, self.fields = data, indices, fields

    def __len__(self) -> int:
        return len(self.indices)

    def __getitems__(self, positions: list[int]) -> Batch:
        chosen = self.indices[positions]
        labels = self.data.labels.label[chosen].astype(np.float32)
        columns = np.empty((len(chosen), 0), dtype=np.float32)
        if self.fields:
            known = self.data.metadata_of(chosen, [field.name for field in self.fields])
            columns = encode_metadata(self.fields, known)
        flux = torch.from_numpy(self.data.flux(chosen))
        return flux, torch.from_numpy(labels), torch.from_numpy(columns)


class _EpochShuffle(Sampler[int]):
    """A new order each epoch that depends on seed and epoch alone, so that a resume keeps it."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.seed, self.epoch = n, seed, 0

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        return iter(generator.permutation(self.n).tolist())

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the beginning of each epoch."""
        self.epoch = epoch


def _loader(
    data: TrainingData,
    indices: Indices,
    fields: Sequence[MetadataField],
    size: int,
    *,
    shuffle: bool,
    seed: int,
) -> Any:
    return DataLoader(
        _Cutouts(data, indices, fields),
        batch_size=size,
        sampler=_EpochShuffle(len(indices), seed) if shuffle else None,
        drop_last=shuffle and len(indices) % size == 1,  # BatchNorm cannot train on one image
        collate_fn=lambda batch: batch,
    )


class _LensModule(lightning.LightningModule):
    """The training step: turn, scale, classify."""

    def __init__(
        self,
        spec: NetworkSpec,
        scaling: ImageScaling,
        settings: TrainSettings,
        steps: int,
        *,
        seed: int,
        lens_share: float,
    ) -> None:
        super().__init__()
        self.network = build_network(spec, pretrained=settings.pretrained)
        self.scaling = scaling
        self.settings = settings
        self.steps = steps
        self.seed = seed
        self.learning_rate = settings.learning_rate
        self.loss = make_loss(settings.loss, lens_share, settings.lens_prior)
        self.turns = AugmentationSpec(
            size_px=spec.size_px,
            dihedral=True,
            max_extra_psf_fwhm_px=settings.blur_px,
            max_gain=settings.gain,
        )
        self._validation: list[tuple[Tensor, Tensor]] = []

    def training_step(self, batch: Batch, index: int) -> Tensor:
        flux, labels, columns = batch
        # Seeded by the step: the same turns and the same dropout after a resume.
        seed = self.seed * 1_000_003 + self.trainer.fit_loop.total_batch_idx
        torch.manual_seed(seed)
        generator = torch.Generator(device=flux.device).manual_seed(seed)
        turned = augment(flux, self.turns, generator).images
        images = self.scaling(turned).to(memory_format=torch.channels_last)
        loss = self.loss(self._logits(images, columns), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def _logits(self, images: Tensor, columns: Tensor) -> Tensor:
        known = columns if columns.shape[1] else None
        logits: Tensor = self.network(images, known).logit.float()
        return logits

    def validation_step(self, batch: Batch, index: int) -> None:
        images = self.scaling(batch[0]).to(memory_format=torch.channels_last)
        logits = self._logits(images, batch[2])
        self._validation.append((logits.cpu(), batch[1].cpu()))

    def on_validation_epoch_end(self) -> None:
        logits = torch.cat([a for a, _ in self._validation])
        labels = torch.cat([b for _, b in self._validation])
        self._validation.clear()
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        self.log("validation_loss", loss)
        if 0 < labels.sum() < len(labels):
            curve = RankingCurve.of(logits.numpy(), labels.numpy())
            self.log(
                "validation_recall_fpr_1e-2",
                curve.recall_with_false_positives(math.floor(0.01 * curve.n_negative)),
            )
            self.log("validation_average_precision", curve.average_precision())

    def configure_optimizers(self) -> Any:
        optimiser = torch.optim.AdamW(
            self.parameters(),
            lr=self.learning_rate,
            weight_decay=self.settings.weight_decay,
        )
        warm_up = max(1, self.steps // 10)

        def factor(step: int) -> float:
            if step < warm_up:
                return (step + 1) / warm_up
            done = (step - warm_up) / max(1, self.steps - warm_up)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Report(Callback):
    """Progress and curves to the run; stops at once when the user cancels."""

    def __init__(self, context: JobContext, total_steps: int, member: str) -> None:
        self.context, self.total, self.member = context, total_steps, member

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        epoch = trainer.current_epoch + 1
        self.context.progress(
            trainer.global_step,
            self.total,
            f"Training {self.member}, epoch {epoch} of at most {module.settings.epochs}",
        )

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        found = {name: float(v) for name, v in trainer.callback_metrics.items()}
        for name, value in {**found, "learning_rate": rate}.items():
            self.context.metric(name, value, step=trainer.current_epoch + 1, member=self.member)


@dataclass(frozen=True)
class NetworkPlan:
    """One network of an ensemble.

    Attributes
    ----------
    name : of the member, unique in the ensemble
    backbone : a name of timm, or arc_aware
    seed : of its weights, its order of objects and its augmentation
    train, validation : objects that it learns from, and by which it stops
    """

    name: str
    backbone: str
    seed: int
    train: Indices
    validation: Indices


def plan_networks(
    settings: TrainSettings, data: TrainingData, splits: dict[str, Indices]
) -> list[NetworkPlan]:
    """The networks that ``settings`` ask for; several share no validation fold."""
    names = [(backbone, k) for backbone in settings.backbones for k in range(settings.copies)]
    pool = np.sort(np.concatenate([splits["train"], splits["validation"]]))
    plans = []
    for number, (backbone, copy) in enumerate(names):
        train, validation = splits["train"], splits["validation"]
        if len(names) > 1:
            folds = max(_MIN_FOLDS, len(names))
            train, validation = data.fold(pool, number, folds, settings.seed)
        name = backbone if settings.copies == 1 else f"{backbone}-{copy + 1}"
        plans.append(NetworkPlan(name, backbone, settings.seed + number, train, validation))
    return plans


def train_network(
    context: JobContext, settings: TrainSettings, data: TrainingData, plan: NetworkPlan
) -> DeepMember:
    """Train from the last checkpoint of the run, or anew; return the best epoch's network.

    A batch that does not fit in the memory of a GPU is halved, and twice as many are accumulated.
    """
    size, accumulate = settings.network_batch, settings.accumulate
    while True:
        try:
            return _train(context, settings, data, plan, size, accumulate)
        except torch.cuda.OutOfMemoryError:
            if size < 4:
                raise
            size, accumulate = size // 2, accumulate * 2
            torch.cuda.empty_cache()
            context.log(f"The GPU is out of memory; going on with batches of {size}.", "warning")


def _train(
    context: JobContext,
    settings: TrainSettings,
    data: TrainingData,
    plan: NetworkPlan,
    size: int,
    accumulate: int,
) -> DeepMember:
    folder: Path = context.folder / plan.name
    lightning.seed_everything(plan.seed, verbose=False)
    contract = InputContract.of(data.geometry)
    columns = data.metadata_of(plan.train, settings.metadata)
    fields = tuple(MetadataField.from_values(name, values) for name, values in columns.items())
    spec = NetworkSpec(
        backbone=plan.backbone,
        in_bands=len(contract.bands),
        size_px=contract.size_px,
        dropout=settings.dropout,
        metadata=fields,
        pooling=settings.pooling,
        options=_options(settings, plan.backbone, contract.size_px),
    )
    sample = np.random.default_rng(plan.seed).permutation(plan.train)[:SCALING_SAMPLE]
    scaling = ImageScaling.measure(data.flux(np.sort(sample)))
    batches = math.ceil(len(plan.train) / size) * settings.epochs
    module = _LensModule(
        spec,
        scaling,
        settings,
        max(1, batches // accumulate),
        seed=plan.seed,
        lens_share=float(data.labels.label[plan.train].mean()),
    )
    train = _loader(data, plan.train, fields, size, shuffle=True, seed=plan.seed)
    validation = _loader(data, plan.validation, fields, 256, shuffle=False, seed=plan.seed)
    last = folder / "last.ckpt"
    if last.exists():
        context.log(f"{plan.name}: going on from its last epoch.")
    elif settings.pretrain_catalogs:
        pretrain(
            context,
            settings,
            module.network,
            contract,
            scaling,
            member=plan.name,
            seed=plan.seed,
        )
    if settings.find_learning_rate and not last.exists():
        before = {k: v.clone() for k, v in module.network.state_dict().items()}
        module.learning_rate = _find_learning_rate(context, settings, module, train, plan.name)
        module.network.load_state_dict(before)  # the test has moved the weights
    trainer = _trainer(context, settings, folder, batches, accumulate, plan.name)
    trainer.fit(
        module,
        train,
        validation,
        ckpt_path=last if last.exists() else None,
        weights_only=True,
    )
    stored = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    # Where weights are averaged, a checkpoint's state holds the average.
    module.load_state_dict(stored["state_dict"])
    module.network.eval().cpu()
    half = settings.weight_bits == "16"
    member = DeepMember(contract, spec, module.network, scaling, turned=settings.turned, half=half)
    return member.rounded()


def _options(settings: TrainSettings, backbone: str, size_px: int) -> dict[str, Any]:
    """Options of the backbone, as far as it has them."""
    options: dict[str, Any] = {}
    if settings.small_stem and "resnet" in backbone:
        options["small_stem"] = True
    if settings.pooling == "mil":
        patch = min(64, max(32, size_px // 4))
        options |= {"patch_px": patch, "stride_px": patch}
    return options


def _trainer(
    context: JobContext,
    settings: TrainSettings,
    folder: Path,
    batches: int,
    accumulate: int,
    member: str,
) -> lightning.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    callbacks: list[Callback] = [
        ModelCheckpoint(
            folder,
            filename="best",
            monitor="validation_loss",
            save_last=True,
            enable_version_counter=False,
        ),
        EarlyStopping("validation_loss", patience=settings.patience),
        _Report(context, batches // accumulate, member),
    ]
    if settings.average_decay:
        callbacks.append(EMAWeightAveraging(decay=settings.average_decay))
    return lightning.Trainer(
        max_epochs=settings.epochs,
        accelerator=_ACCELERATORS[settings.device],
        devices=1,
        precision=settings.precision,
        accumulate_grad_batches=accumulate,
        gradient_clip_val=1.0,
        deterministic="warn",
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )


def _find_learning_rate(
    context: JobContext, settings: TrainSettings, module: _LensModule, train: Any, member: str
) -> float:
    """The rate where the loss falls fastest in a range test (Smith 2017, arXiv:1506.01186)."""
    context.progress(0, None, f"Looking for the learning rate of {member}")
    trainer = lightning.Trainer(
        accelerator=_ACCELERATORS[settings.device],
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=context.folder,
    )
    steps = min(100, max(20, len(train)))
    found = Tuner(trainer).lr_find(
        module, train, min_lr=1e-5, max_lr=0.1, num_training=steps, attr_name="learning_rate"
    )
    suggestion = found.suggestion() if found is not None else None
    if suggestion is None:
        context.log(
            f"{member}: the range test found no rate; {settings.learning_rate:g} is used.",
            "warning",
        )
        return float(settings.learning_rate)
    context.log(f"{member}: peak learning rate {suggestion:.2g}, from a range test.")
    return float(suggestion)
