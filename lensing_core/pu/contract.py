"""Contract of all PU methods: their input and output.

A method is a frozen set of settings; ``method.fit(x, s, groups)`` returns a :class:`PUModel`. x is
float32 of shape (n, d), embeddings or features, NaN where unknown; s is 1 for a labeled positive
and 0 for an unlabeled object; objects of one group (see
:func:`lensing_core.datasets.groups.object_groups`) are never on two sides of a fold. The same data,
settings and seed give the same model.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logit

from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.datasets.splits import group_folds
from lensing_core.errors import BadInputError
from lensing_core.models.manifest import check_names
from lensing_core.pu.learners import Learner, Scorer, load_scorer

Scale = Literal["log_odds", "elkan_noto", "case_control"]
MANIFEST = "pu.json"
HIGHEST_EXACT = 0.95


@dataclass(frozen=True)
class IntervalEstimate:
    """A number with its 95 % interval, where the method gives one. Never clipped."""

    value: float
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Plain JSON; NaN as null."""
        return {k: None if v is None or v != v else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> IntervalEstimate:
        """Read what :meth:`to_json` wrote."""
        return cls(**{**stored, "value": np.nan if stored["value"] is None else stored["value"]})

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True)
class Link:
    """Map from the log-odds of labeled against unlabeled, z = logit g, to those of a lens.

    - ``log_odds``: they are the same but for ``shift``;
    - ``elkan_noto``: P(y=1 | x) = g / c (Elkan & Noto 2008, single-sample scenario);
    - ``case_control``: P(y=1 | x) = π (n_U / n_P) g / (1 − g), where the labeled positives are
      no part of the population that the unlabeled were drawn from.

    The last two exceed 1 where g is over-estimated. A clip would tie the top of the ranking: from
    P = 0.95 on, the log-odds go up as z does.

    Attributes
    ----------
    shift : float
        Added to z first.
    label_frequency : float
        c of ``elkan_noto``.
    """

    scale: Scale = "log_odds"
    shift: float = 0.0
    label_frequency: float = 1.0

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            raise BadInputError(f"Scale {self.scale!r} is unknown: {', '.join(get_args(Scale))}.")

    def __call__(self, z: Float64Array) -> Float64Array:
        """Log-odds of being a lens; strictly increasing in z."""
        moved = z + self.shift
        if self.scale == "log_odds":
            return moved
        if self.scale == "elkan_noto":
            highest = HIGHEST_EXACT * self.label_frequency
            knee = float(logit(highest)) if highest < 1 else np.inf
            log_p = log_expit(np.minimum(moved, knee)) - np.log(self.label_frequency)
        else:
            knee = float(np.log(HIGHEST_EXACT))
            log_p = np.minimum(moved, knee)
        return log_p - np.log(-np.expm1(log_p)) + np.maximum(moved - knee, 0)


@dataclass(frozen=True)
class PUModel:
    """A fitted PU method.

    Attributes
    ----------
    method : str
        Name of the method.
    scorers : tuple of Scorer
        Their log-odds are averaged.
    link : Link
    columns : int
        d of the features.
    prior : IntervalEstimate
        Class prior at which :meth:`decision` stands: estimated, assumed or set (see the method).
    label_frequency : IntervalEstimate or None
        c = P(s=1 | y=1); None where the method does not estimate it.
    diagnostics : dict
        Counts and checks of the fit, by name.
    training_logits : ndarray of shape (n,) or None
        Of the training rows, from parts of the model that did not see them; NaN where all did.
        Not stored.
    choices : list of dict
        What was tried, with figures and which was chosen, where the method chooses.
    """

    method: str
    scorers: tuple[Scorer, ...]
    link: Link
    columns: int
    prior: IntervalEstimate
    label_frequency: IntervalEstimate | None = None
    diagnostics: dict[str, float] = field(default_factory=dict)
    training_logits: Float64Array | None = None
    choices: list[dict[str, Any]] = field(default_factory=list)

    def decision(self, x: ArrayLike) -> Float64Array:
        """Log-odds of P(y=1 | x), shape (n,), never clipped: rank by it.

        Raises
        ------
        BadInputError
            If the number of columns is another, or a value is infinite.
        """
        rows = check_features(x)
        if rows.shape[1] != self.columns:
            raise BadInputError(
                f"The model takes {self.columns} columns; these features have {rows.shape[1]}."
            )
        return self.link(mean_logit(self.scorers, rows))

    def probability(self, x: ArrayLike) -> Float64Array:
        """P(y=1 | x) at class prior :attr:`prior`, shape (n,)."""
        return np.asarray(expit(self.decision(x)), dtype=np.float64)

    def to_files(self, folder: Path) -> dict[str, Any]:
        """Write the model into a folder; return its manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        names = [f"scorer_{k:03d}{scorer.suffix}" for k, scorer in enumerate(self.scorers)]
        for name, scorer in zip(names, self.scorers, strict=True):
            scorer.save(folder / name)
        manifest: dict[str, Any] = {
            "method": self.method,
            "scorers": names,
            "link": asdict(self.link),
            "columns": self.columns,
            "prior": self.prior.to_json(),
            "label_frequency": self.label_frequency and self.label_frequency.to_json(),
            "diagnostics": self.diagnostics,
            "choices": self.choices,
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
        return manifest

    @classmethod
    def from_files(cls, folder: Path, files: Mapping[str, str] | None = None) -> PUModel:
        """Return what :meth:`to_files` wrote.

        Parameters
        ----------
        files : mapping of str to str, optional
            SHA-256 by name, as checked already; no other file is read.

        Raises
        ------
        BadInputError
            If a file is missing or damaged.
        """
        path = folder / MANIFEST
        try:
            stored = json.loads(path.read_text())
            names = [Path(name).name for name in stored["scorers"]]
            if files is not None:
                check_names([MANIFEST, *names], files, path)
            c = stored["label_frequency"]
            return cls(
                stored["method"],
                tuple(load_scorer(folder / name) for name in names),
                Link(**stored["link"]),
                int(stored["columns"]),
                IntervalEstimate.from_json(stored["prior"]),
                None if c is None else IntervalEstimate.from_json(c),
                stored["diagnostics"],
                choices=stored.get("choices", []),
            )
        except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise BadInputError(
                f"{path} cannot be read ({type(error).__name__}: {error}); train the model again."
            ) from error


class PUMethod(ABC):
    """Settings of a method; :meth:`fit` gives a model."""

    name: ClassVar[str]
    min_positives: ClassVar[int] = 2

    def fit(self, x: ArrayLike, s: ArrayLike, groups: ArrayLike | None = None) -> PUModel:
        """Fit to features x (n, d) and labels s (n,), objects of one group kept together.

        Raises
        ------
        BadInputError
            On infinite features, labels other than 0 and 1, too few labeled positives or groups
            of them, or no unlabeled object.
        """
        rows, labels, together = self.check(x, s, groups)
        return self._fit(rows, labels, together)

    def check(
        self, x: ArrayLike, s: ArrayLike, groups: ArrayLike | None
    ) -> tuple[Float32Array, IntArray, IntArray]:
        """The three inputs as arrays, or one sentence on what is wrong with them."""
        rows, labels = check_features(x), np.asarray(s)
        together = np.arange(len(rows)) if groups is None else np.asarray(groups)
        if labels.shape != (len(rows),) or together.shape != (len(rows),):
            raise BadInputError(
                f"{len(rows)} rows of features, labels of shape {labels.shape} and groups of shape "
                f"{together.shape}: give one of each a row."
            )
        if not np.issubdtype(together.dtype, np.integer):
            raise BadInputError(
                f"Groups of type {together.dtype}: give whole numbers, as of object_groups."
            )
        if not np.isin(labels, (0, 1)).all():
            raise BadInputError("Labels are 1 for a labeled positive and 0 for unlabeled.")
        positives = int((labels == 1).sum())
        if positives < self.min_positives:
            raise BadInputError(
                f"{self.name} needs at least {self.min_positives} labeled positives; there are "
                f"{positives}. Label more."
            )
        if positives == len(labels):
            raise BadInputError(
                f"All {positives} objects are labeled; {self.name} needs unlabeled ones too."
            )
        return rows, labels.astype(np.int64), together.astype(np.int64)

    @abstractmethod
    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel: ...


def check_features(x: ArrayLike) -> Float32Array:
    """Float32 rows, or BadInputError for another shape or infinite values; NaN passes."""
    with np.errstate(over="ignore"):  # what float32 cannot hold is named below as infinite
        rows = np.asarray(x, dtype=np.float32)
    if rows.ndim != 2 or 0 in rows.shape:
        raise BadInputError(f"Features of shape {rows.shape}: give rows and columns.")
    for first in range(0, len(rows), 65536):
        infinite = np.isinf(rows[first : first + 65536])
        if infinite.any():
            row, column = np.argwhere(infinite)[0]
            raise BadInputError(
                f"Feature {column} of row {first + row} is infinite; store NaN for what is unknown."
            )
    return rows


def check_prior(prior: float) -> float:
    """A class prior between 0 and 1, or BadInputError."""
    if not 0 < prior < 1:
        raise BadInputError(f"Class prior {prior}: give a number between 0 and 1.")
    return prior


def mean_logit(scorers: tuple[Scorer, ...], x: Float32Array) -> Float64Array:
    """Mean of the scorers' log-odds, shape (n,)."""
    total = np.zeros(len(x), dtype=np.float64)
    for scorer in scorers:
        total += scorer(x)
    return total / len(scorers)


def sample_unlabeled(s: IntArray, most: int, rng: np.random.Generator) -> tuple[IntArray, float]:
    """Rows of all labeled and of at most ``most`` unlabeled objects; log of the share kept.

    A model of s fitted on these rows has log-odds too high by minus that logarithm (King & Zeng
    2001, Political Analysis 9, 137): add it.
    """
    unlabeled = np.flatnonzero(s == 0)
    if len(unlabeled) <= most:
        return np.arange(len(s)), 0.0
    kept = rng.choice(unlabeled, most, replace=False, shuffle=False)
    rows = np.sort(np.concatenate([np.flatnonzero(s == 1), kept]))
    return rows, float(np.log(most / len(unlabeled)))


def fit_labeled(
    learner: Learner, x: Float32Array, s: IntArray, *, most_unlabeled: int, seed: int
) -> tuple[Scorer, float]:
    """A scorer of P(s=1 | x), and what to add to its log-odds for the unlabeled left out."""
    rows, log_share = sample_unlabeled(s, most_unlabeled, np.random.default_rng(seed))
    return learner.fit(x[rows], s[rows], seed=seed), log_share


def out_of_fold(
    method: PUMethod,
    x: ArrayLike,
    s: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_folds: int = 5,
    seed: int = 0,
) -> Float64Array:
    """Decision of each training row by a model that saw nothing of the row's group.

    These, and never a model's own training scores, are what a stack or a calibration is fitted on.
    """
    rows, labels, together = method.check(x, s, groups)
    fold = group_folds(together, labels, n_folds, seed=seed)
    out = np.empty(len(rows), dtype=np.float64)
    for k in range(n_folds):
        in_fold = fold == k
        out[in_fold] = method.fit(rows[~in_fold], labels[~in_fold], together[~in_fold]).decision(
            rows[in_fold]
        )
    return out
