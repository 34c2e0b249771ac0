"""Grading schemes: the grades of a session, their keys, and what each says of a lens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lensing_core.errors import BadInputError

REJECT_REASONS = {
    "ring": "ring galaxy",
    "spiral": "spiral arms",
    "merger": "merger",
    "tidal": "tidal tail",
    "edge_on": "edge-on disc",
    "companion": "companion galaxy",
    "artefact": "image artifact",
    "alignment": "chance alignment",
    "other": "something else",
}
_MAX_KEY, _MAX_GRADES = 32, 20
VISIBILITY = "visibility"
"""Scheme whose grades say how visible arcs are: they are kept in the log, and are no votes."""


@dataclass(frozen=True)
class Grade:
    """One grade.

    Attributes
    ----------
    key : str
        As stored and exported, e.g. ``"A"``.
    title : str
        For people, e.g. ``"certain lens"``.
    is_lens : int or None
        1, 0, or None where the grade leaves it open.
    p_lens : float
        The probability of a lens that the grade stands for, 0 to 1: a convention of the scheme,
        used where grades are averaged and as the start of Dawid-Skene; never shown as a result.
    """

    key: str
    title: str
    is_lens: int | None
    p_lens: float

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= _MAX_KEY:
            raise BadInputError(f"Grade {self.key!r}: give a key of 1 to {_MAX_KEY} characters.")
        if self.is_lens not in (0, 1, None):
            raise BadInputError(f"Grade {self.key}: is_lens {self.is_lens!r} is not 0, 1 or null.")
        if not 0 <= self.p_lens <= 1:
            raise BadInputError(f"Grade {self.key}: p_lens {self.p_lens} is not from 0 to 1.")


@dataclass(frozen=True)
class Scheme:
    """The grades of a session, best first.

    Attributes
    ----------
    name : str
    title : str
        For people.
    grades : tuple of Grade
        For a continuous scheme the marks of its scale; any number from 0 to 1 may be given.
    continuous : bool
        Grades are probabilities from 0 to 1 (``p_lens``).
    """

    name: str
    title: str
    grades: tuple[Grade, ...]
    continuous: bool = False

    def __post_init__(self) -> None:
        keys = [grade.key for grade in self.grades]
        if not 2 <= len(keys) <= _MAX_GRADES:
            raise BadInputError(f"Scheme {self.name}: {len(keys)} grades; give 2 to {_MAX_GRADES}.")
        if len(set(keys)) < len(keys):
            raise BadInputError(f"Scheme {self.name}: two grades have one key.")
        if self.gives_votes and not {0, 1} <= {grade.is_lens for grade in self.grades}:
            raise BadInputError(
                f"Scheme {self.name} needs a grade that says lens and one that says no lens."
            )

    @property
    def gives_votes(self) -> bool:
        """Return whether its grades say if an object is a lens."""
        return self.name != VISIBILITY

    def grade(self, key: str) -> Grade:
        """The grade of a key; for a continuous scheme any number from 0 to 1.

        Raises
        ------
        BadInputError
            If the scheme has no such grade.
        """
        for grade in self.grades:
            if grade.key == key:
                return grade
        if self.continuous:
            try:
                p = float(key)
            except ValueError:
                p = -1.0
            if 0 <= p <= 1:
                is_lens = None if p == 0.5 else int(p > 0.5)
                return Grade(key, f"P = {p:g}", is_lens, p)
            raise BadInputError(f"Grade {key!r} is not a probability from 0 to 1.")
        keys = ", ".join(grade.key for grade in self.grades)
        raise BadInputError(f"Grade {key!r} is not in scheme {self.name}: give one of {keys}.")

    def to_json(self) -> dict[str, Any]:
        """Form in which it is stored with a session."""
        return {
            "name": self.name,
            "title": self.title,
            "continuous": self.continuous,
            "grades": [
                {"key": g.key, "title": g.title, "is_lens": g.is_lens, "p_lens": g.p_lens}
                for g in self.grades
            ],
        }


def scheme_from_json(fields: Mapping[str, Any]) -> Scheme:
    """The scheme that :meth:`Scheme.to_json` wrote, or that a user made.

    Raises
    ------
    BadInputError
        If a field is missing or makes no sense.
    """
    try:
        grades = tuple(
            Grade(str(g["key"]), str(g["title"]), g["is_lens"], float(g["p_lens"]))
            for g in fields["grades"]
        )
        return Scheme(
            str(fields["name"])[:_MAX_KEY],
            str(fields["title"]),
            grades,
            bool(fields.get("continuous", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"This grading scheme makes no sense: {error}.") from error


SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "abcx",
            "A, B, C, X",
            (
                Grade("A", "certain lens", 1, 0.95),
                Grade("B", "probable lens", 1, 0.7),
                Grade("C", "possible lens", None, 0.3),
                Grade("X", "no lens", 0, 0.02),
            ),
        ),
        Scheme(
            "0-3",
            "0 to 3",
            (
                Grade("3", "certain lens", 1, 0.95),
                Grade("2", "probable lens", 1, 0.7),
                Grade("1", "possible lens", None, 0.3),
                Grade("0", "no lens", 0, 0.02),
            ),
        ),
        Scheme(
            "0-4",
            "0 to 4",
            (
                Grade("4", "certain lens", 1, 0.97),
                Grade("3", "probable lens", 1, 0.8),
                Grade("2", "possible lens", None, 0.5),
                Grade("1", "probably no lens", 0, 0.15),
                Grade("0", "no lens", 0, 0.02),
            ),
        ),
        Scheme(
            "binary",
            "Lens or not",
            (Grade("lens", "lens", 1, 0.9), Grade("not", "no lens", 0, 0.05)),
        ),
        Scheme(
            "p_lens",
            "Probability of a lens",
            (
                Grade("1", "certain", 1, 1.0),
                Grade("0.75", "probable", 1, 0.75),
                Grade("0.5", "even", None, 0.5),
                Grade("0.25", "improbable", 0, 0.25),
                Grade("0", "excluded", 0, 0.0),
            ),
            continuous=True,
        ),
        Scheme(
            VISIBILITY,
            "How visible arcs are",
            (
                Grade("clear", "arcs are clear", None, 0.5),
                Grade("doubtful", "arcs are doubtful", None, 0.5),
                Grade("no", "no arc can be seen", None, 0.5),
            ),
        ),
    )
}
