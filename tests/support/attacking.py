"""Attacks: seeded cases, what came of each, and one row of figures per attack.

``LENS_TRIAGE_ATTACK_ROUNDS`` multiplies the cases of every attack (1 unless given; ``make attack``
sets it), ``LENS_TRIAGE_ATTACK_SEED`` moves them all to other random numbers.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lensing_core.errors import LensTriageError

ROUNDS = int(os.environ.get("LENS_TRIAGE_ATTACK_ROUNDS", "1"))
SEED = int(os.environ.get("LENS_TRIAGE_ATTACK_SEED", "0"))
PROPERTY = "attack"
FAULTS = ("crashes", "hangs", "uncaught", "accepted")
HEADER = ("attack", "cases", "refused", *FAULTS, "peak MiB")


def seeds(n: int) -> range:
    """Seeds of ``n`` cases in the quick run, and of ``n * ROUNDS`` in the large one."""
    first = SEED * 1_000_000
    return range(first, first + n * ROUNDS)


@dataclass
class Attack:
    """What one attack came to.

    Attributes
    ----------
    name : str
        What is attacked, as it stands in the table of SECURITY.md.
    cases, refused : int
        How many were tried, and how many ended with an error of ours.
    crashes, hangs, uncaught, accepted : list of str
        Faults with the case that showed each: a process that died, a case that took too long, an
        exception that is no LensTriageError, and bad input that was taken without a word.
    peak_mib : float or None
        Largest memory of a process under attack.
    """

    name: str
    cases: int = 0
    refused: int = 0
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    uncaught: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    peak_mib: float | None = None

    @contextmanager
    def case(self, name: object, *, limit_s: float = 30.0) -> Iterator[None]:
        """Try one case in the block: whatever it raises is counted, and the attack goes on."""
        self.cases += 1
        begun = time.monotonic()
        try:
            yield
        except LensTriageError:
            self.refused += 1
        except Exception as error:  # noqa: BLE001 - counted as a fault of the program
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.uncaught.append(
                f"{name}: {type(error).__name__}: {str(error)[:200]} "
                f"({os.path.basename(where.filename)}:{where.lineno})"
            )
        if time.monotonic() - begun > limit_s:
            self.hangs.append(f"{name}: over {limit_s:g} s")

    def saw_memory(self, mib: float) -> None:
        """Keep the largest memory that was seen."""
        self.peak_mib = max(mib, self.peak_mib or 0.0)

    @property
    def faults(self) -> list[str]:
        """All faults, each with its kind."""
        return [f"{kind}: {each}" for kind in FAULTS for each in getattr(self, kind)]

    def row(self) -> tuple[str, ...]:
        """The cells of :data:`HEADER`."""
        peak = "" if self.peak_mib is None else f"{self.peak_mib:,.0f}"
        counts = (str(len(getattr(self, kind))) for kind in FAULTS)
        return (self.name, f"{self.cases:,}", f"{self.refused:,}", *counts, peak)
