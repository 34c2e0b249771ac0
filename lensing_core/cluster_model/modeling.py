"""Modeling of a cluster's mass from its file: fit, compare the two models, measure, predict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.curves import (
    Curve,
    critical_curves,
    effective_radius,
    einstein_radius,
)
from lensing_core.cluster_model.families import farthest_arcsec
from lensing_core.cluster_model.fitting import Fit, fit
from lensing_core.cluster_model.inputs import ClusterInput
from lensing_core.cluster_model.light import LightTracesMassModel
from lensing_core.cluster_model.maps import LensingMaps, compute_maps
from lensing_core.cluster_model.mass import FixedModel, Lens, MassModel, MeanLens
from lensing_core.cluster_model.parametric import ParametricModel
from lensing_core.cluster_model.prediction import PredictedImage, missed, predict, rms_arcsec
from lensing_core.cluster_model.published import MapLens
from lensing_core.errors import BadInputError

VERSION = 1
"""Of the method."""
_DRAWS = 24
_FIELD = 1.4
_PIXELS = 240
_LEAST_RMS_ARCSEC = 0.05
_DEFAULT_HALF_ARCSEC = 60.0


@dataclass(frozen=True)
class ModeledCluster:
    """One mass with what follows from it for ``z_source``.

    Attributes
    ----------
    kind : str
    lens : Lens
    fitted : Fit or None
        None without images.
    images : tuple of PredictedImage
    maps : LensingMaps
    curves : tuple of Curve
    theta_e_arcsec, theta_e_error : float
        Radius within which the mean of κ is 1 about the origin, and its error (NaN: not known).
    effective_arcsec : float
        √(area/π) of the largest tangential curve.
    weight : float
        In the mean of a hybrid.
    """

    kind: str
    lens: Lens
    fitted: Fit | None
    images: tuple[PredictedImage, ...]
    maps: LensingMaps
    curves: tuple[Curve, ...]
    theta_e_arcsec: float
    theta_e_error: float
    effective_arcsec: float
    weight: float = 1.0

    @property
    def rms_arcsec(self) -> float:
        """Root mean square of the fitted images, in the image plane."""
        return rms_arcsec(self.images)

    @property
    def rms_held_out_arcsec(self) -> float:
        """Root mean square of the images left out; NaN without any."""
        return rms_arcsec(self.images, held_out=True)

    @property
    def missed(self) -> list[str]:
        """Observed images that the mass does not make."""
        return missed(self.images)


@dataclass(frozen=True)
class ClusterModels:
    """The result for a cluster: the mass to use, and of a hybrid the two it is the mean of.

    Attributes
    ----------
    given : ClusterInput
    best : ModeledCluster
    parts : tuple of ModeledCluster
        Empty unless it is a hybrid.
    """

    given: ClusterInput
    best: ModeledCluster
    parts: tuple[ModeledCluster, ...] = ()

    @property
    def ratio(self) -> float:
        """D_ls / D_s of ``z_source``."""
        return float(self.given.plane.ratio(self.given.z_source))

    def spread(self, of: Callable[[LensingMaps], Float64Array]) -> Float64Array:
        """Weighted standard deviation of a map among the models: the systematic error."""
        values = np.stack([of(part.maps) for part in self.parts])
        weights = np.array([part.weight for part in self.parts])[:, None, None]
        mean = (weights * values).sum(axis=0)
        return np.asarray(np.sqrt((weights * (values - mean) ** 2).sum(axis=0)))

    @property
    def theta_e_spread(self) -> float:
        """Weighted standard deviation of θ_E among the models; NaN unless it is a hybrid."""
        if not self.parts:
            return math.nan
        radii = np.array([part.theta_e_arcsec for part in self.parts])
        weights = np.array([part.weight for part in self.parts])
        return float(np.sqrt((weights * (radii - (weights * radii).sum()) ** 2).sum()))


def model_cluster(
    given: ClusterInput, look: Callable[[int, int, str], None] | None = None
) -> ClusterModels:
    """Model a cluster.

    A hybrid is the mean of the two models, weighted by 1/rms² of the images held out, or of those
    fitted where none is; an image that a model does not make counts as 10″ off.

    Parameters
    ----------
    given : ClusterInput
    look : callable, optional
        Told how many steps are done, of how many, and what comes next; what it raises ends it.

    Raises
    ------
    BadInputError
        If the images do not constrain a mass, or lie beyond a published map.
    """
    say = look or (lambda done, total, activity: None)
    if given.published is not None:
        say(0, 1, "Reading the published mass")
        return ClusterModels(given, _published(given, given.published))
    models = _models(given)
    parts = []
    for k, model in enumerate(models):
        say(2 * k, 2 * len(models), f"Fitting {model.kind.replace('_', ' ')}")
        fitted = fit(model, given.families, starts=given.starts, seed=given.seed)
        say(2 * k + 1, 2 * len(models), "Maps and images")
        parts.append(_measured(given, model.kind, fitted.lens, fitted))
    if len(parts) == 1:
        return ClusterModels(given, parts[0])
    weights = _weights(parts)
    mean = MeanLens(tuple(part.lens for part in parts), tuple(weights))
    fitted = fit(FixedModel(mean), given.families)
    weighed = tuple(
        replace(part, weight=weight) for part, weight in zip(parts, weights, strict=True)
    )
    return ClusterModels(given, _measured(given, "hybrid", mean, fitted), weighed)


def _models(given: ClusterInput) -> list[MassModel]:
    found: list[MassModel] = []
    if given.kind in ("parametric", "hybrid"):
        found.append(
            ParametricModel(
                given.plane,
                given.halos,
                given.members,
                reference_mag=given.reference_mag,
                shear=given.shear,
            )
        )
    if given.kind in ("light_traces_mass", "hybrid"):
        found.append(
            LightTracesMassModel(
                given.plane, given.members, reference_mag=given.reference_mag, shear=given.shear
            )
        )
    return found


def _published(given: ClusterInput, lens: Lens) -> ModeledCluster:
    if isinstance(lens, MapLens):
        for image in (image for family in given.families for image in family.images):
            if max(abs(image.x), abs(image.y)) > lens.half_arcsec:
                raise BadInputError(f"Image {image.name} lies beyond the published map.")
    fitted = fit(FixedModel(lens), given.families) if given.families else None
    return _measured(given, "published", lens, fitted)


def _measured(given: ClusterInput, kind: str, lens: Lens, fitted: Fit | None) -> ModeledCluster:
    ratio = float(given.plane.ratio(given.z_source))
    half = given.field_arcsec / 2
    if math.isnan(half):
        far = farthest_arcsec(given.families, (0, 0)) if given.families else 0.0
        half = _FIELD * far or _DEFAULT_HALF_ARCSEC
    edge = lens.half_arcsec if isinstance(lens, MapLens) else math.inf
    half = min(half, edge)
    pixel = given.pixel_arcsec
    pixel = 2 * half / _PIXELS if math.isnan(pixel) else pixel
    maps = compute_maps(lens, half_arcsec=half, pixel_arcsec=pixel)
    curves = critical_curves(lens, maps, ratio)
    theta = einstein_radius(lens, ratio)
    images: list[PredictedImage] = []
    if fitted is not None:
        images = predict(lens, given.families, fitted.ratios, fitted.sources, most_arcsec=edge)
    return ModeledCluster(
        kind=kind,
        lens=lens,
        fitted=fitted,
        images=tuple(images),
        maps=maps,
        curves=tuple(curves),
        theta_e_arcsec=theta,
        theta_e_error=_theta_error(fitted, ratio, theta, given.seed),
        effective_arcsec=effective_radius(curves),
    )


def _theta_error(fitted: Fit | None, ratio: float, theta: float, seed: int) -> float:
    """Scatter of θ_E among draws of the normal approximation of the posterior."""
    if fitted is None or not fitted.model.parameters or theta == 0:
        return math.nan
    lenses, _ = fitted.draws(_DRAWS, seed)
    within = theta / 2, theta * 2
    radii = [einstein_radius(lens, ratio, within=within, n=60) for lens in lenses]
    return float(np.std(radii))


def _weights(parts: list[ModeledCluster]) -> list[float]:
    held_out = any(image.held_out for image in parts[0].images)
    squares = []
    for part in parts:
        offsets = [
            10.0 if math.isnan(image.offset_arcsec) else image.offset_arcsec
            for image in part.images
            if image.observed and image.held_out == held_out
        ]
        squares.append(max(float(np.mean(np.square(offsets))), _LEAST_RMS_ARCSEC**2))
    inverse = 1 / np.array(squares)
    return [float(weight) for weight in inverse / inverse.sum()]
