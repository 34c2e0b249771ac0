"""A workspace with something to see: catalogs, quarantined rows, an ensemble, scores and runs."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from manifests import model_manifest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate, Rejected
from lensing_core.store import open_database
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Ensemble,
    EnsembleMember,
    MemberScore,
    Model,
    Run,
    RunLog,
    RunMetric,
    Score,
    utc_now,
)
from lensing_core.workspace import Workspace

LONG_NAME = "decals-dr10-south-luminous-red-galaxies-with-blue-neighbors"
N_OBSERVED, N_SIMULATED, N_LONG = 140, 60, 12
_CONTRACT = {
    "bands": ["g", "r", "i"],
    "size_px": 48,
    "pixel_scale_arcsec": 0.168,
    "pixel_kind": "flux",
}


def cutouts(n: int, bands: int, size: int, lens: np.ndarray, seed: int) -> np.ndarray:
    """Red ellipses with noise; a blue arc around those of ``lens``, (n, band, y, x) float32."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    flux = rng.normal(0, 1, (n, bands, size, size))
    for k in range(n):
        q, angle, width = rng.uniform(0.5, 1), rng.uniform(0, np.pi), rng.uniform(2.5, 5)
        u = x * np.cos(angle) + y * np.sin(angle)
        v = (y * np.cos(angle) - x * np.sin(angle)) / q
        galaxy = 60 * np.exp(-np.hypot(u, v) / width)
        radius, azimuth = np.hypot(x, y), np.arctan2(y, x)
        turn = np.angle(np.exp(1j * (azimuth - rng.uniform(0, 2 * np.pi))))
        arc = 18 * np.exp(-(((radius - size / 5) / 1.6) ** 2) - (turn / 0.9) ** 2) * lens[k]
        for band in range(bands):
            red = (band + 1) / bands
            flux[k, band] += galaxy * red + arc * (1.3 - red)
    return flux.astype(np.float32)


def _catalog(
    workspace: Workspace,
    name: str,
    n: int,
    *,
    bands: tuple[str, ...] = ("g", "r", "i"),
    size: int = 48,
    seed: int = 1,
    labeled: bool = False,
    rejected: tuple[Rejected, ...] = (),
    survey: str = "hsc",
    origin: str = "observed",
    finish: bool = True,
) -> None:
    rng = np.random.default_rng(seed)
    lens = rng.random(n) < 0.2
    geometry = CutoutGeometry(
        survey, bands, size, 0.168, "flux", (27.0,) * len(bands), (0.7,) * len(bands)
    )
    spec = CatalogSpec(
        name,
        geometry,
        {"name": survey},
        origin=origin,
        label_source="sim:test" if labeled else None,
        notes={"cropped": "from 60 px to 48 px", "files": 3 * n},
    )
    writer = CatalogWriter(workspace, spec)
    rows = [
        NewCandidate(
            object_id=f"{name[:6]}-{k:05d}",
            ra_deg=float(150 + rng.uniform(-1, 1)),
            dec_deg=float(2 + rng.uniform(-1, 1)),
            label=int(lens[k]) if labeled else None,
            magnitude=float(rng.uniform(17, 22)),
            observation={"z_phot": float(rng.uniform(0.2, 0.9))} if k % 3 else {},
        )
        for k in range(n)
    ]
    flux = cutouts(n, len(bands), size, lens, seed)
    writer.append(flux, rows, rows_read=n + len(rejected), rejected=rejected)
    if finish:
        writer.finish()


def _rejected() -> tuple[Rejected, ...]:
    kinds = (
        ("missing_file", "{} does not exist; check the file pattern."),
        ("truncated", "{} ends before its last row of pixels; fetch it again."),
        ("all_nan", "{} holds no finite pixel."),
    )
    made = []
    for k in range(37):
        reason, message = kinds[min(k // 18, 2)]
        name = f"images/cosmos/{k:04d}_g.fits"
        made.append(Rejected(200 + k, reason, message.format(name), f"hsc-{k:05d}", name))
    return tuple(made)


def _metric(value: float | None, half: float = 0.0) -> dict[str, float | None]:
    if value is None:
        return dict.fromkeys(("value", "low_68", "high_68", "low_95", "high_95"))
    return {
        "value": value,
        "low_68": value - half,
        "high_68": value + half,
        "low_95": value - 2 * half,
        "high_95": value + 2 * half,
    }


METRICS = {
    "tpr0": _metric(0.417, 0.06),
    "tpr10": _metric(0.75, 0.05),
    "recall_fpr_1e-4": _metric(None),
    "recall_fpr_1e-3": _metric(None),
    "recall_fpr_1e-2": _metric(0.5, 0.07),
    "average_precision": _metric(0.871, 0.03),
    "auroc": _metric(0.962, 0.01),
}


def _ensemble(workspace: Workspace, name: str, run_id: str | None = None) -> int:
    """An ensemble of two members; return its id."""
    with open_database(workspace).session() as session:
        models = [
            Model(
                id=f"{name}-{short}",
                kind=kind,
                manifest=model_manifest(f"{name}-{short}", kind, contract=_CONTRACT),
            )
            for short, kind in (("lightgbm", "lightgbm"), ("timm", "network"))
        ]
        session.add_all(models)
        manifest = {
            "figures": {"ensemble": METRICS},
            "figures_on": "held-out objects of simulated",
            "catalogs": ["simulated"],
        }
        ensemble = Ensemble(
            name=name, fusion="mean", manifest=manifest, run_id=run_id, promoted_at=utc_now()
        )
        session.add(ensemble)
        session.flush()
        session.add_all(
            EnsembleMember(ensemble_id=ensemble.id, model_id=model.id, position=k)
            for k, model in enumerate(models)
        )
        return ensemble.id


def _scores(workspace: Workspace, ensemble_id: int, catalog: str, seed: int = 5) -> None:
    rng = np.random.default_rng(seed)
    with open_database(workspace).session() as session:
        found = session.query(Catalog).filter_by(name=catalog).one()
        ensemble = session.get_one(Ensemble, ensemble_id)
        for candidate in session.query(Candidate).filter_by(catalog_id=found.id):
            logits = rng.normal(-3.5, 2.2) + rng.normal(0, 0.6, 2)
            p = 1 / (1 + np.exp(-logits))
            mean = float(p.mean())
            entropy = float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())
            total = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
            session.add(
                Score(
                    ensemble_id=ensemble_id,
                    candidate_id=candidate.id,
                    catalog_id=found.id,
                    logit=float(np.log(mean / (1 - mean))),
                    probability=mean,
                    epistemic=max(0.0, float(total - entropy)),
                    aleatoric=entropy,
                    disagreement=float(logits.std()),
                    ood_distance=float(rng.chisquare(4)),
                )
            )
            for member, logit, probability in zip(ensemble.members, logits, p, strict=True):
                session.add(
                    MemberScore(
                        model_id=member.model_id,
                        candidate_id=candidate.id,
                        logit=float(logit),
                        probability=float(probability),
                    )
                )


def _run(workspace: Workspace, run_id: str, kind: str, minutes_ago: float, **columns) -> None:
    created = utc_now() - timedelta(minutes=minutes_ago)
    fields = {
        "status": "succeeded",
        "settings": {},
        "done": 100,
        "total": 100,
        "attempt": 1,
        "started_at": created + timedelta(seconds=1),
        "finished_at": created + timedelta(seconds=83),
        **columns,
    }
    with open_database(workspace).session() as session:
        session.add(Run(id=run_id, kind=kind, created_at=created, **fields))


def _runs(workspace: Workspace) -> None:
    _run(
        workspace,
        "20260101-120000-simulate-aaaaaa",
        "simulate",
        50,
        title="Simulate 60 objects as hsc into simulated",
        settings={"catalog": "simulated", "survey": "hsc", "n_objects": 60},
        result={"catalog": "simulated", "candidates": 60, "rate_per_s": 412.5},
    )
    _run(
        workspace,
        "20260101-121000-train-bbbbbb",
        "train",
        40,
        title="Train first on simulated",
        settings={"ensemble": "first", "catalogs": ["simulated"], "seed": 1},
        result={"ensemble": "first", "members": ["trees-1", "network-1"], "figures": METRICS},
    )
    _run(
        workspace,
        "20260101-122000-score-cccccc",
        "score",
        30,
        title="Score cosmos with first",
        settings={"ensemble": "first", "catalog": "cosmos", "batch_size": 256},
        done=N_OBSERVED,
        total=N_OBSERVED,
        result={"scored": N_OBSERVED, "rate_per_s": 1712.0},
    )
    _run(
        workspace,
        "20260101-123000-ingest-dddddd",
        "ingest",
        20,
        title=f"Import {LONG_NAME}",
        status="failed",
        error="table.csv, row 4: declination 97.2 deg lies outside -90 to 90; mend the row.",
        done=12,
        total=90,
    )
    rng = np.random.default_rng(3)
    with open_database(workspace).session() as session:
        for member, pace in (("trees", 8.0), ("network", 14.0)):
            for step in range(1, 31):
                for name, offset in (("train_loss", 0.0), ("validation_loss", 0.06)):
                    value = 0.1 + offset + 0.6 * np.exp(-step / pace) + rng.normal(0, 0.008)
                    session.add(
                        RunMetric(
                            run_id="20260101-121000-train-bbbbbb",
                            member=member,
                            name=name,
                            step=step,
                            value=float(value),
                        )
                    )
        session.add_all(
            RunLog(run_id="20260101-121000-train-bbbbbb", level=level, message=message)
            for level, message in (
                ("info", "48 cutouts to train on, 12 held out."),
                ("warning", "12 positives: intervals are wide."),
                ("info", "Wrote ensemble first."),
            )
        )


def fill_workspace(workspace: Workspace) -> Workspace:
    """Catalogs ``cosmos`` (scored, 37 rows quarantined), ``simulated`` and one of a long name."""
    _catalog(workspace, "cosmos", N_OBSERVED, rejected=_rejected())
    _catalog(workspace, "simulated", N_SIMULATED, seed=2, labeled=True, origin="simulated")
    _catalog(
        workspace,
        LONG_NAME,
        N_LONG,
        bands=("g", "r", "i", "z", "y"),
        seed=3,
        finish=False,
    )
    _runs(workspace)
    ensemble_id = _ensemble(workspace, "first", "20260101-121000-train-bbbbbb")
    _scores(workspace, ensemble_id, "cosmos")
    return workspace
