"""A pretrained encoder as a member of a trained ensemble: frozen, with a head on labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lens_triage.training.settings.encode import crops_of
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.models.encoders import EncoderMember, make_encoder
from lensing_core.models.ood import OODDistance
from lensing_core.pu.probes import ColumnBlock, ProbeData, ProbeMethod, probe_inputs

MOST_LABELED = 3000
"""Labeled objects that a head is chosen and fitted on: it is made for few."""
SAMPLE, BATCH = 512, 256


@dataclass(frozen=True)
class EncoderPlan:
    """An encoder to be given a head."""

    encoder: str

    @property
    def name(self) -> str:
        """Name of the member, for model ids and files of the run."""
        return self.encoder.replace("_", "-").replace(".", "-").lower()[:40]


def train_encoder(
    context: JobContext,
    settings: TrainSettings,
    data: TrainingData,
    splits: dict[str, IntArray],
    plan: EncoderPlan,
) -> EncoderMember:
    """Fit a probe on the encoder's embeddings of training and validation objects."""
    known = np.sort(np.concatenate([splits["train"], splits["validation"]]))
    rng = np.random.default_rng(settings.seed)
    if len(known) > MOST_LABELED:
        context.log(f"{MOST_LABELED:,} of {len(known):,} labeled objects fit the encoder's head.")
        known = np.sort(rng.choice(known, MOST_LABELED, replace=False))
    sample = rng.choice(known, min(SAMPLE, len(known)), replace=False)
    member = make_encoder(
        plan.encoder,
        data.native_flux(sample),
        data.geometry,
        scale=data.scale,
        weights_file=Path(settings.weights).expanduser() if settings.weights else None,
        input_px=settings.input_px,
        crops_arcsec=crops_of(settings.crops),
        views=int(settings.views),
        unit_levels=settings.unit_levels,
        layers=settings.layers,
    )
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    device = wanted if settings.device == "auto" else settings.device
    x = _embeddings(context, replace(member, device=device), data, known)
    at = 0
    blocks = []
    for part in member.blocks:
        blocks.append(ColumnBlock(plan.encoder, part["layer"], at, at + part["columns"]))
        at += part["columns"]
    labels = data.labels.label[known]
    method = ProbeMethod(tuple(probe_inputs(blocks)), seed=settings.seed)
    fitted = method.fit(ProbeData(x, labels, np.ones(len(x)), data.labels.group[known]))
    for metrics in fitted.metrics:
        context.log(metrics.sentence)
    non_lenses = x[labels == 0]
    return member.with_head(
        fitted.scorer, OODDistance.measure(non_lenses) if len(non_lenses) > 1 else None
    )


def _embeddings(
    context: JobContext, member: EncoderMember, data: TrainingData, indices: IntArray
) -> Float32Array:
    """Embeddings (n, d) of objects, in their order."""
    predict = member.predictor(data.geometry, "training")
    embeddings = []
    for batch in data.batches(indices, BATCH):
        embedding = predict(data.native_flux(batch)).embedding
        embeddings.append(np.empty((0, 0), np.float32) if embedding is None else embedding)
        context.progress(sum(map(len, embeddings)), len(indices), "Encoding training objects")
    return np.concatenate(embeddings)
