"""Checks of runs that go on from an ensemble: fast retrain and fine-tuning."""

from __future__ import annotations

import numpy as np

from lens_triage.training.checks.ensembles import check_fits, check_name_free, check_one_scale
from lens_triage.training.jobs.retrain.frozen_set import choose_frozen_set
from lens_triage.training.jobs.retrain.heads import deal_folds
from lens_triage.training.jobs.retrain.labels import labels_of_run
from lens_triage.training.jobs.retrain.preparing import bring_consensus_up_to_date
from lens_triage.training.jobs.retrain.selection import draw, seen_by_bases
from lens_triage.training.settings import FinetuneSettings, RetrainSettings
from lensing_core.errors import BadInputError
from lensing_core.models.manifest import HEAD, NETWORK
from lensing_core.models.manifest_form import rule_of
from lensing_core.models.outputs import outputs_path, rows_stored
from lensing_core.store import Session, open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.encoders import encoders_of
from lensing_core.store.ensembles import default_ensemble
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace


def check_retrain(workspace: Workspace, settings: RetrainSettings, run_id: str = "") -> None:
    """The base has scored the catalogs, its members suit the heads, and labels suffice."""
    with open_database(workspace).session() as session:
        base, names = _base_and_catalogs(session, settings, run_id)
        for name in names:
            _check_scored(workspace, session, base, name, without=(HEAD,))
        _check_heads(workspace, session, settings, base, names)
        _check_labels(workspace, session, settings, base, names)


def check_finetune(workspace: Workspace, settings: FinetuneSettings, run_id: str = "") -> None:
    """The base has networks that take the cutouts, its trees have scored them, labels suffice."""
    with open_database(workspace).session() as session:
        base, names = _base_and_catalogs(session, settings, run_id)
        if not any(m.model.kind == NETWORK for m in base.members):
            raise BadInputError(
                f"Ensemble {base.name} has no network to train further; retrain makes heads for it."
            )
        for name in names:
            check_fits(workspace, session, base, name)
            _check_scored(workspace, session, base, name, without=(HEAD, NETWORK))
        _check_labels(workspace, session, settings, base, names)


def _base_and_catalogs(
    session: Session, settings: RetrainSettings, run_id: str
) -> tuple[Ensemble, list[str]]:
    check_name_free(session, settings.ensemble, run_id)
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    check_one_scale(session, names)
    base = default_ensemble(session, settings.base, catalog=settings.catalog)
    rule_of(base.manifest, base.name, len(base.members))
    return base, names


def _check_scored(
    workspace: Workspace, session: Session, base: Ensemble, name: str, *, without: tuple[str, ...]
) -> None:
    """The outputs of the members, less those of some kinds, are stored for the whole catalog."""
    n = find_catalog(session, name).n_candidates
    for member in base.members:
        if member.model.kind not in without:
            stored = rows_stored(workspace, member.model_id, name)
            if stored < n:
                raise BadInputError(
                    f"Ensemble {base.name} has scored {stored:,} of the {n:,} candidates of "
                    f"catalog {name}; score it with {base.name} first."
                )


def _check_heads(
    workspace: Workspace,
    session: Session,
    settings: RetrainSettings,
    base: Ensemble,
    catalogs: list[str],
) -> None:
    """Encoders that are named have encoded the catalogs; heads on embeddings need some."""
    encoders = encoders_of(session, workspace, catalogs, settings.encoders)
    wanted = [name for name in settings.heads if name in ("nnpu", "logistic")]
    if encoders:
        return
    catalog = catalogs[0]
    if wanted and not any(
        outputs_path(workspace, m.model_id, catalog, "embedding").is_file() for m in base.members
    ):
        raise BadInputError(
            f"Heads {', '.join(wanted)} need embeddings, and no member of {base.name} has any; "
            "choose an ensemble with a network, or trees and bagging alone."
        )


def _check_labels(
    workspace: Workspace,
    session: Session,
    settings: RetrainSettings,
    base: Ensemble,
    names: list[str],
) -> None:
    """Labels suffice to train, to calibrate and to hold some out: what the run itself does."""
    bring_consensus_up_to_date(session, settings)
    labels, groups = labels_of_run(session, names, settings)
    seen = seen_by_bases(session, workspace, [m.model_id for m in base.members], labels)
    frozen = choose_frozen_set(workspace, labels, groups, seen, settings.seed)
    selection = draw(
        labels,
        groups,
        frozen,
        seen,
        most_unlabeled=settings.most_unlabeled,
        seed=settings.seed,
    )
    chosen = selection.part(np.flatnonzero(~selection.frozen))
    deal_folds(chosen.state, chosen.group, settings.folds, seed=settings.seed)
