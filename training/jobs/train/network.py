"""Training the deep members with Lightning: which networks, on how many devices, from where."""

from __future__ import annotations

import logging
import math
import warnings
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
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.tuner import Tuner
from torch.multiprocessing.spawn import ProcessException

from lens_triage.training.device import LIGHTNING_ACCELERATORS, torch_device
from lens_triage.training.jobs.train.batches import (
    LabeledCutouts,
    train_loader,
    validation_loader,
)
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.jobs.train.module import (
    LensModule,
    Report,
)
from lens_triage.training.jobs.train.pretrain import pretrain
from lens_triage.training.runner.context import Cancelled, JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.networks import ARC_AWARE, MetadataField, NetworkSpec
from lensing_core.models.networks.physics import TRUTH
from lensing_core.store import open_database
from lensing_core.store.observations import fetch_truth

SCALING_SAMPLE = 512
_MIN_FOLDS = 5


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
    train: IntArray
    validation: IntArray


def plan_networks(
    settings: TrainSettings, data: TrainingData, splits: dict[str, IntArray]
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
    _check_devices(settings)
    size, accumulate = settings.network_batch, settings.accumulate
    while True:
        try:
            return _train(context, settings, data, plan, size, accumulate)
        except (torch.cuda.OutOfMemoryError, ProcessException) as error:
            context.check_cancelled()  # one that is cancelled ends the others
            if Cancelled.__name__ in str(error):  # it knew before this process did
                raise Cancelled from error
            if size < 4 or "OutOfMemoryError" not in f"{type(error)} {error}":
                raise
            size, accumulate = size // 2, accumulate * 2
            torch.cuda.empty_cache()
            context.log(f"The GPU is out of memory; going on with batches of {size}.", "warning")


def _check_devices(settings: TrainSettings) -> None:
    on_gpu = torch_device(settings.device) == "cuda"
    if on_gpu and settings.devices > torch.cuda.device_count():
        raise BadInputError(
            f"devices = {settings.devices}: this machine has {torch.cuda.device_count()} GPUs."
        )


def _known_masses(settings: TrainSettings, data: TrainingData, plan: NetworkPlan) -> Float32Array:
    """Return what the second task of training is told of all objects, (n, k); k is 0 without it."""
    if not settings.physics_weight:
        return np.empty((len(data), 0), dtype=np.float32)
    with open_database(data.workspace).session() as session:
        truth = fetch_truth(session, data.labels.candidate_id, TRUTH)
    if not np.isfinite(truth[plan.train, :3]).all(axis=1).any():
        raise BadInputError(
            f"physics_weight = {settings.physics_weight:g}: no object to train on has a known "
            f"{', '.join(TRUTH[:3])}. Add a simulated catalog of galaxy-scale lenses, or set it "
            "to 0."
        )
    return truth


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
    batches = math.ceil(len(plan.train) / settings.devices / size) * settings.epochs
    module = LensModule(
        spec,
        scaling,
        settings,
        max(1, batches // accumulate),
        seed=plan.seed,
        lens_share=_lens_share(data, plan.train),
        pixel_scale_arcsec=contract.pixel_scale_arcsec,
    )
    truth = _known_masses(settings, data, plan)
    train, validation = (
        LabeledCutouts(data, part, fields, truth) for part in (plan.train, plan.validation)
    )
    processes = settings.devices
    batches_of = train_loader(train, size, seed=plan.seed, processes=processes)
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
        module.learning_rate = _find_learning_rate(context, settings, module, batches_of, plan.name)
        module.network.load_state_dict(before)  # the test has moved the weights
    trainer = _trainer(context, settings, folder, batches, accumulate, plan.name)
    trainer.fit(
        module,
        batches_of,
        validation_loader(validation, 256, processes=processes),
        ckpt_path=last if last.exists() else None,
        weights_only=True,
    )
    stored = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=True)
    # Where weights are averaged, a checkpoint's state holds the average.
    module.load_state_dict(stored["state_dict"])
    module.network.eval().cpu()
    half = settings.weight_bits == "16"
    member = DeepMember(
        contract,
        spec,
        module.network,
        scaling,
        dihedral_averaging=settings.dihedral_averaging,
        half=half,
    )
    return member.rounded()


def _options(settings: TrainSettings, backbone: str, size_px: int) -> dict[str, Any]:
    """Options of the backbone, as far as it has them."""
    options: dict[str, Any] = {}
    if settings.small_stem and "resnet" in backbone:
        options["small_stem"] = True
    if settings.width != 1 and "resnet" in backbone:
        options["timm"] = {"channels": [round(settings.width * c) for c in (64, 128, 256, 512)]}
    if backbone == ARC_AWARE:
        options["prior"] = settings.arc_prior
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
    callbacks: list[Callback] = [
        ModelCheckpoint(
            folder,
            filename="best",
            monitor="validation_loss",
            save_last=True,
            enable_version_counter=False,
        ),
        EarlyStopping("validation_loss", patience=settings.patience),
        Report(context, batches // accumulate, member),
    ]
    if settings.average_decay:
        callbacks.append(EMAWeightAveraging(decay=settings.average_decay))
    return make_trainer(settings, folder, callbacks, accumulate=accumulate)


def make_trainer(
    settings: TrainSettings, folder: Path, callbacks: list[Callback], *, accumulate: int = 1
) -> lightning.Trainer:
    """Lightning's loop on the devices and with the arithmetic of ``settings``."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*but have no `val_dataloader`.*")
    return lightning.Trainer(
        max_epochs=settings.epochs,
        accelerator=LIGHTNING_ACCELERATORS[settings.device],
        devices=settings.devices,
        strategy=_several_processes() if settings.devices > 1 else "auto",
        use_distributed_sampler=False,  # the samplers share the objects out themselves
        sync_batchnorm=settings.devices > 1 and torch.cuda.is_available(),
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


def _several_processes() -> DDPStrategy:
    """Return the strategy of processes that begin for the fit alone: all else happens once.

    CUDA cannot be used in a fork; without it, a fork need not import PyTorch again.
    """
    if torch.cuda.is_available():
        return DDPStrategy(start_method="spawn", find_unused_parameters=True)
    return DDPStrategy(start_method="forkserver", find_unused_parameters=True)


def _lens_share(data: TrainingData, rows: IntArray) -> float:
    """Share of lenses among training objects, by the weights of their labels."""
    return float(np.average(data.labels.label[rows], weights=data.labels.weights(rows)))


def _find_learning_rate(
    context: JobContext, settings: TrainSettings, module: LensModule, train: Any, member: str
) -> float:
    """The rate where the loss falls fastest in a range test (Smith 2017, arXiv:1506.01186)."""
    context.progress(0, None, f"Looking for the learning rate of {member}")
    trainer = lightning.Trainer(
        accelerator=LIGHTNING_ACCELERATORS[settings.device],
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=context.folder,
    )
    steps = min(100, max(20, len(train)))
    finder = Tuner(trainer).lr_find(
        module, train, min_lr=1e-5, max_lr=0.1, num_training=steps, attr_name="learning_rate"
    )
    suggestion = finder.suggestion() if finder is not None else None
    if suggestion is None:
        context.log(
            f"{member}: the range test found no rate; {settings.learning_rate:g} is used.",
            "warning",
        )
        return float(settings.learning_rate)
    context.log(f"{member}: peak learning rate {suggestion:.2g}, from a range test.")
    return float(suggestion)
