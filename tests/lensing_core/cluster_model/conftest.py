"""A cluster with known images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
import torch

from lensing_core.cluster_model.families import Family, Image
from lensing_core.cluster_model.mass import Member, ModelLens
from lensing_core.cluster_model.parametric import Halo, ParametricModel
from lensing_core.cluster_model.planes import LensPlane, cosmology_of
from lensing_core.cluster_model.prediction import Scaled
from lensing_core.physics.point_images import images_of_point


class Known(NamedTuple):
    """A simulated cluster: its mass, and images without errors."""

    plane: LensPlane
    lens: ModelLens
    families: list[Family]
    members: list[Member]
    halo: Halo
    sources: dict[str, tuple[float, float]]


@pytest.fixture(scope="session")
def known() -> Known:
    """A PIEMD with three galaxies and shear, and three sources of three to five images."""
    torch.set_num_threads(1)
    plane = LensPlane(0.4, 40.0, -1.5, cosmology_of({}))
    members = [Member("bcg", 0, 0, 18.0), Member("a", 14, 6, 19.3), Member("b", -9, 17, 19.9)]
    halo = Halo("main", 0, 0, sigma_km_s=1000.0)
    model = ParametricModel(plane, [halo], members, reference_mag=19.5)
    z = np.zeros(len(model.parameters))
    z[:8] = 0.3, -0.2, 0.9, -0.6, 0.28, -0.4, 0.2, -0.3
    lens = ModelLens(model, model.values(torch.from_numpy(z)).numpy())
    sources = {"1": (1.5, 0.5), "2": (0.4, -3.0), "3": (-1.0, -2.0)}
    families = images_by(lens, sources, [1.5, 2.4, 3.6])
    return Known(plane, lens, families, members, halo, sources)


def images_by(
    lens: ModelLens, sources: Mapping[str, tuple[float, float]], redshifts: Sequence[float]
) -> list[Family]:
    """Families of the images of sources that are not too faint, without errors of position."""
    families = []
    for (name, source), redshift in zip(sources.items(), redshifts, strict=True):
        ratio = float(lens.plane.ratio(redshift))
        seen = images_of_point(Scaled(lens, ratio), source, center=(0, 0), half_arcsec=50, n=71)
        bright = seen[np.abs(seen[:, 2]) > 0.5]
        images = tuple(
            Image(f"{name}.{k + 1}", float(x), float(y), error=0.3)
            for k, (x, y, _) in enumerate(bright)
        )
        families.append(Family(name, images, z=redshift))
    return families
