"""The errors that a user may see: one sentence each, saying what was found and what to do.

Everything the program raises on purpose derives from :class:`LensTriageError`. Pages and the
command line show ``str(error)``; a traceback goes to the log only.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar


class Offer(NamedTuple):
    """One of several ways out of an error: what it means, and the settings that state it."""

    text: str
    settings: Mapping[str, Any]


class LensTriageError(Exception):
    """Base of every error whose message is meant for the user.

    Attributes
    ----------
    setting : str
        The setting that must be stated or mended; empty if none is.
    offers : tuple of Offer
        What to choose from, where the program knows.
    """

    setting: str = ""
    offers: tuple[Offer, ...] = ()


Error = TypeVar("Error", bound=LensTriageError)


def of_setting(error: Error, setting: str, offers: Sequence[Offer] = ()) -> Error:
    """``error`` as one that speaks of a setting; pages open its field."""
    error.setting, error.offers = setting, tuple(offers)
    return error


@contextmanager
def about(setting: str) -> Iterator[None]:
    """Errors that are raised within and speak of no setting speak of this one."""
    try:
        yield
    except LensTriageError as error:
        of_setting(error, error.setting or setting, error.offers)
        raise


def with_traceback(error: Error, cause: BaseException) -> Error:
    """``error`` with the traceback of an unexpected ``cause``, which other processes see too."""
    error.add_note("".join(traceback.format_exception(cause)))
    return error


def traceback_in(error: BaseException | None) -> str:
    """Return what :func:`with_traceback` kept with an error or the errors that led to it, or
    nothing.
    """
    while error is not None:
        if notes := getattr(error, "__notes__", None):
            return "\n".join(notes)
        error = error.__cause__
    return ""


class BadInputError(LensTriageError):
    """A file, a row, a field or a setting that the user can mend."""


class BrokenModelError(BadInputError):
    """An ensemble or a model whose manifest or files are not as the program writes them."""


class WorkspaceError(LensTriageError):
    """The workspace folder is missing, in use by a newer version, or a path leaves it."""


class NotFoundError(LensTriageError):
    """A catalog, model, ensemble, run or candidate that does not exist."""


class DamagedError(LensTriageError):
    """A file of the workspace that is not as it was written."""


class ContractError(LensTriageError):
    """Images do not fit a model's input contract (bands, size, pixel scale, kind of pixel)."""


class CollapseError(LensTriageError):
    """Scores that say nothing: no numbers, one number for all, or no ranking at all."""


class PolicyError(LensTriageError):
    """Labels or images are asked for a use that their provenance forbids."""


class SignInError(PolicyError):
    """Nobody is signed in, or no longer, where somebody has to be."""


class JobError(LensTriageError):
    """A run cannot be started, cancelled or resumed in the state that it is in."""


class StorageError(LensTriageError):
    """The disk or the database refused: full, read-only, locked, damaged or out of reach."""
