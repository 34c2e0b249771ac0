"""Training the deep member with Lightning."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler

from lensing_core.metrics import RankingCurve
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.networks import AugmentationSpec, NetworkSpec, augment, build_network
from training.fit.data import Indices, TrainingData
from training.jobs.context import JobContext
from training.settings import TrainSettings

MEMBER = "network"
SCALING_SAMPLE = 512


class _Cutouts(Dataset[tuple[Tensor, Tensor]]):
    """Labelled cutouts by batch of indices: one read a batch, none kept."""

    def __init__(self, data: TrainingData, indices: Indices) -> None:
        self.data, self.indices = data, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitems__(self, positions: list[int]) -> tuple[Tensor, Tensor]:
        chosen = self.indices[positions]
        labels = self.data.labels.label[chosen].astype(np.float32)
        return torch.from_numpy(self.data.flux(chosen)), torch.from_numpy(labels)


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


def _loader(data: TrainingData, indices: Indices, size: int, *, shuffle: bool, seed: int) -> Any:
    return DataLoader(
        _Cutouts(data, indices),
        batch_size=size,
        sampler=_EpochShuffle(len(indices), seed) if shuffle else None,
        drop_last=shuffle and len(indices) % size == 1,  # BatchNorm cannot train on one image
        collate_fn=lambda batch: batch,
    )


class _LensModule(lightning.LightningModule):
    """The training step: turn, scale, classify."""

    def __init__(
        self, spec: NetworkSpec, scaling: ImageScaling, settings: TrainSettings, steps: int
    ) -> None:
        super().__init__()
        self.network = build_network(spec)
        self.scaling = scaling
        self.settings = settings
        self.steps = steps
        self.turns = AugmentationSpec(size_px=spec.size_px, dihedral=True)
        self._validation: list[tuple[Tensor, Tensor]] = []

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        flux, labels = batch
        # Seeded by the step: the same turns and the same dropout after a resume.
        seed = self.settings.seed * 1_000_003 + self.global_step
        torch.manual_seed(seed)
        generator = torch.Generator(device=flux.device).manual_seed(seed)
        turned = augment(flux, self.turns, generator).images
        images = self.scaling(turned).to(memory_format=torch.channels_last)
        loss = functional.binary_cross_entropy_with_logits(
            self.network(images).logit.float(), labels
        )
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        images = self.scaling(batch[0]).to(memory_format=torch.channels_last)
        logits = self.network(images).logit.float()
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
            lr=self.settings.learning_rate,
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

    def __init__(self, context: JobContext, total_steps: int) -> None:
        self.context, self.total = context, total_steps

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        epoch = trainer.current_epoch + 1
        self.context.progress(
            trainer.global_step,
            self.total,
            f"Training network, epoch {epoch} of at most {module.settings.epochs}",
        )

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        found = {name: float(v) for name, v in trainer.callback_metrics.items()}
        for name, value in {**found, "learning_rate": rate}.items():
            self.context.metric(name, value, step=trainer.current_epoch + 1, member=MEMBER)


def train_network(
    context: JobContext, settings: TrainSettings, data: TrainingData, splits: dict[str, Indices]
) -> DeepMember:
    """Train from the last checkpoint of the run, or anew; return the best epoch's network."""
    folder: Path = context.folder / MEMBER
    lightning.seed_everything(settings.seed, verbose=False)
    contract = InputContract.of(data.geometry)
    options: dict[str, Any] = {"small_stem": True} if settings.small_stem else {}
    spec = NetworkSpec(
        backbone=settings.backbone,
        in_bands=len(contract.bands),
        size_px=contract.size_px,
        dropout=settings.dropout,
        options=options,
    )
    sample = np.random.default_rng(settings.seed).permutation(splits["train"])[:SCALING_SAMPLE]
    scaling = ImageScaling.measure(data.flux(np.sort(sample)))
    size = settings.network_batch
    steps = math.ceil(len(splits["train"]) / size) * settings.epochs
    module = _LensModule(spec, scaling, settings, steps)
    best = ModelCheckpoint(
        folder,
        filename="best",
        monitor="validation_loss",
        save_last=True,
        enable_version_counter=False,
    )
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    trainer = lightning.Trainer(
        max_epochs=settings.epochs,
        accelerator={"auto": "auto", "cpu": "cpu", "cuda": "gpu"}[settings.device],
        devices=1,
        precision=settings.precision,
        gradient_clip_val=1.0,
        deterministic="warn",
        callbacks=[
            best,
            EarlyStopping("validation_loss", patience=settings.patience),
            _Report(context, steps),
        ],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    last = folder / "last.ckpt"
    if last.exists():
        context.log("Going on from the network's last epoch.")
    trainer.fit(
        module,
        _loader(data, splits["train"], size, shuffle=True, seed=settings.seed),
        _loader(data, splits["validation"], 256, shuffle=False, seed=settings.seed),
        ckpt_path=last if last.exists() else None,
        weights_only=True,
    )
    stored = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(stored["state_dict"])
    module.network.eval().cpu()
    return DeepMember(contract, spec, module.network, scaling)
