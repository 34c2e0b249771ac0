"""The training step of a network, and what it reports to the run."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, distributed
from torch.nn import functional

from lens_triage.training.jobs.train.batches import Batch
from lens_triage.training.jobs.train.losses import make_loss
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.metrics import RankingCurve
from lensing_core.models.deep import ImageScaling
from lensing_core.models.networks import (
    AugmentationSpec,
    MassHead,
    NetworkOutput,
    NetworkSpec,
    augment,
    build_network,
)


class LensModule(lightning.LightningModule):
    """Turn, scale, classify.

    Parameters
    ----------
    spec, scaling, settings : of the network, its input and its training
    steps : int
        Optimizer steps of the whole training, for the schedule of the learning rate.
    seed : int
    lens_share : float
        Of the training objects.
    pixel_scale_arcsec : float
    """

    def __init__(
        self,
        spec: NetworkSpec,
        scaling: ImageScaling,
        settings: TrainSettings,
        steps: int,
        *,
        seed: int,
        lens_share: float,
        pixel_scale_arcsec: float,
    ) -> None:
        super().__init__()
        self.network = build_network(spec, pretrained=settings.pretrained)
        self.scaling = scaling
        self.settings = settings
        self.steps = steps
        self.seed = seed
        self.learning_rate = settings.learning_rate
        self.loss = make_loss(settings.loss, lens_share, settings.lens_prior)
        self.mass = None
        if settings.physics_weight:
            size_arcsec = spec.size_px * pixel_scale_arcsec
            self.mass = MassHead(self.network.embedding_dim, size_arcsec)
        self.turns = AugmentationSpec(
            size_px=spec.size_px,
            dihedral=True,
            max_extra_psf_fwhm_px=settings.blur_px,
            max_gain=settings.gain,
        )
        self._validation: list[tuple[Tensor, Tensor]] = []

    def training_step(self, batch: Batch, index: int) -> Tensor:
        # Seeded by the step: the same turns and the same dropout after a resume.
        seed = self.seed * 1_000_003 + self.trainer.fit_loop.total_batch_idx
        seed += self.global_rank * 7919
        torch.manual_seed(seed)
        generator = torch.Generator(device=batch.flux.device).manual_seed(seed)
        changed = augment(batch.flux, self.turns, generator)
        output = self._output(changed.images, batch.metadata)
        loss = self.loss(output.logit.float(), batch.labels, batch.weights)
        self._log("train_loss", loss, batch)
        if self.mass is not None:
            mass_loss = self.mass.loss(output.embedding, batch.truth, changed.orientation)
            self._log("train_physics_loss", mass_loss, batch)
            loss = loss + self.settings.physics_weight * mass_loss
        return loss

    def _log(self, name: str, value: Tensor, batch: Batch) -> None:
        n = len(batch.labels)
        self.log(name, value, on_step=False, on_epoch=True, batch_size=n, sync_dist=True)

    def _output(self, flux: Tensor, metadata: Tensor) -> NetworkOutput:
        images = self.scaling(flux).to(memory_format=torch.channels_last)
        output: NetworkOutput = self.network(images, metadata if metadata.shape[1] else None)
        return output

    def validation_step(self, batch: Batch, index: int) -> None:
        logits = self._output(batch.flux, batch.metadata).logit.float()
        self._validation.append((logits.cpu(), batch.labels.cpu()))

    def on_validation_epoch_end(self) -> None:
        logits, labels = self._gather_validation()
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        self.log("validation_loss", loss)
        if 0 < labels.sum() < len(labels):
            curve = RankingCurve.of(logits.numpy(), labels.numpy())
            self.log(
                "validation_recall_fpr_1e-2",
                curve.recall_with_false_positives(math.floor(0.01 * curve.n_negative)),
            )
            self.log("validation_average_precision", curve.average_precision())

    def _gather_validation(self) -> tuple[Tensor, Tensor]:
        """Logits and labels of all validation objects, the same in every process."""
        parts = self._validation
        logits, labels = (torch.cat([part[k] for part in parts]).numpy() for k in (0, 1))
        self._validation.clear()
        if distributed.is_initialized():
            shares: list[Any] = [None] * distributed.get_world_size()
            distributed.all_gather_object(shares, (logits, labels))
            logits, labels = (np.concatenate([share[k] for share in shares]) for k in (0, 1))
        return torch.from_numpy(logits), torch.from_numpy(labels)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
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

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Report(Callback):
    """Progress and curves to the run; stops at once when the user cancels."""

    def __init__(self, context: JobContext, total_steps: int, member: str) -> None:
        self.context, self.total, self.member = context, total_steps, member

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        if not trainer.is_global_zero:
            return
        epoch = trainer.current_epoch + 1
        self.context.progress(
            trainer.global_step,
            self.total,
            f"Training {self.member}, epoch {epoch} of at most {module.settings.epochs}",
        )

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        if not trainer.is_global_zero:
            return
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        metrics = {name: float(v) for name, v in trainer.callback_metrics.items()}
        for name, value in {**metrics, "learning_rate": rate}.items():
            self.context.metric(name, value, step=trainer.current_epoch + 1, member=self.member)
