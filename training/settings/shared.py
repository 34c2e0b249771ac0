"""Settings that several kinds of run have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param

TITLES = {
    "blur_px": "Extra blur, FWHM at most",
    "gain": "Change of brightness, at most",
    "weight_decay": "Weight decay",
    "precision": "Arithmetic",
    "device": "Device",
}
"""What forms call settings that several kinds of run have."""
UNITS = {"blur_px": "px", "gain": "share", "weight_decay": ""}


def seed(doc: str) -> Any:
    """Seed of random numbers."""
    return param.Integer(default=1, bounds=(0, 2**31 - 1), doc=doc)


def device(doc: str) -> Any:
    """Device to run on; auto: a GPU if there is one."""
    return param.Selector(default="auto", objects=["auto", "cpu", "cuda"], doc=doc)


def survey_prior(doc: str) -> Any:
    """The share of lenses that probabilities are moved to."""
    return param.Number(default=1e-3, bounds=(1e-6, 0.5), inclusive_bounds=(True, True), doc=doc)


def weight_decay() -> Any:
    """Weight decay of networks."""
    return param.Number(default=1e-2, bounds=(0, 1), doc="Weight decay of AdamW.")


def blur_px() -> Any:
    """Blur of networks' training images."""
    return param.Number(
        default=0.0, bounds=(0, 8), doc="Largest FWHM of extra blur of training images."
    )


def gain() -> Any:
    """Gain of networks' training images."""
    return param.Number(
        default=0.0, bounds=(0, 0.5), doc="Largest relative change of brightness in training."
    )


def precision() -> Any:
    """Precision in which networks train."""
    return param.Selector(
        default="32-true", objects=["32-true", "bf16-mixed"], doc="Arithmetic of training."
    )


def several(catalog: str, additional: Sequence[str]) -> str:
    """A catalog and how many more, in titles."""
    return f"{catalog} and {len(additional)} more" if additional else catalog
