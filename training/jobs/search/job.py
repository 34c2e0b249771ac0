"""The job that searches a catalog: paint, encode, train, score; each step can be resumed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs import encode, inject
from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.search.committee import Committee, fit_committee
from lens_triage.training.jobs.search.estimate import estimate_search
from lens_triage.training.jobs.search.sets import SearchData, gather, known_ids
from lens_triage.training.jobs.steps import StepContext
from lens_triage.training.jobs.train.held_out import HeldOut
from lens_triage.training.realism import check_realism_by
from lens_triage.training.recording import is_recorded, record_ensemble
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import EncodeSettings, SearchSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.calibration import reliability
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.evaluation import appearance_of_rows, baseline_scores
from lensing_core.metrics import RankingCurve, ranking_metrics_with_intervals
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.files import AnyMember, load_member, new_model_id, save_member
from lensing_core.models.head import HeadInput, HeadMember
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter, StoredOutputs
from lensing_core.pu.contract import IntervalEstimate, Link, PUModel
from lensing_core.scoring import fuse, open_ensemble
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import find_ensemble, rows_scored
from lensing_core.store.scores import write_scores

BATCH = 8192
RELIABILITY_BINS = 15
"""Fewer where fewer objects are held out."""
MOST_BASELINE_NEGATIVES = 5000
"""Time and memory of a baseline go with the square of the objects."""
COMMITTEE = "committee.json"


def run(context: JobContext, settings: SearchSettings) -> dict[str, Any]:
    """Search a catalog; what an earlier attempt finished is kept."""
    database = open_database(context.workspace)
    context.log(estimate_search(context.workspace, database, settings).sentence)
    sets = _paint(context, settings)
    encoder = _encode(context, settings, sets)
    if not is_recorded(context, settings.ensemble):
        _train(context, settings, sets, encoder)
    scored = _score(context, settings, sets, encoder)
    with database.session() as session:
        manifest = find_ensemble(session, settings.ensemble).manifest
    return {
        "ensemble": settings.ensemble,
        "catalog": settings.catalog,
        "scored": scored,
        "figures": manifest["figures"]["ensemble"],
        "baselines": manifest["baselines"],
        "splits": manifest["splits"],
        "mined": manifest["search"]["mined"],
        "realism": [gate["sentence"] for gate in manifest["search"].get("realism", ())],
    }


def _paint(context: JobContext, settings: SearchSettings) -> list[str]:
    """Make the training sets; return their catalogs."""
    with open_database(context.workspace).session() as session:
        barred = known_ids(
            session, settings.catalog, settings.known_radius_arcsec, context.workspace
        )
    names = []
    for number in range(settings.training_sets):
        step = StepContext(
            context, f"set-{number + 1}", f"Training set {number + 1} of {settings.training_sets}"
        )
        result = inject.run(step, settings.injection(number), without=barred)
        context.log(f"Training set {number + 1}: {result['galaxies']:,} galaxies with arcs.")
        names.append(result["catalog"])
    return names


def _encode(context: JobContext, settings: SearchSettings, sets: list[str]) -> str:
    """Store embeddings of catalog and training sets; return the encoder's model."""
    chosen = EncodeSettings(
        catalog=settings.catalog,
        additional_catalogs=sets,
        encoder=settings.encoder,
        weights=settings.weights,
        input_px=settings.input_px,
        views=settings.views,
        layers=settings.layers,
        device=settings.device,
    )
    return str(encode.run(StepContext(context, "encoder", "Encoder"), chosen)["model"])


def _gather(context: JobContext, settings: SearchSettings, sets: list[str]) -> SearchData:
    with open_database(context.workspace).session() as session:
        return gather(
            session,
            context.workspace,
            settings.catalog,
            sets,
            seed=settings.seed,
            known_radius_arcsec=settings.known_radius_arcsec,
        )


def _embeddings(context: JobContext, data: SearchData, encoder: str) -> Float32Array:
    """Embeddings of all objects, catalog by catalog, (n, d)."""
    parts = []
    for catalog_id, name in data.labels.catalogs.items():
        rows = data.labels.row[data.labels.catalog_id == catalog_id]
        stored = StoredOutputs.read(context.workspace, encoder, name, int(rows.max()) + 1)
        found = stored.output(slice(0, int(rows.max()) + 1)).embedding
        assert found is not None  # noqa: S101 - encoders store nothing else
        parts.append(found[rows])
    return np.concatenate(parts)


def _check_realism(
    context: JobContext, settings: SearchSettings, sets: list[str], encoder: str
) -> list[dict[str, Any]]:
    """Tell painted arcs from the catalog's own objects, and say so before they train anything."""
    found = []
    for number, name in enumerate(sets, 1):
        context.progress(number - 1, len(sets), "Comparing painted with real objects")
        try:
            gates = check_realism_by(context.workspace, name, [settings.catalog], [encoder])
        except BadInputError as error:
            context.log(f"Training set {number}: {error}", "warning")
            continue
        for gate in gates:
            level = "info" if gate["passed"] else "warning"
            context.log(f"Training set {number}: {gate['sentence']}", level)
            found.append({"set": number, **gate})
    return found


def _train(context: JobContext, settings: SearchSettings, sets: list[str], encoder: str) -> None:
    """Fit the committee, measure it on held-out objects, and record the ensemble."""
    realism = _check_realism(context, settings, sets, encoder)
    context.progress(0, None, "Putting training sets together")
    data = _gather(context, settings, sets)
    if not data.with_blocks:
        context.log(
            "The catalog covers too little sky to hold out whole blocks of it: splits keep "
            "duplicates and hosts together, no more.",
            "warning",
        )
    x = _embeddings(context, data, encoder)
    context.progress(0, None, "Training the committee")
    committee = fit_committee(data, x, settings)
    context.log(
        f"{len(committee.members)} members; {committee.mined:,} highest-ranking unlabeled objects "
        "of training groups were added to the non-lenses."
    )
    rows, label = data.of_split("test")
    raw = committee.raw(x[rows])
    scores = committee.rule(raw)
    manifest = _manifest(context, settings, data, committee)
    manifest["search"]["realism"] = realism
    models = _save(context, settings, encoder, committee, x.shape[1], manifest)
    manifest |= {
        "figures": {
            "ensemble": _metrics(scores.logit, label),
            **{k: _metrics(column, label) for k, column in zip(models, raw.T, strict=True)},
        },
        "baselines": _baselines(context, data, rows, label),
        "reliability": reliability(
            committee.rule.at_prior(committee.rule.joint.prior)(raw).logit,
            label,
            n_bins=min(RELIABILITY_BINS, len(label)),
        ).to_json(),
    }
    HeldOut(data.labels.candidate_id[rows], label, scores.logit).write(
        context.workspace, settings.ensemble
    )
    record_ensemble(context, settings.ensemble, "mean", manifest, models)


def _manifest(
    context: JobContext, settings: SearchSettings, data: SearchData, committee: Committee
) -> dict[str, Any]:
    with open_database(context.workspace).session() as session:
        scale = find_catalog(session, settings.catalog).scale
    sizes = {}
    for name in ("train", "calibration", "test"):
        _, label = data.of_split(name)
        sizes[name] = {"lenses": int(label.sum()), "objects": len(label)}
    return {
        "run": context.run_id,
        "settings": settings.to_json(),
        "catalogs": [settings.catalog],
        "origins": {settings.catalog: "observed"},
        "data_sha256": _digest(context, data),
        "scale": scale,
        "splits": sizes,
        "rule": committee.rule.to_json(),
        "figures_on": f"held-out objects of {settings.catalog}: painted arcs against its unlabeled "
        "objects",
        "fusion_choice": None,
        "conformal": None,
        "strata": {},
        "class_prior_of_training": sizes["train"]["lenses"] / sizes["train"]["objects"],
        "search": {
            "mined": committee.mined,
            "members": [{"set": m.set_number, "half": m.half} for m in committee.members],
        },
    }


def _digest(context: JobContext, data: SearchData) -> str:
    """Digest of which objects and pixels were used; metrics are comparable under one alone."""
    digest = hashlib.sha256()
    for values in (data.labels.candidate_id, data.set_number, data.labels.state):
        digest.update(np.ascontiguousarray(values).tobytes())
    for name in data.labels.catalogs.values():
        for path in sorted(context.workspace.catalog_cutouts(name).glob("shard-*.json")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _metrics(logits: Float64Array, labels: IntArray) -> dict[str, Any]:
    found = ranking_metrics_with_intervals(logits, labels)
    return {name: metric.to_json() for name, metric in found.items()}


def _baselines(
    context: JobContext, data: SearchData, rows: IntArray, label: IntArray
) -> dict[str, float]:
    """AUROC of rankings by brightness, color and center alone on the same objects.

    Of the non-lenses at most :data:`MOST_BASELINE_NEGATIVES`, drawn at random. Empty where lenses
    or non-lenses stand in one group, so that no ranking can be cross-fitted.
    """
    context.progress(0, None, "Measuring brightness, color and center")
    negatives = np.flatnonzero(label == 0)
    if len(negatives) > MOST_BASELINE_NEGATIVES:
        rng = np.random.default_rng(0)
        negatives = rng.choice(negatives, MOST_BASELINE_NEGATIVES, replace=False)
    used = np.sort(np.concatenate([np.flatnonzero(label == 1), negatives]))
    rows, label = rows[used], label[used]
    groups = data.group[rows]
    if min(len(np.unique(groups[label == kind])) for kind in (0, 1)) < 2:
        context.log("Baselines are not measured: a class stands in one group alone.", "warning")
        return {}
    labels = data.labels
    stores = {
        key: CutoutStore(context.workspace.catalog_cutouts(name))
        for key, name in labels.catalogs.items()
    }
    appearance = appearance_of_rows(stores, labels.catalog_id[rows], labels.row[rows])
    scores = baseline_scores(appearance, label, groups)
    return {name: RankingCurve.of(values, label).auroc() for name, values in scores.items()}


def _save(
    context: JobContext,
    settings: SearchSettings,
    encoder: str,
    committee: Committee,
    columns: int,
    manifest: dict[str, Any],
) -> list[str]:
    """Store the members: the first is the encoder with its head, the others are heads on it."""
    workspace = context.workspace
    base = load_member(workspace, encoder).member
    assert isinstance(base, EncoderMember)  # noqa: S101 - the run has made it
    first, *others = committee.members
    common = {key: manifest[key] for key in ("run", "settings", "catalogs", "scale", "splits")}
    headed = base.with_head(first.scorer, base.ood_distance)
    ids = [new_model_id(f"{settings.ensemble[:30]}-1")]
    save_member(workspace, ids[0], headed, common)
    inputs = (HeadInput(ids[0], "embedding", columns),)
    for number, member in enumerate(others, 2):
        model = PUModel(
            "naive",
            (member.scorer,),
            Link(),
            columns,
            prior=IntervalEstimate(settings.survey_prior),
        )
        head: AnyMember = HeadMember(inputs, model, 0.0, {ids[0]: headed})
        ids.append(new_model_id(f"{settings.ensemble[:30]}-{number}"))
        save_member(workspace, ids[-1], head, common)
    seen = [member.seen.tolist() for member in committee.members]
    write_note(context.folder / COMMITTEE, {"models": ids, "seen": seen})
    return ids


def _score(context: JobContext, settings: SearchSettings, sets: list[str], encoder: str) -> int:
    """Rank the catalog: each object by the members that were not fitted on it."""
    database = open_database(context.workspace)
    with database.session() as session:
        ensemble = find_ensemble(session, settings.ensemble)
        catalog = find_catalog(session, settings.catalog)
        done = rows_scored(session, ensemble.id, catalog.id)
    data = _gather(context, settings, sets)
    own = np.flatnonzero(~data.painted)
    rule, members = open_ensemble(context.workspace, ensemble)
    note = json.loads((Path(context.folder) / COMMITTEE).read_text())
    seen = np.zeros((len(data), len(members)), dtype=bool)
    for k, rows in enumerate(note["seen"]):
        seen[np.array(rows, dtype=np.int64), k] = True
    stored = StoredOutputs.read(context.workspace, encoder, settings.catalog, len(own))
    writer = OutputWriter(context.workspace, members[0].id, settings.catalog, len(own))
    head = members[0].member
    for start in range(done, len(own), BATCH):
        context.progress(start, len(own), f"Ranking {settings.catalog}")
        part = slice(start, min(start + BATCH, len(own)))
        embedding = stored.output(part).embedding
        assert isinstance(head, EncoderMember)  # noqa: S101 - the first member is one
        assert head.head is not None and embedding is not None  # noqa: S101, PT018
        output = MemberOutput(head.head(embedding), embedding)
        writer.write(start, output)
        scores, distances = fuse(rule, members, {members[0].id: output}, without=seen[own[part]])
        ids = data.labels.candidate_id[own[part]].tolist()
        with database.session() as session:
            write_scores(session, ensemble, catalog.id, ids, scores, distances)
    context.progress(len(own), len(own), "Done")
    return len(own)
