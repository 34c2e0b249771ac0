"""Separation of painted arcs from real lenses, by stored outputs of members."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lensing_core.arrays import ByteArray, Float32Array
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.table import CandidateLabels
from lensing_core.datasets.uses import LENS, Use
from lensing_core.errors import BadInputError
from lensing_core.evaluation import realism_gate
from lensing_core.evaluation.realism import FEWEST
from lensing_core.models.contract import flux_scale
from lensing_core.models.encoders import PictureMapping
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.store import Session, open_database
from lensing_core.store.catalogs import find_catalogs
from lensing_core.store.encoders import encoders_of
from lensing_core.store.ensembles import find_ensemble
from lensing_core.workspace import Workspace

MOST = 1000
_USE = Use(unlabeled=True, gold=False)


def check_realism(
    workspace: Workspace,
    painted: str,
    real: Sequence[str],
    ensemble: str,
    *,
    pictures: Path | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Realism gates by each embedding and table of features that is stored of all catalogs.

    Painted lenses are compared with real lenses where there are enough of those, else with all real
    objects; then arcs themselves tell them apart, and the sentence says so.

    Parameters
    ----------
    painted : str
        Catalog whose lenses are painted or simulated.
    pictures : Path, optional
        Folder for one picture a gate: what gives painted objects away above, real ones below.

    Raises
    ------
    BadInputError
        If no member has stored outputs of all catalogs, or objects are too few.
    """
    with open_database(workspace).session() as session:
        models = _models(session, workspace, ensemble, [painted, *real])
    found = check_realism_by(workspace, painted, real, models, pictures=pictures, seed=seed)
    if not found:
        raise BadInputError(
            f"No member of {ensemble} and no encoder has stored outputs of {painted} and of "
            f"{', '.join(real)}; score or encode all of them first."
        )
    return found


def check_realism_by(
    workspace: Workspace,
    painted: str,
    real: Sequence[str],
    models: Sequence[str],
    *,
    pictures: Path | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Realism gates by what some models have stored, as :func:`check_realism`; maybe none.

    Raises
    ------
    BadInputError
        If objects are too few.
    """
    with open_database(workspace).session() as session:
        rule = GradeRule.current(session)
        fakes = read_labels(session, find_catalogs(session, [painted]), _USE, grades=rule)
        genuine = read_labels(session, find_catalogs(session, list(real)), _USE, grades=rule)
    fakes = fakes.part(np.flatnonzero(fakes.state == LENS))
    lenses = genuine.part(np.flatnonzero(genuine.state == LENS))
    against = "real lenses" if len(lenses) >= FEWEST else "real objects of all kinds"
    genuine = lenses if len(lenses) >= FEWEST else genuine
    rng = np.random.default_rng(seed)
    sides = [_drawn(side, rng) for side in (fakes, genuine)]
    columns: dict[str, Float32Array] = {}
    for model in models:
        for kind in ("embedding", "features"):
            parts = [_stored(workspace, model, kind, side) for side in sides]
            if all(part is not None for part in parts):
                columns[f"{kind} of {model}"] = np.concatenate([p for p in parts if p is not None])
    if not columns:
        return []
    truth = np.repeat([True, False], [len(side) for side in sides])
    names = [f"{k}-{g}" for k, side in enumerate(sides) for g in side.groups(None)]
    groups = np.unique(names, return_inverse=True)[1]
    gates = realism_gate(columns, truth, groups, seed=seed)
    results = []
    for gate in gates:
        shown = {**gate.to_json(), "against": against, "sentence": gate.sentence}
        if against != "real lenses":
            shown["sentence"] += f" Fewer than {FEWEST} real lenses: arcs themselves count here."
        shown["candidates"] = [int(sides[0].candidate_id[k]) for k in gate.giveaways]
        if pictures is not None:
            shown["picture"] = str(_draw(workspace, gate.columns, gate.giveaways, sides, pictures))
        results.append(shown)
    return results


def _models(
    session: Session, workspace: Workspace, ensemble: str, catalogs: Sequence[str]
) -> list[str]:
    members = [member.model_id for member in find_ensemble(session, ensemble).members]
    return list(dict.fromkeys([*members, *encoders_of(session, workspace, catalogs)]))


def _drawn(side: CandidateLabels, rng: np.random.Generator) -> CandidateLabels:
    if len(side) <= MOST:
        return side
    return side.part(np.sort(rng.choice(len(side), MOST, replace=False)))


def _stored(
    workspace: Workspace, model: str, kind: Any, side: CandidateLabels
) -> Float32Array | None:
    """Stored outputs of some candidates; None where a catalog has none."""
    out: Float32Array | None = None
    for catalog_id, name in side.catalogs.items():
        mine = np.flatnonzero(side.catalog_id == catalog_id)
        if not len(mine):
            continue
        stored = stored_output(outputs_path(workspace, model, name, kind))
        if stored is None or int(side.row[mine].max()) >= len(stored):
            return None
        if out is None:
            out = np.empty((len(side), stored.shape[1]), dtype=np.float32)
        out[mine] = stored[side.row[mine]]
    return None if out is None else np.where(np.isfinite(out), out, np.nan).astype(np.float32)


def _draw(
    workspace: Workspace,
    columns: str,
    giveaways: tuple[int, ...],
    sides: Sequence[CandidateLabels],
    folder: Path,
) -> Path:
    """Write a picture: painted objects that are told apart above, as many real ones below."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [np.array(giveaways), np.arange(min(len(giveaways), len(sides[1])))]
    rows = [_levels(workspace, side.part(k)) for side, k in zip(sides, chosen, strict=True)]
    side_px = max(image.shape[0] for row in rows for image in row)
    canvas = Image.new("RGB", (side_px * max(map(len, rows)), side_px * len(rows)))
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            canvas.paste(Image.fromarray(image), (x * side_px, y * side_px))
    path = folder / f"{columns.replace(' ', '-')}.png"
    canvas.save(path)
    return path


def _levels(workspace: Workspace, side: CandidateLabels) -> list[ByteArray]:
    """8-bit pictures of candidates in their order, with one stretch a catalog."""
    images: dict[int, ByteArray] = {}
    for catalog_id, name in side.catalogs.items():
        mine = np.flatnonzero(side.catalog_id == catalog_id)
        if not len(mine):
            continue
        store = CutoutStore(workspace.catalog_cutouts(name))
        flux = store.read_many(side.row[mine]) * flux_scale(store.geometry)[:, None, None]
        levels = PictureMapping.measure(flux, store.geometry)(torch.from_numpy(flux))
        pixels = (levels.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
        images.update(zip(mine.tolist(), pixels[:, ::-1], strict=True))
    return [images[k] for k in range(len(side))]
