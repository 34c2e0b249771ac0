"""Sources of labels, and policies for their use.

A label has a source (``sim:<run>``, ``obs:<catalog>``, ``weak:<set>``, ``pretrain:<set>``,
``human:<session>``), a confidence from 0 to 1 and a policy. A row's own policy wins over its
catalog's. The policies, enforced by :mod:`lensing_core.datasets`:

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

from typing import get_args

from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import LabelPolicy

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
