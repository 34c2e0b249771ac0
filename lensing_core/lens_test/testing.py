"""The lens test of one cutout, from pixels to verdict."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.lens_test import shapes
from lensing_core.lens_test.curves import critical_curve, cut, images_of, to_source
from lensing_core.lens_test.evidence import Evidence, Verdict
from lensing_core.lens_test.light import LensLight, fit_lens_light
from lensing_core.lens_test.observation import observe
from lensing_core.lens_test.result import Estimate, LensTestPictures, LensTestResult
from lensing_core.lens_test.search import LensFit, find_lenses, largest_radius
from lensing_core.lens_test.settings import VERSION, LensTestSettings
from lensing_core.lens_test.verdict import decide, error_scale, theta_e_error

_REACH = 1.7  # of the largest Einstein radius: what is cut out of a large cutout
_SOURCE_PX = 48


@dataclass(frozen=True)
class FittedLens:
    """The lens that describes a cutout best, with what is evidence for it.

    Attributes
    ----------
    light : LensLight
    lens : LensFit
    evidence : Evidence
    verdict : Verdict
    sentence : str
    """

    light: LensLight
    lens: LensFit
    evidence: Evidence
    verdict: Verdict
    sentence: str


def fit_lens(
    cutout: NDArray[np.floating],
    geometry: CutoutGeometry,
    settings: LensTestSettings,
    *,
    variance: NDArray[np.floating] | None = None,
    psf: NDArray[np.floating] | None = None,
) -> FittedLens:
    """Fit a galaxy and lenses to a cutout and choose one; see :func:`run_lens_test`."""
    largest = settings.max_theta_e_arcsec
    reach = _REACH * (3.5 if math.isnan(largest) else largest)
    observed = observe(cutout, geometry, variance=variance, psf=psf, reach_arcsec=reach)
    light = fit_lens_light(observed)
    fits = find_lenses(
        light,
        largest_arcsec=largest_radius(light, largest),
        starts=settings.starts,
        anchors=settings.positions_arcsec,
    )
    if not fits:
        raise BadInputError(
            "No lens model of an Einstein radius between the PSF's width and the cutout's size "
            "could be fitted."
        )
    return FittedLens(light, *decide(light, fits))


def run_lens_test(
    cutout: NDArray[np.floating],
    geometry: CutoutGeometry,
    settings: LensTestSettings | None = None,
    *,
    variance: NDArray[np.floating] | None = None,
    psf: NDArray[np.floating] | None = None,
) -> LensTestResult:
    """Fit a galaxy and a lens to a cutout and say what that is evidence for.

    Parameters
    ----------
    cutout : ndarray of shape (band, y, x)
        Linear flux, NaN where there is no data.
    geometry : CutoutGeometry
    settings : LensTestSettings, optional
    variance : ndarray of shape (band, y, x), optional
    psf : ndarray of shape (band, py, px), optional
        Without it PSFs are Moffat profiles of the geometry's FWHM.

    Raises
    ------
    BadInputError
        If nothing can be fitted: rendered pictures, a tiny cutout, no PSF width, no data.
    """
    settings = settings or LensTestSettings()
    began = time.perf_counter()
    return describe(
        fit_lens(cutout, geometry, settings, variance=variance, psf=psf), settings, began
    )


def describe(fitted: FittedLens, settings: LensTestSettings, began: float) -> LensTestResult:
    """The result of a fit that :func:`time.perf_counter` saw begin at ``began``."""
    light, lens, observed = fitted.light, fitted.lens, fitted.light.observed
    p = lens.parameters
    errors = _errors(light, lens)
    q, angle = (float(v) for v in shapes.shape_of(p[1], p[2]))
    source_q, _ = (float(v) for v in shapes.shape_of(p[9], p[10]))
    gamma1, gamma2 = shapes.bounded_shear(p[5], p[6])
    shear = math.hypot(float(gamma1), float(gamma2))
    curve = critical_curve(p)
    caustic = to_source(p, curve)
    return LensTestResult(
        verdict=fitted.verdict,
        sentence=fitted.sentence,
        theta_e_arcsec=Estimate(lens.theta_e, lens.theta_e * theta_e_error(light, lens)),
        axis_ratio=Estimate(q, errors["axis_ratio"]),
        angle_deg=Estimate(math.degrees(angle) % 180, errors["angle_deg"]),
        shear=Estimate(shear, errors["shear"]),
        shear_angle_deg=Estimate(
            math.degrees(math.atan2(float(gamma2), float(gamma1)) / 2) % 180,
            errors["shear_angle_deg"],
        ),
        source_x_arcsec=Estimate(float(p[7]), errors["source_x"]),
        source_y_arcsec=Estimate(float(p[8]), errors["source_y"]),
        source_radius_arcsec=Estimate(
            math.exp(float(p[11])), math.exp(float(p[11])) * errors["source_log_radius"]
        ),
        source_index=Estimate(
            math.exp(float(p[12])), math.exp(float(p[12])) * errors["source_log_index"]
        ),
        source_axis_ratio=Estimate(source_q, errors["source_axis_ratio"]),
        lens_x_arcsec=float(p[3]),
        lens_y_arcsec=float(p[4]),
        chi2=lens.chi2,
        chi2_no_lens=lens.chi2_alone,
        n_pixels=int(lens.counted.sum()),
        evidence=fitted.evidence,
        noise_correlation=light.observed.correlation,
        critical_curve=_points(curve),
        caustic=_points(caustic),
        cut=_points(cut(p)),
        images=tuple(
            (float(x), float(y), float(mu)) for x, y, mu in images_of(p, float(p[7]), float(p[8]))
        ),
        bands=observed.bands,
        first_px=observed.first_px,
        binning=observed.binning,
        scale_arcsec=observed.scale_arcsec,
        seconds=time.perf_counter() - began,
        version=VERSION,
        settings=settings.to_json(),
        pictures=_pictures(light, lens, caustic),
    )


def _points(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)


def _errors(light: LensLight, lens: LensFit) -> dict[str, float]:
    """Standard errors of the parameters and of what is made of them."""
    covariance = lens.covariance * error_scale(light, lens)
    found = dict(zip(shapes.LENS, _root(torch.diagonal(covariance)), strict=True))

    def of(pair: tuple[int, int], made: int, function: str) -> float:
        values = lens.parameters[list(pair)].double().requires_grad_()
        if function == "shape":
            out = torch.stack(shapes.shape_of(*values))[made]
        else:
            gamma1, gamma2 = shapes.bounded_shear(*values)
            polar = torch.stack([torch.hypot(gamma1, gamma2), torch.atan2(gamma2, gamma1) / 2])
            out = polar[made]
        (slope,) = torch.autograd.grad(out, values)
        block = covariance[list(pair)][:, list(pair)]
        return float((slope @ block @ slope).clamp_min(0).sqrt())

    return {
        **found,
        "axis_ratio": of((1, 2), 0, "shape"),
        "angle_deg": min(90.0, math.degrees(of((1, 2), 1, "shape"))),
        "shear": of((5, 6), 0, "shear"),
        "shear_angle_deg": min(90.0, math.degrees(of((5, 6), 1, "shear"))),
        "source_axis_ratio": of((9, 10), 0, "shape"),
    }


def _root(values: Tensor) -> list[float]:
    return [math.sqrt(max(float(v), 0.0)) for v in values]


def _pictures(light: LensLight, lens: LensFit, caustic: NDArray[np.float64]) -> LensTestPictures:
    unit = light.observed.unit[:, None, None]
    p = lens.parameters
    half = 3 * min(max(math.exp(float(p[11])), 0.05), 1.0)
    if len(caustic):  # all of it is shown
        half = max(half, 1.1 * float(np.abs(caustic - p[7:9].numpy()).max()))
    axis = (torch.arange(_SOURCE_PX) - (_SOURCE_PX - 1) / 2) * (2 * half / _SOURCE_PX)
    x, y = torch.meshgrid(axis + p[7], axis + p[8], indexing="xy")
    shape = shapes.sersic(p[7:13, None, None], x, y).numpy()

    def flux(values: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray(values * unit, dtype=np.float32)

    return LensTestPictures(
        galaxy=flux(lens.galaxy),
        arcs=flux(lens.arcs),
        sigma=flux(np.where(lens.counted, light.sigma, np.nan)),
        source=flux(lens.amplitudes[:, None, None] * shape[None]),
        source_scale_arcsec=2 * half / _SOURCE_PX,
    )
