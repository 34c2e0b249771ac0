"""Under which conditions a session is graded; they stay as they are while it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lensing_core.errors import BadInputError

MAX_FRACTION = 0.5


@dataclass(frozen=True)
class SessionOptions:
    """Conditions of a session.

    Attributes
    ----------
    blind : bool
        Graders see neither scores nor names nor other people's votes.
    shuffled : bool
        Each grader has an order of their own.
    seed : int
        Of the orders and of the choice of gold.
    gold_fraction : float
        Share of the cutouts whose answer is known, 0 to 0.5.
    repeat_fraction : float
        Share of the queue that each grader sees a second time, 0 to 0.5.
    feedback : bool
        Say after each gold object whether the grade was right.
    target_votes : int
        Votes after which a candidate leaves the queue of others; 0: everybody grades everything.
    lens_test : bool
        Graders may fit a quick lens model to a cutout.
    gold_catalog : str
        Catalog whose lenses are the gold, however faint their arcs; empty: of any catalog, with
        arcs that can be seen.
    """

    blind: bool = True
    shuffled: bool = True
    seed: int = 1
    gold_fraction: float = 0.0
    repeat_fraction: float = 0.0
    feedback: bool = False
    target_votes: int = 0
    lens_test: bool = False
    gold_catalog: str = ""

    def __post_init__(self) -> None:
        for name in ("gold_fraction", "repeat_fraction"):
            if not 0 <= getattr(self, name) <= MAX_FRACTION:
                raise BadInputError(
                    f"{name} = {getattr(self, name)}: give a number from 0 to {MAX_FRACTION}."
                )
        if self.gold_fraction and not self.blind:
            raise BadInputError(
                "Gold objects have no scores, which would give them away: make the session "
                "blind, or "
                "leave gold out."
            )
        if self.target_votes < 0:
            raise BadInputError(f"target_votes = {self.target_votes}: give 0 or more.")

    def to_json(self) -> dict[str, Any]:
        """Form in which they are stored with a session."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SessionOptions:
        """Read what :meth:`to_json` wrote."""
        return cls(**stored)
