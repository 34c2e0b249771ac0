"""Objects whose answer is known: gold standards mixed into a session, and those of the tutorial.

They come from labeled catalogs whose pictures look like the session's by everything but their
content: same survey, bands, size, pixels and orientation. What a page is told of a cutout is then
the same for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.uses import OTHER, USES
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import Session
from lensing_core.store.catalogs import all_catalogs, catalogs_of, find_catalog
from lensing_core.store.observations import truths_of
from lensing_core.store.tables import Catalog

MIN_ARC_SNR = 15.0
"""Simulated lenses with fainter arcs are no fair question; what has no S/N stored is taken."""

_WHAT_IT_IS = {
    "lens": "a lens",
    "injected_lens": "a lens: arcs painted onto a real galaxy",
    "quasar_lens": "a lensed quasar",
    "cluster_lens": "a cluster lens",
    "elliptical": "a single early-type galaxy: smooth, one color, nothing curved around it",
    "spiral": "a spiral galaxy: its arms begin at the center and wind outwards in one disc",
    "alignment": "a chance alignment: the neighbor is neither curved nor stretched around it",
    "group": "galaxies side by side: each round or elongated in a direction of its own",
    "merger": "a merger: two nuclei or a disturbed body, with a tail of the same color",
    "tidal_tail": "a tidal tail: it starts at the galaxy and bends away from it",
    "ring": "a ring galaxy: the ring has clumps of star formation and is one with the galaxy",
    "edge_on": "an edge-on disc: straight, through the center",
    "artefact": "an image artifact",
    "cluster": "a cluster without arcs",
    "bcg_alignment": "a chance alignment near a brightest cluster galaxy",
    "galaxy_group": "a group of galaxies without arcs",
    "field_galaxy": "a single galaxy in the field",
}


@dataclass(frozen=True)
class KnownObject:
    """An object with its answer, 1 lens or 0 not, and a sentence for people."""

    candidate_id: int
    answer: int
    explanation: str


@dataclass(frozen=True)
class _Found:
    candidate_id: int
    answer: int
    truth: Mapping[str, Any]


def picture_kind(catalog: Catalog) -> tuple[Any, ...]:
    """Return what can be seen of a catalog's pictures whatever is on them."""
    return (
        catalog.survey_id,
        tuple(catalog.bands),
        catalog.size_px,
        catalog.pixel_scale_arcsec,
        catalog.pixel_kind,
        catalog.notes.get("north_up") is True,
    )


def choose_gold(
    session: Session, candidate_ids: Sequence[int], n: int, *, seed: int, lenses_of: str = ""
) -> list[KnownObject]:
    """Known objects to mix into a queue, half of them lenses, in an order by chance.

    Parameters
    ----------
    lenses_of : str, optional
        Name of the catalog whose lenses are taken, of any S/N, to measure which of them graders
        find; empty: of all catalogs, with arcs of :data:`MIN_ARC_SNR` at least.

    Raises
    ------
    NotFoundError
        If there are not enough whose pictures are like those of the queue, or no such catalog.
    """
    if n == 0:
        return []
    kinds = {picture_kind(catalog) for catalog in catalogs_of(session, candidate_ids)}
    if not kinds:
        raise BadInputError("The queue is empty.")
    catalogs = [
        c for c in all_catalogs(session) if c.archived_at is None and picture_kind(c) in kinds
    ]
    taken = set(candidate_ids)
    known = _known_in(session, catalogs)
    if lenses_of:
        named = find_catalog(session, lenses_of)
        of_it = [c for c in catalogs if c.id == named.id]
        known = [f for f in known if f.answer == 0] + [
            f for f in _known_in(session, of_it, min_arc_snr=0.0) if f.answer == 1
        ]
    known = [f for f in known if f.candidate_id not in taken]
    rng = np.random.default_rng([seed, 1])
    chosen: list[_Found] = []
    for answer, wanted in ((1, n - n // 2), (0, n // 2)):
        pool = [gold for gold in known if gold.answer == answer]
        if len(pool) < wanted:
            what = "lenses" if answer else "non-lenses"
            raise NotFoundError(
                f"{wanted} known {what} are wanted as gold, and {len(pool)} labeled ones have the "
                "survey, bands and size of this queue's pictures: simulate a labeled catalog like "
                "it, paint arcs into it, or lower the gold fraction."
            )
        chosen += [pool[k] for k in rng.choice(len(pool), wanted, replace=False)]
    return [_explained(chosen[k]) for k in rng.permutation(n)]


def choose_tutorial(session: Session, n: int, *, seed: int) -> list[KnownObject]:
    """Simulated objects to learn on: half lenses, clear ones first, and every kind of non-lens.

    Raises
    ------
    NotFoundError
        If no catalog has simulated lenses and non-lenses.
    """
    simulated = (
        c
        for c in reversed(all_catalogs(session))
        if c.origin == "simulated" and c.archived_at is None
    )
    for catalog in simulated:
        known = _known_in(session, [catalog])
        lenses = [f for f in known if f.answer == 1]
        non_lenses = [f for f in known if f.answer == 0]
        if len(lenses) >= n // 2 and len(non_lenses) >= n - n // 2:
            break
    else:
        raise NotFoundError(
            "The tutorial needs simulated lenses and non-lenses with labels: simulate a catalog."
        )
    rng = np.random.default_rng([seed, 2])
    lenses = [lenses[k] for k in rng.permutation(len(lenses))[: 4 * n]]
    lenses.sort(key=lambda f: -float(f.truth.get("arc_snr", 0.0)))
    step = max(1, len(lenses) // (n // 2))
    by_class: dict[str, list[_Found]] = {}
    for k in rng.permutation(len(non_lenses)).tolist():
        by_class.setdefault(str(non_lenses[k].truth.get("class", "")), []).append(non_lenses[k])
    varied: list[_Found] = []
    while len(varied) < n - n // 2:
        for of_class in by_class.values():
            varied += [of_class.pop()] if of_class else []
    chosen = (lenses[::step][: n // 2], varied[: n - n // 2])
    # From clear to faint, lenses and others in an order by chance within each four.
    pairs = [item for pair in zip(*chosen, strict=False) for item in pair]
    pairs += chosen[1][len(chosen[0]) :]
    out: list[_Found] = []
    for first in range(0, len(pairs), 4):
        part = pairs[first : first + 4]
        out += [part[k] for k in rng.permutation(len(part))]
    return [_explained(one) for one in out]


def _known_in(
    session: Session, catalogs: Sequence[Catalog], *, min_arc_snr: float = MIN_ARC_SNR
) -> list[_Found]:
    """Labeled objects whose label is as good as certain, by id."""
    if not catalogs:
        return []
    labels = read_labels(session, catalogs, USES["gold"])
    answers = dict(zip(labels.candidate_id.tolist(), labels.state.tolist(), strict=True))
    truths = truths_of(session, answers)
    known = []
    for candidate_id, answer in sorted(answers.items()):
        truth = truths.get(candidate_id, {})
        if answer == OTHER or truth.get("arc_snr", min_arc_snr) >= min_arc_snr:
            known.append(_Found(candidate_id, answer, truth))
    return known


def _explained(known: _Found) -> KnownObject:
    truth = known.truth
    what = _WHAT_IT_IS.get(str(truth.get("class")), "a lens" if known.answer else "not a lens")
    text = f"This is {what}."
    if known.answer and "theta_e_arcsec" in truth:
        text += f" Einstein radius {float(truth['theta_e_arcsec']):.2f}″"
        snr = truth.get("arc_snr")
        text += f", arcs of S/N {float(snr):.0f}." if snr is not None else "."
        text += " Look for blue light curved around the center, at one distance from it."
    return KnownObject(known.candidate_id, known.answer, text)
