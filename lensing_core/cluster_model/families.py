"""Families of images: the constraints of a cluster's mass model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.planes import LensPlane
from lensing_core.errors import BadInputError

Z_RANGE = (0.1, 8.0)
"""Redshifts of a source without one: at least so far behind the lens, and at most this."""
_LOGIT_WIDTH = 1.5


@dataclass(frozen=True)
class Image:
    """An image of a source: its place and error (arcsec), and whether the fit leaves it out."""

    name: str
    x: float
    y: float
    error: float = 0.5
    held_out: bool = False


@dataclass(frozen=True)
class Family:
    """Images of one source.

    Attributes
    ----------
    name : str
    images : tuple of Image
    z : float
        Redshift of the source; NaN: its D_ls / D_s is fitted.
    z_range : (float, float)
        Within which an unknown redshift lies; NaN: anywhere behind the lens up to 8.
    """

    name: str
    images: tuple[Image, ...]
    z: float = math.nan
    z_range: tuple[float, float] = (math.nan, math.nan)

    @property
    def fitted(self) -> tuple[Image, ...]:
        """Images of the fit."""
        return tuple(image for image in self.images if not image.held_out)


def check_families(families: Sequence[Family], plane: LensPlane) -> None:
    """Check that families constrain a mass.

    Raises
    ------
    BadInputError
        If a source is not behind the lens, a family has fewer than two images or none in the fit,
        or no family has a redshift: mass and distance then cannot be told apart.
    """
    if not families:
        raise BadInputError("There are no images: a mass model needs families of two and more.")
    for family in families:
        if len(family.images) < 2:
            raise BadInputError(
                f"Family {family.name} has one image; a family needs two, or leave it out."
            )
        if not family.fitted:
            raise BadInputError(
                f"All images of family {family.name} are held out: leave one in the fit, which "
                "says where the source is."
            )
        for z in (family.z, *family.z_range):
            if z <= plane.z_lens:
                raise BadInputError(
                    f"Family {family.name}: its redshift {z:g} is not behind the cluster at "
                    f"z = {plane.z_lens:g}."
                )
        if family.z_range[1] <= family.z_range[0]:
            raise BadInputError(
                f"Family {family.name}: z_min {family.z_range[0]:g} is not below z_max "
                f"{family.z_range[1]:g}."
            )
    if all(math.isnan(family.z) for family in families):
        raise BadInputError(
            "No family has a redshift: without one, mass and distance cannot be told apart."
        )
    if sum(len(family.fitted) - 1 for family in families) < 1:
        raise BadInputError("No family has two images in the fit: hold out fewer.")


def hold_out(families: Sequence[Family], names: Sequence[str]) -> list[Family]:
    """Families with the named images held out as well.

    Raises
    ------
    BadInputError
        If there is no image of a name.
    """
    known = {image.name for family in families for image in family.images}
    if missing := sorted(set(names) - known):
        raise BadInputError(f"There is no image {missing[0]!r} to hold out.")
    return [
        replace(
            family,
            images=tuple(
                replace(image, held_out=image.held_out or image.name in names)
                for image in family.images
            ),
        )
        for family in families
    ]


class Constraints:
    """Places of the fitted images as tensors, and the distance ratios of their families.

    Attributes
    ----------
    x, y, error : Tensor of shape (n,)
    family : Tensor of shape (n,)
        Index of each image's family.
    member_of : Tensor of shape (f, n)
        1 where an image is of a family.
    free : list of int
        Families whose D_ls / D_s is a parameter.
    """

    def __init__(self, families: Sequence[Family], plane: LensPlane) -> None:
        check_families(families, plane)
        self.families = tuple(families)
        rows = [
            (image.x, image.y, image.error, k)
            for k, family in enumerate(families)
            for image in family.fitted
        ]
        columns = torch.tensor(rows, dtype=torch.float64).T
        self.x, self.y, self.error = columns[:3]
        self.family = columns[3].long()
        self.member_of = torch.nn.functional.one_hot(self.family, len(families)).double().T
        self.free = [k for k, family in enumerate(families) if math.isnan(family.z)]
        self._known = torch.from_numpy(plane.ratio(np.array([f.z for f in families])))
        low, high = zip(*(_range(family, plane) for family in families), strict=True)
        self._low = torch.from_numpy(plane.ratio(np.array(low)))
        self._high = torch.from_numpy(plane.ratio(np.array(high)))

    def ratios(self, z: Tensor) -> Tensor:
        """D_ls / D_s (k, f) of normalized parameters (k, number of free families)."""
        ratios = self._known.expand(len(z), -1).clone()
        if self.free:
            share = torch.sigmoid(_LOGIT_WIDTH * z)
            low, high = self._low[self.free], self._high[self.free]
            ratios[:, self.free] = low + (high - low) * share
        return ratios

    @property
    def count(self) -> int:
        """Coordinates of images less those of the sources."""
        return int(2 * (len(self.x) - len(self.families)))


def _range(family: Family, plane: LensPlane) -> tuple[float, float]:
    if not math.isnan(family.z):
        return family.z, family.z
    low, high = family.z_range
    return (
        plane.z_lens + Z_RANGE[0] if math.isnan(low) else low,
        max(Z_RANGE[1], plane.z_lens + 1) if math.isnan(high) else high,
    )


def farthest_arcsec(families: Sequence[Family], center: tuple[float, float]) -> float:
    """Distance of the farthest image from a place."""
    places: Float64Array = np.array([(i.x, i.y) for f in families for i in f.images])
    return float(np.hypot(*(places - center).T).max())
