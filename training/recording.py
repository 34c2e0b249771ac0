"""End of every training: its models and their ensemble, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lens_triage.training.checks.ensembles import check_name_free
from lens_triage.training.runner.context import JobContext
from lens_triage.training.shift import Outputs, keep_sample
from lensing_core.models.files import load_member
from lensing_core.models.manifest import base_models
from lensing_core.models.provenance import made_with, package_versions
from lensing_core.store import Session, open_database
from lensing_core.store.ensembles import ensemble_named
from lensing_core.store.models import add_ensemble, add_models, models_by_id
from lensing_core.store.snapshots import snapshots_of


def is_recorded(context: JobContext, name: str) -> bool:
    """Return whether this run has written its ensemble before it was resumed.

    Raises
    ------
    BadInputError
        If another run has made an ensemble of this name.
    """
    with open_database(context.workspace).session() as session:
        check_name_free(session, name, context.run_id)
        return ensemble_named(session, name) is not None


def record_model(context: JobContext, model_id: str) -> None:
    """Write the row of a model whose files are in the workspace."""
    with open_database(context.workspace).session() as session:
        add_models(session, _new_models(session, context, [model_id]), run_id=context.run_id)


def _new_models(
    session: Session, context: JobContext, model_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Manifests, by id, of the models that have no row."""
    present = models_by_id(session, model_ids)
    new = [key for key in model_ids if key not in present]
    return {key: load_member(context.workspace, key).manifest for key in new}


def _used_models(
    session: Session, context: JobContext, model_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Manifests, by id, of models and of those that they build on."""
    stored = {key: dict(row.manifest) for key, row in models_by_id(session, model_ids).items()}
    used = {**stored, **_new_models(session, context, model_ids)}
    bases = {key for manifest in used.values() for key in base_models(manifest)} - set(used)
    return used | {key: dict(row.manifest) for key, row in models_by_id(session, bases).items()}


def record_ensemble(
    context: JobContext,
    name: str,
    fusion: str,
    manifest: dict[str, Any],
    model_ids: Sequence[str],
    *,
    outputs: Outputs | None = None,
) -> None:
    """Write an ensemble and those of its models that are new, in one transaction.

    The manifest gains what it was made with, and hashes of its catalogs as they are; a sample of
    the training catalogs is kept, which catalogs are compared with when they are scored.

    It is not promoted: which ranking all pages take is for people to choose.

    Parameters
    ----------
    model_ids : sequence of str
        Members in their order; their files are in the workspace.
    outputs : mapping of str to Block, optional
        Outputs of members for the sample of the training set, where no catalog has them in store.
    """
    database = open_database(context.workspace)
    with database.session() as session:
        snapshots = snapshots_of(session, manifest.get("catalogs", []))
        used = _used_models(session, context, model_ids)
    whole = {
        **manifest,
        "data_snapshot": snapshots,
        "versions": package_versions(),
        "made_with": made_with(),
    }
    keep_sample(context.workspace, name, whole, used, outputs or {})
    with database.session() as session:
        models = _new_models(session, context, model_ids)
        add_ensemble(session, name, fusion, whole, model_ids, models, run_id=context.run_id)
