"""Self-supervised pretraining of a network's encoder on cutouts without labels."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lens_triage.training.device import LIGHTNING_ACCELERATORS
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.models.contract import InputContract, flux_scale
from lensing_core.models.contrastive import MomentumContrast, momentum_at
from lensing_core.models.deep import ImageScaling
from lensing_core.models.networks import AugmentationSpec, LensNetwork, augment

MIN_CUTOUTS = 64
# Changes that leave a lens a lens, stronger than those of supervised training.
_VIEWS: dict[str, Any] = {"max_extra_psf_fwhm_px": 2.0, "max_noise": 1.5, "max_gain": 0.2}


class _Unlabeled(Dataset[Tensor]):
    """Cutouts of several catalogs at AB zero point 25, read by batch."""

    def __init__(self, context: JobContext, contract: InputContract, names: list[str]) -> None:
        self._parts = []
        for name in names:
            store = CutoutStore(context.workspace.catalog_cutouts(name))
            selection = contract.fit(store.geometry, name)
            factors = flux_scale(selection.geometry)[:, None, None]
            self._parts.append((store, selection, factors))
        self._ends = np.cumsum([len(store) for store, _, _ in self._parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitems__(self, positions: list[int]) -> Tensor:
        chosen = np.asarray(positions)
        part = np.searchsorted(self._ends, chosen, side="right")
        flux = []
        for k, (store, selection, factors) in enumerate(self._parts):
            first = self._ends[k] - len(store)
            mine = chosen[part == k] - first
            if len(mine):
                flux.append(selection(store.read_many(mine)) * factors)
        return torch.from_numpy(np.concatenate(flux).astype(np.float32))


class _Embed(nn.Module):
    """A network less its head."""

    def __init__(self, network: LensNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.embed(images)


class _Contrast(lightning.LightningModule):
    def __init__(
        self, network: LensNetwork, scaling: ImageScaling, settings: TrainSettings, seed: int
    ) -> None:
        super().__init__()
        self.contrast = MomentumContrast(_Embed(network), network.embedding_dim)
        self.scaling, self.settings, self.seed = scaling, settings, seed
        self.views = AugmentationSpec(size_px=network.spec.size_px, dihedral=True, **_VIEWS)

    def training_step(self, flux: Tensor, index: int) -> Tensor:
        seed = self.seed * 1_000_003 + self.global_step
        generator = torch.Generator(device=flux.device).manual_seed(seed)
        sigma = torch.tensor(self.scaling.sigma, device=flux.device)
        variance = (sigma**2)[None, :, None, None].expand_as(flux)
        first, second = (
            self.scaling(augment(flux, self.views, generator, variance).images) for _ in range(2)
        )
        loss: Tensor = self.contrast(first, second)
        self.log("contrast_loss", loss, on_step=False, on_epoch=True, batch_size=len(flux))
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        steps = int(self.trainer.estimated_stepping_batches)
        self.contrast.update_keys(momentum_at(self.global_step, steps))

    def configure_optimizers(self) -> Any:
        wanted = [p for p in self.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(wanted, lr=1e-3, weight_decay=1e-4)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda k: 0.5 * (1 + math.cos(math.pi * min(1.0, k / max(1, steps))))
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Report(Callback):
    def __init__(self, context: JobContext, member: str, total: int) -> None:
        self.context, self.member, self.total = context, member, total

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        self.context.progress(trainer.global_step, self.total, f"Pretraining {self.member}")

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        loss = float(trainer.callback_metrics["contrast_loss"])
        step = trainer.current_epoch + 1
        self.context.metric("contrast_loss", loss, step=step, member=self.member)


def check_pixels(contract: InputContract) -> None:
    """Raise BadInputError for color pictures, whose noise and PSF are unknown."""
    if contract.pixel_kind != "flux":
        raise BadInputError(
            "pretrain_catalogs: color pictures cannot be blurred and made noisier as images of "
            "flux can; pretrain on flux images, or leave pretraining out."
        )


def pretrain(
    context: JobContext,
    settings: TrainSettings,
    network: LensNetwork,
    contract: InputContract,
    scaling: ImageScaling,
    *,
    member: str,
    seed: int,
) -> None:
    """Train the encoder of ``network`` in place, or read what an earlier attempt made.

    MoCo v3 (see :mod:`lensing_core.models.contrastive`) on pairs of views that differ by
    orientation, blur, noise and brightness: what leaves a lens a lens.

    Raises
    ------
    BadInputError
        For color pictures (their noise and PSF are unknown) and for too few cutouts.
    """
    check_pixels(contract)
    folder: Path = context.folder / f"{member}-pretraining"
    done = folder / "encoder.safetensors"
    if not done.exists():
        cutouts = _Unlabeled(context, contract, settings.pretrain_catalogs)
        if len(cutouts) < MIN_CUTOUTS:
            raise BadInputError(
                f"pretrain_catalogs hold {len(cutouts)} cutouts; at least {MIN_CUTOUTS} are needed."
            )
        _fit(context, settings, network, cutouts, scaling, folder, member, seed)
        with replacing(done) as beside:
            save_file({k: v.contiguous() for k, v in network.encoder.state_dict().items()}, beside)
        context.log(f"{member}: pretrained on {len(cutouts):,} cutouts without labels.")
    network.encoder.load_state_dict(load_file(done))


def _fit(
    context: JobContext,
    settings: TrainSettings,
    network: LensNetwork,
    cutouts: _Unlabeled,
    scaling: ImageScaling,
    folder: Path,
    member: str,
    seed: int,
) -> None:
    size = min(max(settings.network_batch, 128), len(cutouts))
    generator = torch.Generator().manual_seed(seed)
    loader: Any = DataLoader(
        cutouts,
        batch_size=size,
        shuffle=True,
        drop_last=True,  # the other objects of the batch are the negatives
        collate_fn=lambda batch: batch,
        generator=generator,
    )
    last = folder / "last.ckpt"
    trainer = lightning.Trainer(
        max_epochs=settings.pretrain_epochs,
        accelerator=LIGHTNING_ACCELERATORS[settings.device],
        devices=1,
        precision=settings.precision,
        callbacks=[
            ModelCheckpoint(folder, save_last=True, save_top_k=0),
            _Report(context, member, len(loader) * settings.pretrain_epochs),
        ],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(
        _Contrast(network, scaling, settings, seed),
        loader,
        ckpt_path=last if last.exists() else None,
        weights_only=True,
    )
    network.cpu()
