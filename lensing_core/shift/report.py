"""Shift of a scored catalog from the training set of an ensemble, in numbers and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensing_core.arrays import IntArray
from lensing_core.evaluation.separation import (
    Separation,
    judge_separation,
    separation_by_moments,
    told_apart,
)
from lensing_core.models.ood import OODDistance
from lensing_core.shift.columns import quantity_of, title_of
from lensing_core.shift.distances import ColumnDistance, column_distance, mean_discrepancy
from lensing_core.shift.sample import MEASURED, Block, ObjectSample
from lensing_core.shift.scale import ScaleContract, check_noise, check_scale

LIMIT = 0.8
"""Domain AUROC whose whole interval above it is a warning; that of the realism gate, too."""
FEWEST = 20
_SHOWN = 12


@dataclass(frozen=True)
class Domain:
    """Catalog and training set told apart by one kind of columns.

    Attributes
    ----------
    columns : str
    separation : Separation
        Rows of its giveaways are those of the catalog's block.
    discrepancy, p_value : float, or None
        Squared maximum mean discrepancy, and its p-value by permutation; None where only mean and
        covariance are kept of the training set.
    training, catalog : int
        Objects; None where it is not kept how many there were.
    """

    columns: str
    separation: Separation
    discrepancy: float | None
    p_value: float | None
    training: int | None
    catalog: int

    @property
    def alarming(self) -> bool:
        """Return whether the whole interval of the AUROC is above :data:`LIMIT`."""
        return self.separation.low_95 > LIMIT

    @property
    def sentence(self) -> str:
        """One line for people."""
        found = self.separation
        what = (
            f"above the limit of {LIMIT:g}: the scores are an extrapolation"
            if self.alarming
            else f"not surely above the limit of {LIMIT:g}"
        )
        return (
            f"By {_plain(self.columns)} the catalog is told from training objects with a domain "
            f"AUROC of {found.auroc:.2f} [{found.low_95:.2f}, {found.high_95:.2f}], {what}."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        found = self.separation
        return {
            "columns": self.columns,
            "auroc": found.auroc,
            "low_95": found.low_95,
            "high_95": found.high_95,
            "discrepancy": self.discrepancy,
            "p_value": self.p_value,
            "training": self.training,
            "catalog": self.catalog,
            "alarming": self.alarming,
        }


@dataclass(frozen=True)
class ShiftReport:
    """Comparison of one catalog with the training set of one ensemble.

    Attributes
    ----------
    contract : ScaleContract
    domains : tuple of Domain
    columns : tuple of ColumnDistance
        Those whose distributions overlap least come first.
    giveaways : tuple of int
        Candidates that are told from training objects most surely.
    notes : tuple of str
        What could not be compared, and why.
    """

    contract: ScaleContract
    domains: tuple[Domain, ...] = ()
    columns: tuple[ColumnDistance, ...] = ()
    giveaways: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> list[str]:
        """Return the sentences that warn."""
        moved = [c for c in self.columns if c.moved]
        told = [domain.sentence for domain in self.domains if domain.alarming]
        return [*self.contract.sentences, *told, *([_named(moved)] if told and moved else [])]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        alarms = self.alarms
        compared = bool(self.contract.checks or self.domains)
        return {
            "level": "warning" if alarms else "ok" if compared else "unknown",
            "alarms": alarms,
            "notes": list(self.notes),
            "contract": [check.to_json() for check in self.contract.checks],
            "domains": [domain.to_json() for domain in self.domains],
            "columns": [{**c.to_json(), "title": title_of(c.name)} for c in self.columns[:_SHOWN]],
            "giveaways": list(self.giveaways),
        }


def measure_shift(training: ObjectSample, catalog: ObjectSample, *, seed: int = 0) -> ShiftReport:
    """Compare a catalog with the sample that an ensemble keeps of its training set."""
    contract = check_scale(training, catalog)
    domains: list[Domain] = []
    columns: list[ColumnDistance] = []
    notes: list[str] = []
    for key, ours in training.blocks.items():
        theirs = catalog.blocks.get(key)
        if theirs is None:
            continue
        ours, theirs = _shared(ours, theirs)
        if min(len(ours), len(theirs)) < FEWEST:
            notes.append(
                f"By {_plain(key)} nothing is compared: {len(ours)} training objects and "
                f"{len(theirs)} of the catalog, {FEWEST} of each are needed."
            )
            continue
        columns += _distances(ours, theirs)
        domains.append(_domain(key, ours, theirs, seed))
    giveaways = _giveaways(domains, catalog)
    columns.sort(key=lambda c: (-c.kolmogorov_smirnov, -c.wasserstein))
    return ShiftReport(contract, tuple(domains), tuple(columns), giveaways, tuple(notes))


def measure_kept_shift(
    levels: Mapping[str, float],
    moments: Mapping[str, OODDistance],
    catalog: ObjectSample,
    ensemble: str,
) -> ShiftReport:
    """Compare with an ensemble that keeps no sample: with what its models keep, if anything.

    Parameters
    ----------
    levels : mapping of str to float
        Noise of :func:`lensing_core.shift.sample.noise_in_manifests`.
    moments : mapping of str to OODDistance
        Mean and covariance of embeddings of non-lenses, by name of the block.
    """
    domains = []
    for key, of in moments.items():
        block = catalog.blocks.get(key)
        if block is not None and len(block) >= FEWEST:
            found = separation_by_moments(of.whitened(block.values), examples=_SHOWN)
            domains.append(Domain(key, found, None, None, None, len(block)))
    note = (
        f"Ensemble {ensemble} keeps no statistics of its training set (it was made before they "
        "were kept, or came without them): "
    )
    compared = [
        *(["noise"] if levels else []),
        *(["mean and covariance of embeddings"] if domains else []),
    ]
    if compared:
        note += f"only what its models keep is compared, {' and '.join(compared)}."
        contract = check_noise(levels, catalog)
        giveaways = _giveaways(domains, catalog)
        return ShiftReport(contract, tuple(domains), (), giveaways, (note,))
    return ShiftReport(
        ScaleContract(()), notes=(f"{note}whether the catalog is like it is unknown.",)
    )


def _giveaways(domains: Sequence[Domain], catalog: ObjectSample) -> tuple[int, ...]:
    """Candidates that are told apart most surely, by the columns that tell most."""
    most = max(domains, key=lambda d: d.separation.auroc, default=None)
    if most is None:
        return ()
    ids = catalog.blocks[most.columns].candidate_id
    return tuple(int(ids[k]) for k in most.separation.giveaways)


def _shared(ours: Block, theirs: Block) -> tuple[Block, Block]:
    """Both with the named columns of both, and the columns known to either side alone left out."""
    if not ours.names and not theirs.names:
        if ours.values.shape[1] != theirs.values.shape[1]:
            return _none(ours), _none(theirs)
        return ours, theirs
    names = [
        name
        for name in ours.names
        if name in theirs.names
        and np.isfinite(ours.column(name)).any()
        and np.isfinite(theirs.column(name)).any()
    ]
    return _part(ours, names), _part(theirs, names)


def _none(block: Block) -> Block:
    return Block(block.values[:0], block.candidate_id[:0])


def _part(block: Block, names: list[str]) -> Block:
    index = [block.names.index(name) for name in names]
    values = block.values[:, index]
    return Block(values, block.candidate_id, tuple(names)) if names else _none(block)


def _distances(ours: Block, theirs: Block) -> list[ColumnDistance]:
    found = []
    for name in ours.names:
        quantity = quantity_of(name)
        least = 0.0 if quantity is None else quantity.least_spread
        distance = column_distance(name, ours.column(name), theirs.column(name), least_spread=least)
        if distance is not None:
            found.append(distance)
    return found


def _domain(key: str, ours: Block, theirs: Block, seed: int) -> Domain:
    values = np.concatenate([theirs.values, ours.values]).astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    first = np.arange(len(values)) < len(theirs)
    groups = _groups(theirs.candidate_id, ours.candidate_id)
    scores = told_apart(values, first, groups)
    found = judge_separation(scores, first, groups, examples=_SHOWN, seed=seed)
    discrepancy = mean_discrepancy(ours.values, theirs.values, seed=seed)
    return Domain(key, found, *discrepancy, len(ours), len(theirs))


def _groups(catalog: IntArray, training: IntArray) -> IntArray:
    """One object in both sets is one group: else it would be on both sides of a fold."""
    ids = np.concatenate([catalog, training]).astype(np.int64)
    unknown = ids < 0
    ids[unknown] = -1 - np.arange(int(unknown.sum()))
    return np.unique(ids, return_inverse=True)[1].astype(np.int64)


def _plain(key: str) -> str:
    """A kind of columns in words."""
    return "noise, brightness, color and PSF" if key == MEASURED else key


def _named(moved: list[ColumnDistance]) -> str:
    named = "; ".join(f"{title_of(c.name)} ({c.wasserstein:.1f} σ)" for c in moved[:4])
    return f"What differs most, in standard deviations of training: {named}."
