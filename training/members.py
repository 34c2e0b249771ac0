"""An ensemble at work: its rule and its members, read and checked in one place."""

from __future__ import annotations

from lensing_core.models.deep import Precision
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import StoredMember, load_member
from lensing_core.models.manifest_form import models_of_ensemble, rule_of
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace


def open_ensemble(
    workspace: Workspace,
    ensemble: Ensemble,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
) -> tuple[EnsembleRule, list[StoredMember]]:
    """The rule of an ensemble and its members in their order.

    Raises
    ------
    BrokenModelError
        Naming the ensemble, where its manifest, a manifest of a member or a file of one is not as
        it was written.
    """
    stored = rule_of(ensemble.manifest, ensemble.name, len(ensemble.members))
    with models_of_ensemble(ensemble.name):
        members = [
            load_member(workspace, member.model_id, device=device, precision=precision)
            for member in ensemble.members
        ]
    return EnsembleRule.from_json(stored), members
