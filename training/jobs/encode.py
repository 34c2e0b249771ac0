"""The job that stores a pretrained encoder's embeddings of catalogs; nothing is trained."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs.notes import write_note
from lens_triage.training.recording import record_model
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import EncodeSettings
from lens_triage.training.settings.encode import crops_of
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.cutouts.verifying import check_shards
from lensing_core.models.encoders import EncoderMember, make_encoder
from lensing_core.models.files import StoredMember, load_member, new_model_id, save_member
from lensing_core.models.ood import OODDistance
from lensing_core.models.outputs import OutputWriter, StoredOutputs, rows_stored
from lensing_core.models.predictors import Predictors
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.encoders import find_encoder
from lensing_core.workspace import Workspace

SAMPLE = 512
"""Cutouts from which the pictures' noise and brightness are measured."""
OOD_SAMPLE = 500


def run(context: JobContext, settings: EncodeSettings) -> dict[str, Any]:
    """Embed all candidates of the catalogs, going on where an earlier attempt stopped."""
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    stored = _encoder(context, settings, names[0])
    began = time.perf_counter()
    encoded = sum(encode_catalog(context, stored, name, settings.batch_size) for name in names)
    seconds = time.perf_counter() - began
    return {
        "encoder": settings.encoder,
        "model": stored.id,
        "catalogs": names,
        "encoded": encoded,
        "dimensions": stored.manifest["embedding_dim"],
        "crops_arcsec": stored.manifest["encoder"]["crops_arcsec"],
        "per_second": round(encoded / seconds, 1) if encoded else 0.0,
    }


def _encoder(context: JobContext, settings: EncodeSettings, catalog: str) -> StoredMember:
    """The model of this run: an equal one that the workspace has, else a new one."""
    workspace = context.workspace
    note: Path = context.folder / "encoder.json"
    load = {"device": _device(settings.device), "precision": settings.precision}
    if note.is_file():
        return load_member(workspace, json.loads(note.read_text())["model"], **load)
    context.progress(0, None, "Reading the encoder's weights")
    member = encoder_for(workspace, catalog, settings)
    with open_database(workspace).session() as session:
        model_id = find_encoder(session, member.spec.to_json(), member.contract.to_json())
    if model_id is None:
        model_id = new_model_id(settings.encoder.replace("_", "-").replace(".", "-").lower()[:40])
        member = replace(member, device=load["device"], precision=settings.precision)
        member = replace(member, ood_distance=_ood_distance(workspace, catalog, member))
        made = {"run": context.run_id, "settings": settings.to_json(), "catalogs": [catalog]}
        save_member(workspace, model_id, member, made)
        record_model(context, model_id)
        context.log(f"Encoder {settings.encoder} is stored as {model_id}: {member.spec.source}.")
    else:
        context.log(f"Encoder {model_id} of this workspace sees cutouts in the same way.")
    write_note(note, {"model": model_id})
    return load_member(workspace, model_id, **load)


def encoder_for(workspace: Workspace, catalog: str, settings: Any) -> EncoderMember:
    """A member for the cutouts of a catalog, as settings say that have an encoder.

    Raises
    ------
    BadInputError, PretrainedUnavailableError
        If weights do not fit or cannot be had.
    """
    store = CutoutStore(workspace.catalog_cutouts(catalog))
    with open_database(workspace).session() as session:
        scale = find_catalog(session, catalog).scale
    rows = np.unique(np.linspace(0, len(store) - 1, min(SAMPLE, len(store))).astype(np.int64))
    return make_encoder(
        settings.encoder,
        store.read_many(rows),
        store.geometry,
        scale=scale,
        weights_file=Path(settings.weights).expanduser() if settings.weights else None,
        input_px=settings.input_px,
        crops_arcsec=crops_of(settings.crops),
        views=int(settings.views),
        unit_levels=settings.unit_levels,
        layers=settings.layers,
    )


def _ood_distance(workspace: Workspace, catalog: str, member: EncoderMember) -> OODDistance | None:
    """Distance from a sample of the catalog's objects, of which hardly any is a lens."""
    store = CutoutStore(workspace.catalog_cutouts(catalog))
    if len(store) < 50:
        return None
    rows = np.unique(np.linspace(0, len(store) - 1, min(OOD_SAMPLE, len(store))).astype(int))
    return OODDistance.measure(embed(member, store, rows))


def embed(
    member: EncoderMember, store: CutoutStore, rows: IntArray, batch: int = 256
) -> Float32Array:
    """Embeddings (n, d) of some cutouts."""
    predict = member.predictor(store.geometry, store.folder.name)
    encoded = [
        predict(store.read_many(rows[first : first + batch])).embedding
        for first in range(0, len(rows), batch)
    ]
    return np.concatenate([part for part in encoded if part is not None])


def encode_catalog(context: JobContext, stored: StoredMember, name: str, batch_size: int) -> int:
    """Store the embeddings of a catalog that are not stored yet; return how many those were."""
    workspace = context.workspace
    folder = workspace.catalog_cutouts(name)
    check_shards(
        folder,
        known=workspace.verified_cutouts(name),
        progress=lambda: context.progress(0, None, "Checking the cutouts"),
    )
    store = CutoutStore(folder)
    done = rows_stored(workspace, stored.id, name)
    writer = OutputWriter(workspace, stored.id, name, len(store))
    began = time.perf_counter()
    with Predictors.open([stored], store.geometry, name, len(store) - done) as predictors:
        for first, flux in store.batches(batch_size, start=done):
            seconds = time.perf_counter() - began
            rate = f", {(first - done) / seconds:,.0f} a second" if first > done else ""
            context.progress(first, len(store), f"Encoding {name}{rate}")
            writer.write(first, predictors.begin(flux, None)[stored.id]())
    context.progress(len(store), len(store), "Done")
    StoredOutputs.read(workspace, stored.id, name, len(store))  # all of it is on the disk
    return len(store) - done


def _device(choice: str) -> str:
    if choice != "auto":
        return choice
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
