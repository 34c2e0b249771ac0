"""Ensembles that travel between workspaces as folders; those in ``assets/ensembles`` come with us.

A folder holds ``ensemble.json`` (name, fusion, manifest, members), a folder a model, as it stands
in a workspace, and ``training_sample.npz`` where the ensemble keeps a sample of its training set;
a card, a license and checksums of all files, so that it can be put on a hub as it is.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import nullcontext
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from lens_triage.training.ensemble_card import card
from lensing_core.errors import BadInputError, BrokenModelError
from lensing_core.models.checksums import CHECKSUMS, check_checksums, write_checksums
from lensing_core.models.manifest import (
    ENCODER,
    MANIFEST,
    base_models,
    file_sha256,
    manifests_with_bases,
    read_manifest,
)
from lensing_core.models.manifest_form import ensemble_problem, models_of_ensemble
from lensing_core.models.vetting import check_folder, check_model, check_plain_file
from lensing_core.shift.sample import ObjectSample
from lensing_core.store import choose_database, open_database
from lensing_core.store.ensembles import (
    BUNDLED_FOR,
    ensemble_named,
    find_ensemble,
    version_of,
)
from lensing_core.store.models import add_ensemble
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace, check_slug

BUNDLED = Path(__file__).parent.parent / "assets" / "ensembles"
_HEAD, _SAMPLE = "ensemble.json", "training_sample.npz"
_MOST_SAMPLE_BYTES = 256 * 2**20
FORMAT = 1
OWN_LICENSE = "bsd-3-clause"
"""Of the program, and of the ensembles that come with it."""
_LOCAL = ("run", "held_out")
_AGAIN = "take the folder from its source again"


def export_ensemble(
    workspace: Workspace,
    name: str,
    folder: Path,
    *,
    bundled_for: str = "",
    real_pixels: str | None = None,
    license_id: str = OWN_LICENSE,
    license_file: Path | None = None,
) -> Path:
    """Copy an ensemble with its models into a new folder of its name within ``folder``.

    Weights of pretrained encoders travel in 16 bits, half the size.

    Parameters
    ----------
    bundled_for : str, optional
        The survey that it is to come with the program for.
    real_pixels : str, optional
        Which real pixels it was trained on, for its card; '' says that there are none.
    license_id : str, optional
        SPDX identifier of the license of the weights, which their owner chooses.
    license_file : Path, optional
        Text of that license; only for the program's own it may be left out.

    Raises
    ------
    NotFoundError
        If there is no such ensemble.
    BadInputError
        If the folder exists, or the text of the license is not there.
    """
    license_text = _license_text(license_id, license_file)
    target = folder / check_slug(name, what="Ensemble")
    if target.exists():
        raise BadInputError(f"{target} exists; remove it or choose another folder.")
    with open_database(workspace).session() as session:
        ensemble = find_ensemble(session, name)
        members = [member.model_id for member in ensemble.members]
        version = version_of(ensemble)
        head = {
            "format": FORMAT,
            "name": ensemble.name,
            "fusion": ensemble.fusion,
            # Runs and objects of this workspace mean nothing in another.
            "manifest": {k: v for k, v in ensemble.manifest.items() if k not in _LOCAL}
            | ({BUNDLED_FOR: bundled_for} if bundled_for else {})
            | ({} if real_pixels is None else {"real_pixels": real_pixels}),
            "members": members,
            "checksums": CHECKSUMS,
        }
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    with models_of_ensemble(name):
        models = manifests_with_bases(workspace.models, members)
    for model_id, manifest in models.items():
        shutil.copytree(workspace.models / model_id, beside / model_id)
        if manifest["kind"] == ENCODER:
            _halve_weights(beside / model_id, manifest)
    if workspace.training_sample(name).is_file():
        ObjectSample.read(workspace.training_sample(name)).elsewhere().write(beside / _SAMPLE)
    (beside / _HEAD).write_text(json.dumps(head, indent=1))
    (beside / "LICENSE").write_text(license_text, encoding="utf-8")
    written = card(head, models, version, license_id)
    (beside / "README.md").write_text(written, encoding="utf-8")
    write_checksums(beside)
    beside.rename(target)
    return target


def _license_text(license_id: str, path: Path | None) -> str:
    """Text of a license; raises BadInputError."""
    if path is not None:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"{path} is no text of a license: {error}.") from None
    if license_id != OWN_LICENSE:
        raise BadInputError(f"Give the text of the license {license_id} as a file, too.")
    text = distribution("lens-triage").read_text("licenses/LICENSE")
    if text is None:
        raise BadInputError("This installation lacks its license; give the text as a file.")
    return text


def _halve_weights(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Store a copied model's kernels in 16 bits, and the new hash in its manifest."""
    from lensing_core.models.stored_network import WEIGHTS, store_in_16_bits  # loads torch

    store_in_16_bits(folder)
    files = {**manifest["files"], WEIGHTS: file_sha256(folder / WEIGHTS)}
    (folder / MANIFEST).write_text(json.dumps({**manifest, "files": files}, indent=1))


def import_ensemble(workspace: Workspace, folder: Path, *, trusted: bool = False) -> bool:
    """Bring the ensemble of ``folder`` into a workspace; False where one of its name is there.

    Every file is compared with the list of checksums, which folders of older versions lack. Only
    plain files of the models' own folders are copied, and looked at before any is used.

    Parameters
    ----------
    trusted : bool, optional
        The folder comes with the program: its files need no look.

    Raises
    ------
    BadInputError
        If the folder holds no ensemble of this format, a file is not the one that was written, or a
        model is not what it should be.
    """
    head = _read_head(folder)
    if not trusted and (head.get("checksums") or (folder / CHECKSUMS).exists()):
        check_checksums(folder)
    name = check_slug(head["name"], what="Ensemble")
    database = open_database(workspace)
    with database.session() as session:
        there = ensemble_named(session, name)
        if there is not None:
            _mark_as_bundled(there, head["manifest"])
            return False
    manifests: dict[str, dict[str, Any]] = {}
    waiting = list(head["members"])
    while waiting:
        model_id = check_slug(waiting.pop(0), what="Model")
        if model_id not in manifests:
            manifests[model_id] = _bring(workspace, folder / model_id, trusted=trusted)
            waiting += base_models(manifests[model_id])
    sample = _read_sample(folder / _SAMPLE)
    if sample is not None:
        sample.write(workspace.training_sample(name))
    with database.session() as session:
        add_ensemble(session, name, head["fusion"], head["manifest"], head["members"], manifests)
    return True


def _read_sample(path: Path) -> ObjectSample | None:
    """The sample of a training set that came with an ensemble, of plain numbers; None: none."""
    if not path.exists():
        return None
    check_plain_file(path, _MOST_SAMPLE_BYTES)
    with zipfile.ZipFile(path) if zipfile.is_zipfile(path) else nullcontext() as packed:
        unpacked = sum(part.file_size for part in packed.infolist()) if packed else 0
    if unpacked > _MOST_SAMPLE_BYTES:
        raise BrokenModelError(
            f"{path} would take {unpacked / 2**20:,.0f} MiB in memory, more than any sample that "
            f"this program writes; {_AGAIN}."
        )
    return ObjectSample.read(path).elsewhere()


def _mark_as_bundled(there: Ensemble, bundled: Mapping[str, Any]) -> None:
    """Mark an ensemble that came with an earlier version, which did not say so."""
    if there.problem:
        return  # Train says what is wrong with it
    same = there.run_id is None and there.manifest.get("data_sha256") == bundled.get("data_sha256")
    if same and BUNDLED_FOR in bundled and BUNDLED_FOR not in there.manifest:
        there.manifest = {**there.manifest, BUNDLED_FOR: bundled[BUNDLED_FOR]}


def import_bundled(workspace: Workspace) -> list[str]:
    """Bring in all ensembles that come with the program; return the names of the new ones."""
    folders = sorted(path.parent for path in BUNDLED.glob(f"*/{_HEAD}"))
    return [folder.name for folder in folders if import_ensemble(workspace, folder, trusted=True)]


def make_workspace(root: Path, database_url: str = "") -> Workspace:
    """The workspace at ``root``, made if missing, with the ensembles that come with the program.

    Parameters
    ----------
    database_url : str, optional
        Of a PostgreSQL server that keeps the database; '' keeps what the workspace has.
    """
    workspace = Workspace.create(root)
    if database_url:
        choose_database(workspace, database_url)
    open_database(workspace)
    import_bundled(workspace)
    return workspace


def _bring(workspace: Workspace, source: Path, *, trusted: bool) -> dict[str, Any]:
    """Copy a model into a workspace, unless it is there; return its manifest."""
    target = workspace.models / source.name
    if target.exists():
        return read_manifest(target)
    names = check_folder(source)
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        for name in names:
            shutil.copyfile(source / name, beside / name, follow_symlinks=False)
        manifest = read_manifest(beside)
        if not trusted:
            check_model(beside, manifest)
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return manifest


def _read_head(folder: Path) -> dict[str, Any]:
    path = folder / _HEAD
    try:
        check_plain_file(path)
        head: Any = json.loads(path.read_text())
    except FileNotFoundError:
        raise BadInputError(f"{folder} holds no ensemble (no {_HEAD}).") from None
    except (ValueError, RecursionError) as error:
        raise BrokenModelError(f"{path} is not valid JSON ({error}); {_AGAIN}.") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        version = head.get("format") if isinstance(head, dict) else head
        raise BadInputError(f"{path} has format {version!r:.40}; this program reads {FORMAT}.")
    for name, kind in {"name": str, "fusion": str, "manifest": dict, "members": list}.items():
        if not isinstance(head.get(name), kind):
            raise BrokenModelError(
                f"{path} is damaged: {name} is {head.get(name)!r:.40}; {_AGAIN}."
            )
    if not head["members"] or not all(isinstance(m, str) for m in head["members"]):
        raise BrokenModelError(f"{path} is damaged: members are {head['members']!r:.40}; {_AGAIN}.")
    if problem := ensemble_problem(head["manifest"]):
        raise BrokenModelError(f"{path} is damaged: its manifest: {problem}; {_AGAIN}.")
    return head
