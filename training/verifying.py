"""Scores computed again from the weights that a manifest names, beside those that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from lens_triage.training.device import describe_device, torch_device
from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.cutouts import CutoutStore, cutout_sha256
from lensing_core.errors import BadInputError
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import StoredMember, with_bases
from lensing_core.models.manifest_types import EnsembleManifest, SnapshotForm
from lensing_core.models.member import MemberOutput
from lensing_core.models.predictors import Predictors
from lensing_core.scoring import fuse, open_ensemble
from lensing_core.store import open_database
from lensing_core.store.candidates import cutout_places
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.metadata import fetch_metadata
from lensing_core.store.scores import logits_of, scored_ids
from lensing_core.store.snapshots import snapshots_of
from lensing_core.workspace import Workspace

TOLERANCE_LOGIT = 0.01
_AT_ONCE = 256
_MOST_SUBSETS = 8  # members of a committee whose subsets are tried
_MOST_SHOWN = 10


@dataclass(frozen=True)
class Disagreement:
    """A candidate whose score is not what its weights give."""

    object_id: str
    stored_logit: float
    logit: float


@dataclass(frozen=True)
class Verified:
    """Scores of a sample, computed again.

    Attributes
    ----------
    sample : int
        Candidates that were computed.
    tolerance_logit, largest_logit : float
        Difference up to which two logits agree, and the largest one.
    disagreeing : tuple of Disagreement
        The largest differences first.
    other_pixels : tuple of str
        Ids of candidates whose cutouts are not those that were imported; they are not computed.
    without_members : int
        Candidates that agree where members that were fitted on them are left out (searches do).
    data : dict
        By catalog of the training: ``as then``, or what has changed since; empty where the
        manifest, of an earlier version, does not say.
    device : str
    """

    ensemble: str
    catalog: str
    sample: int
    tolerance_logit: float
    largest_logit: float
    disagreeing: tuple[Disagreement, ...]
    other_pixels: tuple[str, ...]
    without_members: int
    data: dict[str, str]
    device: str

    @property
    def agrees(self) -> bool:
        """Return whether all scores follow from the weights and the imported pixels."""
        return not self.disagreeing and not self.other_pixels

    def sentences(self) -> list[str]:
        """Say what came out, for people."""
        n_other = len(self.disagreeing)
        said = [
            f"{self.sample - n_other:,} of {self.sample:,} scores of {self.catalog} by "
            f"{self.ensemble} agree within {self.tolerance_logit:g} in logit (largest difference "
            f"{self.largest_logit:.2g}); computed on {self.device}."
        ]
        if self.without_members:
            said.append(
                f"{self.without_members:,} of them agree without the members that were fitted on "
                "the candidate, as a search ranks its own catalog."
            )
        said += [
            f"{one.object_id}: stored {one.stored_logit:.4f}, computed {one.logit:.4f}."
            for one in self.disagreeing[:_MOST_SHOWN]
        ]
        if n_other > _MOST_SHOWN:
            said.append(f"{n_other - _MOST_SHOWN:,} more disagree.")
        if self.other_pixels:
            named = ", ".join(self.other_pixels[:_MOST_SHOWN])
            said.append(
                f"{len(self.other_pixels):,} cutouts are not those that were imported: {named}; "
                "see lens-triage verify-data."
            )
        said += [f"Training catalog {name}: {state}." for name, state in self.data.items()]
        return said

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "agrees": self.agrees}


def verify_scores(
    workspace: Workspace,
    ensemble: str,
    catalog: str,
    *,
    sample: int = 100,
    seed: int = 1,
    tolerance_logit: float = TOLERANCE_LOGIT,
    device: str = "auto",
) -> Verified:
    """Score a random sample of the scored candidates of a catalog anew, and write nothing.

    Raises
    ------
    NotFoundError
        If there is no such catalog, or the ensemble has not scored it.
    BrokenModelError
        If a manifest or a file of a model is not as it was written.
    """
    if sample < 1 or not tolerance_logit > 0:
        raise BadInputError("sample and tolerance must be above 0.")
    with open_database(workspace).session() as session:
        catalog_row = find_catalog(session, catalog)
        chosen = best_ensemble(session, catalog_row.id, ensemble)
        if chosen is None:
            raise BadInputError(f"No ensemble has scored {catalog}: there is nothing to verify.")
        every = scored_ids(session, chosen.id, catalog_row.id)
        ids = np.sort(np.random.default_rng(seed).permutation(every)[:sample])
        places = cutout_places(session, ids.tolist())
        manifest: EnsembleManifest = chosen.manifest
        data = _data_since(manifest, snapshots_of(session, manifest.get("data_snapshot", {})))
        rule, members = open_ensemble(workspace, chosen, device=torch_device(device))
        store = CutoutStore(workspace.catalog_cutouts(catalog))
        as_imported = np.array(
            [
                cutout_sha256(np.array(store.read(places[k].cutout_index)))
                == places[k].cutout_sha256
                for k in ids.tolist()
            ],
            dtype=bool,
        )
        other = tuple(places[k].object_id for k in ids[~as_imported].tolist())
        ids = ids[as_imported]
        stored = logits_of(session, chosen.id, ids)
        name = chosen.name
    committee = "search" in manifest and catalog in manifest.get("catalogs", [])
    again, explained = np.empty(len(ids)), np.zeros(len(ids), dtype=bool)
    with Predictors.open(
        with_bases(members), store.geometry, catalog, len(ids), with_variance=rule.needs_variances
    ) as predictors:
        for start in range(0, len(ids), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            keys = ids[part].tolist()
            with open_database(workspace).session() as session:
                metadata = fetch_metadata(session, keys) if predictors.conditioned else None
            flux = store.read_many([places[k].cutout_index for k in keys])
            begun = predictors.begin(flux, metadata)
            outputs = {key: predict() for key, predict in begun.items()}
            again[part] = fuse(rule, members, outputs)[0].logit
            if committee:
                explained[part] = _agrees_without_some(
                    rule, members, outputs, stored[part], tolerance_logit
                )
    differs = ~(np.abs(again - stored) <= tolerance_logit)
    explained &= differs
    differs &= ~explained
    gap = np.abs(again - stored)
    worst = np.flatnonzero(differs)[np.argsort(-gap[differs], kind="stable")]
    return Verified(
        name,
        catalog,
        len(ids),
        tolerance_logit,
        float(gap[~explained].max()) if (~explained).any() else 0.0,
        tuple(
            Disagreement(places[int(ids[k])].object_id, float(stored[k]), float(again[k]))
            for k in worst
        ),
        other,
        int(explained.sum()),
        data,
        describe_device(device),
    )


def _agrees_without_some(
    rule: EnsembleRule,
    members: Sequence[StoredMember],
    outputs: dict[str, MemberOutput],
    stored: Float64Array,
    tolerance: float,
) -> BoolArray:
    """Return whether a stored score follows if some members of a committee are left out."""
    agrees = np.zeros(len(stored), dtype=bool)
    if len(members) > _MOST_SUBSETS:
        return agrees
    for left_out in product((False, True), repeat=len(members)):
        if any(left_out) and not all(left_out):
            without = np.tile(np.array(left_out), (len(stored), 1))
            logit = fuse(rule, members, dict(outputs), without=without)[0].logit
            agrees |= np.abs(logit - stored) <= tolerance
    return agrees


def _data_since(manifest: EnsembleManifest, now: dict[str, SnapshotForm]) -> dict[str, str]:
    """Present state of the catalogs that an ensemble was trained on."""
    states = {}
    for name, then in manifest.get("data_snapshot", {}).items():
        here = now.get(name)
        if here is None:
            states[name] = "not in this workspace"
        elif here == then:
            states[name] = "as then"
        else:
            changed = []
            if here["cutouts_sha256"] != then["cutouts_sha256"]:
                changed.append("cutouts")
            if here["labels_sha256"] != then["labels_sha256"]:
                changed.append("labels")
            states[name] = f"{' and '.join(changed) or 'number of candidates'} changed since"
    return states
