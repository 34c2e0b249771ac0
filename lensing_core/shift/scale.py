"""Scale contract: noise, brightness, PSF and other scales of a catalog against those of training.

The rule. A catalog's median is compared with the 1st to 99th percentile of the training objects,
widened by the margin of the quantity (:data:`MARGINS`): outside of that is a warning. Where noise
in every band and brightness lie 5 mag or more (a factor of 100) from the medians of training, all
to the same side, the zero point is wrong, or flux is in another unit than stated: refused. Of an
ensemble that keeps nothing but noise levels, noise decides alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.shift.columns import QUANTITIES, title_of
from lensing_core.shift.sample import ObjectSample

Level = Literal["ok", "warning", "refused"]
MARGINS: Mapping[str, float] = {
    "noise": 1.2,
    "brightness": 1.2,
    "sky": 1.0,
    "missing": 0.2,
    "depth_mag": 1.0,
}
"""Added to the range of training on both sides: 1.2 mag are a factor of 3."""
FACTORS: Mapping[str, float] = {"psf_fwhm_arcsec": 1.5, "theta_e_arcsec": 1.5}
"""By which the range is widened instead."""
ZERO_POINT_MAG = 5.0
_SAME_MAG = 1.0
_THETA_E = "theta_e_arcsec"


@dataclass(frozen=True)
class ScaleCheck:
    """One quantity of a catalog against its range in training.

    Attributes
    ----------
    low, high : float
        The widened range that is allowed.
    training, catalog : float
        Medians.
    """

    name: str
    title: str
    unit: str
    low: float
    high: float
    training: float
    catalog: float
    level: Level

    @property
    def sentence(self) -> str:
        """Sentence that says that it is out of range."""
        unit = f" {self.unit}" if self.unit and self.unit != "″" else self.unit
        return (
            f"{self.title}: {self.catalog:.4g}{unit}, outside of {self.low:.4g} to "
            f"{self.high:.4g}{unit}, the range of training with its margin."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ScaleContract:
    """All checks of a catalog.

    Attributes
    ----------
    refusal : str
        Why it must not be scored; '' where it may.
    hint : str
        What shifts of noise and brightness have in common, where they are out of range.
    """

    checks: tuple[ScaleCheck, ...]
    refusal: str = ""
    hint: str = ""

    @property
    def sentences(self) -> list[str]:
        """Return what is out of range."""
        found = [check.sentence for check in self.checks if check.level != "ok"]
        return [*found, *filter(None, [self.refusal, self.hint])]


def check_scale(training: ObjectSample, catalog: ObjectSample) -> ScaleContract:
    """Compare what was measured of both samples, in the bands of the training set."""
    checks = []
    ours, theirs = training.measured, catalog.measured
    for name in ours.names:
        if name in theirs.names:
            checks.append(_check(name, ours.column(name), theirs.column(name)))
    checks.append(_check(_THETA_E, training.theta_e_arcsec, catalog.theta_e_arcsec))
    known = tuple(check for check in checks if check is not None)
    return _judged(known, training.contract.pixel_kind == "flux")


def check_noise(levels: Mapping[str, float], catalog: ObjectSample) -> ScaleContract:
    """Compare noise alone, with what models keep of it.

    Parameters
    ----------
    levels : mapping of str to float
        Of :func:`lensing_core.shift.sample.noise_in_manifests`.
    """
    measured = catalog.measured
    checks = [
        _check(f"noise {band}", np.array([level]), measured.column(f"noise {band}"))
        for band, level in levels.items()
        if f"noise {band}" in measured.names
    ]
    return _judged(tuple(check for check in checks if check is not None), flux=True)


def _check(name: str, training: Float64Array, catalog: Float64Array) -> ScaleCheck | None:
    kind = name.partition(" ")[0]
    a, b = (values[np.isfinite(values)] for values in (training, catalog))
    if not len(a) or not len(b) or kind not in {**MARGINS, **FACTORS}:
        return None
    low, high = (float(v) for v in np.percentile(a, [1, 99]))
    if kind in FACTORS:
        low, high = low / FACTORS[kind], high * FACTORS[kind]
    else:
        low, high = low - MARGINS[kind], high + MARGINS[kind]
    if kind == "missing":
        low = 0.0
    value = float(b.mean() if kind == "missing" else np.median(b))
    if kind == _THETA_E:
        title, unit = "Einstein radius", "″"
    else:
        title, unit = title_of(name), QUANTITIES[kind].unit
    level: Level = "ok" if low <= value <= high else "warning"
    return ScaleCheck(name, title, unit, low, high, float(np.median(a)), value, level)


def _judged(checks: tuple[ScaleCheck, ...], flux: bool) -> ScaleContract:
    """Look for what only a zero point explains."""
    photometric = [c for c in checks if c.name.partition(" ")[0] in ("noise", "brightness")]
    moved = np.array([c.catalog - c.training for c in photometric])
    noisy = any(c.name.startswith("noise") for c in photometric)
    one_sided = len(moved) > 0 and bool((moved > 0).all() or (moved < 0).all())
    if not flux or not noisy or not one_sided:
        return ScaleContract(checks)
    side = "fainter" if moved[0] > 0 else "brighter"
    by = float(np.median(np.abs(moved)))
    both = len(photometric) > _count_noise(checks)
    what = "noise and brightness are" if both else "noise is"
    if np.abs(moved).min() >= ZERO_POINT_MAG:
        refused = tuple(
            ScaleCheck(**{**asdict(c), "level": "refused"}) if c in photometric else c
            for c in checks
        )
        return ScaleContract(
            refused,
            f"In all bands {what} {by:.1f} mag {side} than in training (flux a factor of "
            f"{10 ** (0.4 * by):,.0f} off), which only a wrong zero point or another unit of flux "
            "explains",
        )
    out = any(c.level == "warning" for c in photometric)
    if out and float(np.ptp(moved)) <= _SAME_MAG and len(moved) > 1:
        return ScaleContract(
            checks,
            hint=f"In all bands {what} {side} than in training by about the same, {by:.1f} "
            "mag: check the zero points.",
        )
    return ScaleContract(checks)


def _count_noise(checks: tuple[ScaleCheck, ...]) -> int:
    return sum(check.name.startswith("noise") for check in checks)
