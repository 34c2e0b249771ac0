"""Where labels come from, and what they may be used for.

A label has a source (``sim:<run>``, ``obs:<catalog>``, ``weak:<set>``, ``pretrain:<set>``,
``human:<session>``), a confidence from 0 to 1 and a policy. A row's own policy wins over its
catalog's. The policies, enforced by :func:`choose_training_labels`:

``all``
    Lenses and non-lenses may train and evaluate a classifier.
``positives_only``
    Known lenses without a matching set of non-lenses. Alone they would teach a classifier to tell
    one survey from another, so they are refused unless non-lenses of the same survey and kind of
    pixel come with them; any label 0 among them is left out.
``pretraining_only``
    No lens labels at all, or weak ones: never used as a target of a lens classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.ingest.choices import LabelPolicy
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.workspace import Workspace

POLICIES: tuple[str, ...] = get_args(LabelPolicy)
WEAK_CONFIDENCE = 0.4


def default_policy(source: str | None) -> LabelPolicy:
    """The policy that the kind of source asks for."""
    kind = (source or "").partition(":")[0]
    return "pretraining_only" if kind in ("weak", "pretrain") else "all"


def default_confidence(source: str | None) -> float:
    """The confidence of a source that states none: below 0.5 for weak labels, else 1."""
    return WEAK_CONFIDENCE if (source or "").startswith("weak:") else 1.0


def check_policy(source: str | None, policy: str) -> None:
    """Raise BadInputError for an unknown policy, or one that the source rules out."""
    if policy not in POLICIES:
        raise BadInputError(f"Label policy {policy!r}: use one of {', '.join(POLICIES)}.")
    if (source or "").startswith("pretrain:") and policy != "pretraining_only":
        raise BadInputError(
            f"Label source {source!r} has no lens labels; its policy must be pretraining_only, "
            f"not {policy}."
        )


@dataclass(frozen=True)
class LabelCount:
    """How many labels of one policy a catalog has.

    Attributes
    ----------
    catalog, survey, pixel_kind : str
    policy : str
        In force: of the rows, else of the catalog.
    source : str or None
    n_lenses, n_nonlenses : int
    """

    catalog: str
    survey: str
    pixel_kind: str
    policy: str
    source: str | None
    n_lenses: int
    n_nonlenses: int


def check_usable(counts: Sequence[LabelCount]) -> None:
    """Whether these labels may together train a lens classifier.

    Raises
    ------
    PolicyError
        If a catalog has nothing but pretraining labels, or known lenses come without non-lenses
        of their survey.
    """
    for name in dict.fromkeys(count.catalog for count in counts):
        own = [c for c in counts if c.catalog == name and c.n_lenses + c.n_nonlenses]
        if own and all(c.policy == "pretraining_only" for c in own):
            raise PolicyError(
                f"Catalog {name} is for pretraining only (label source {own[0].source}): it cannot "
                "train or evaluate a lens classifier. Choose a catalog with lens labels."
            )
    paired = {(c.survey, c.pixel_kind) for c in counts if c.policy == "all" and c.n_nonlenses}
    for count in counts:
        if count.policy != "positives_only" or not count.n_lenses:
            continue
        if (count.survey, count.pixel_kind) not in paired:
            raise PolicyError(
                f"Catalog {count.catalog} holds known lenses only (label source {count.source}): "
                "training on it needs non-lenses of the same survey beside it. Add a catalog of "
                f"{count.survey} non-lenses to the training set."
            )


@dataclass(frozen=True)
class TrainingLabels:
    """Labels that may train a lens classifier, one entry an object.

    Attributes
    ----------
    candidate_id, cutout_index : ndarray of shape (n,), int64
    catalog_id : ndarray of shape (n,), int64
    label : ndarray of shape (n,), int8
        1 lens, 0 not.
    confidence : ndarray of shape (n,), float64
        0 to 1.
    healpix : ndarray of shape (n,), int64
        NSIDE 64, nested; -1 without a position.
    catalogs : dict of int to str
        Name by catalog id.
    left_out : dict of str to int
        What was not taken, by reason.
    """

    candidate_id: NDArray[np.int64]
    cutout_index: NDArray[np.int64]
    catalog_id: NDArray[np.int64]
    label: NDArray[np.int8]
    confidence: NDArray[np.float64]
    healpix: NDArray[np.int64]
    catalogs: dict[int, str]
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.label)


def choose_training_labels(
    workspace: Workspace, catalogs: Sequence[str], *, min_confidence: float = 0.0
) -> TrainingLabels:
    """The labels of ``catalogs`` that may train a lens classifier, in order of catalog and row.

    Raises
    ------
    NotFoundError
        If there is no catalog of a name.
    PolicyError
        If the labels' provenance forbids the use (see :func:`check_usable`).
    BadInputError
        If lenses or non-lenses are missing altogether.
    """
    chosen = _find(workspace, catalogs)
    parts = [_labels_of(workspace, catalog) for catalog in chosen]
    check_usable([count for part in parts for count in part.counts])
    left_out: dict[str, int] = {}
    kept = []
    for part in parts:
        keep = np.ones(len(part.label), dtype=bool)
        for reason, bad in (
            ("unlabelled", part.label < 0),
            ("pretraining only", part.policy == "pretraining_only"),
            (
                "negative of a positives-only set",
                (part.policy == "positives_only") & (part.label == 0),
            ),
            ("confidence too low", part.confidence < min_confidence),
        ):
            left_out[reason] = left_out.get(reason, 0) + int((keep & bad).sum())
            keep &= ~bad
        kept.append(keep)
    label = np.concatenate([p.label[k] for p, k in zip(parts, kept, strict=True)])
    names = ", ".join(c.name for c in chosen)
    for value, what in ((1, "lenses"), (0, "non-lenses")):
        if not (label == value).any():
            raise BadInputError(
                f"Catalogs {names} have no labelled {what} that may be used; a classifier needs "
                "both lenses and non-lenses."
            )

    def joined(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(p, name)[k] for p, k in zip(parts, kept, strict=True)])

    return TrainingLabels(
        candidate_id=joined("candidate_id"),
        cutout_index=joined("cutout_index"),
        catalog_id=np.concatenate(
            [np.full(int(k.sum()), c.id, np.int64) for c, k in zip(chosen, kept, strict=True)]
        ),
        label=label.astype(np.int8),
        confidence=np.concatenate([p.confidence[k] for p, k in zip(parts, kept, strict=True)]),
        healpix=joined("healpix"),
        catalogs={c.id: c.name for c in chosen},
        left_out={reason: n for reason, n in left_out.items() if n},
    )


@dataclass(frozen=True)
class _Part:
    candidate_id: NDArray[np.int64]
    cutout_index: NDArray[np.int64]
    healpix: NDArray[np.int64]
    label: NDArray[np.int8]  # -1: none
    confidence: NDArray[np.float64]
    policy: NDArray[np.str_]
    counts: list[LabelCount]


def _find(workspace: Workspace, names: Sequence[str]) -> list[Catalog]:
    with open_database(workspace).session() as session:
        found = {c.name: c for c in session.scalars(select(Catalog).where(Catalog.name.in_(names)))}
    missing = [name for name in names if name not in found]
    if missing or not names:
        raise NotFoundError(f"There is no catalog {', '.join(missing) or '(none was named)'}.")
    return [found[name] for name in dict.fromkeys(names)]


def _labels_of(workspace: Workspace, catalog: Catalog) -> _Part:
    columns = (
        Candidate.id,
        Candidate.cutout_index,
        Candidate.healpix,
        Candidate.label,
        Candidate.label_confidence,
        Candidate.label_policy,
    )
    query = select(*columns).where(Candidate.catalog_id == catalog.id)
    with open_database(workspace).session() as session:
        rows = session.execute(query.order_by(Candidate.cutout_index)).all()
    label = np.array([-1 if r[3] is None else r[3] for r in rows], dtype=np.int8)
    policy = np.array([r[5] or catalog.label_policy for r in rows], dtype="U16")
    counts = [
        LabelCount(
            catalog=catalog.name,
            survey=catalog.survey.name,
            pixel_kind=catalog.pixel_kind,
            policy=str(name),
            source=catalog.label_source,
            n_lenses=int(((policy == name) & (label == 1)).sum()),
            n_nonlenses=int(((policy == name) & (label == 0)).sum()),
        )
        for name in np.unique(policy)
    ]
    return _Part(
        candidate_id=np.array([r[0] for r in rows], dtype=np.int64),
        cutout_index=np.array([r[1] for r in rows], dtype=np.int64),
        healpix=np.array([-1 if r[2] is None else r[2] for r in rows], dtype=np.int64),
        label=label,
        confidence=np.array(
            [catalog.label_confidence if r[4] is None else r[4] for r in rows], dtype=np.float64
        ),
        policy=policy,
        counts=counts,
    )
