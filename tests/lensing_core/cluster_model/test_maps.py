"""Planes, maps and critical curves against closed forms and astropy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensing_core.cluster_model.curves import critical_curves, effective_radius, einstein_radius
from lensing_core.cluster_model.maps import compute_maps, wcs_of, write_map
from lensing_core.cluster_model.mass import ModelLens
from lensing_core.cluster_model.parametric import Halo, ParametricModel
from lensing_core.cluster_model.planes import LensPlane, cosmology_of, described
from lensing_core.errors import BadInputError
from lensing_core.physics.cosmology import arcsec_per_kpc, distance_ratio


def sphere(plane: LensPlane, gamma: float = 0.0) -> ModelLens:
    model = ParametricModel(plane, [Halo("main", 0, 0, core_kpc=1e-3, cut_kpc=1e8)])
    return ModelLens(model, np.array([0.0, 0.0, 0.0, 0.0, 800.0, 1e-3, gamma, 0.0]))


def test_distances_are_those_of_the_rest_of_the_program() -> None:
    plane = LensPlane(0.5, 10.0, 20.0, cosmology_of({}))
    assert plane.ratio([0.3, 1.2, 3.0]) == pytest.approx(
        distance_ratio(0.5, [0.3, 1.2, 3.0]), abs=1e-5
    )
    assert plane.kpc_per_arcsec == pytest.approx(1 / float(arcsec_per_kpc(0.5)), rel=1e-4)
    assert plane.redshift_of(float(plane.ratio(1.7))) == pytest.approx(1.7)
    assert math.isnan(plane.redshift_of(0.99))


def test_sky_and_plane() -> None:
    plane = LensPlane(0.5, 359.99, 60.0, cosmology_of({"name": "Planck18"}))
    ra, dec = plane.to_sky([30.0, -50.0], [20.0, 40.0])
    assert ra[0] < 359.99  # west
    assert ra[1] < 1
    assert dec[0] > 60
    x, y = plane.to_plane(ra, dec)
    assert x == pytest.approx([30.0, -50.0])
    assert y == pytest.approx([20.0, 40.0])
    assert described(plane.cosmology).startswith("Planck18: FlatLambdaCDM(H0=67.66")


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"name": "Planck99"}, "is not known: use one of"),
        ({"H0": "fast"}, "as numbers"),
        ({"h": 0.7}, r"\[cosmology\] has h"),
    ],
)
def test_a_cosmology_that_is_none(stated: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        cosmology_of(stated)


def test_curves_of_an_isothermal_sphere_with_shear() -> None:
    """Its critical curve is r = θ_E (1 + γ cos 2φ) / (1 − γ²), and open to integration."""
    plane = LensPlane(0.4, 10.0, 20.0, cosmology_of({}))
    lens, ratio, gamma = sphere(plane, 0.1), 0.8, 0.1
    theta = ratio * einstein_radius(sphere(plane), 1.0)
    maps = compute_maps(lens, half_arcsec=26.0, pixel_arcsec=0.4)
    # Shear is that of the cluster's own scale: it grows with the ratio as the mass does.
    curves = critical_curves(lens, maps, ratio)
    g = ratio * gamma
    expected = theta * math.sqrt(1 + g**2 / 2) / (1 - g**2)
    assert effective_radius(curves) == pytest.approx(expected, rel=2e-3)
    assert curves[0].tangential
    assert einstein_radius(lens, ratio) == pytest.approx(theta, rel=1e-3)


def test_maps_hold_the_mass_and_know_the_sky(tmp_path: Path) -> None:
    plane = LensPlane(0.4, 10.0, 20.0, cosmology_of({}))
    model = ParametricModel(plane, [Halo("main", 8.0, -4.0, cut_kpc=1e8)], shear=False)
    lens = ModelLens(model, np.array([8.0, -4.0, 0.0, 0.0, 800.0, 5.0]))
    maps = compute_maps(lens, half_arcsec=20.0, pixel_arcsec=0.5)
    path = tmp_path / "kappa.fits"
    write_map(path, maps.kappa, wcs_of(maps, plane), unit="", what="kappa", cards={"ZLENS": 0.4})
    with fits.open(path) as file:
        data, header = file[0].data, file[0].header
    assert header["ZLENS"] == 0.4
    row, column = np.unravel_index(np.argmax(data), data.shape)
    ra, dec = plane.to_sky(8.0, -4.0)
    sky = WCS(header).pixel_to_world(column, row)
    assert sky.ra.deg == pytest.approx(float(ra), abs=0.5 / 3600)
    assert sky.dec.deg == pytest.approx(float(dec), abs=0.5 / 3600)
    assert maps.magnification(0.8)[0, 0] == pytest.approx(
        1 / ((1 - 0.8 * maps.kappa[0, 0]) ** 2
             - 0.64 * (maps.gamma_1[0, 0] ** 2 + maps.gamma_2[0, 0] ** 2))
    )  # fmt: skip


def test_maps_without_pixels() -> None:
    plane = LensPlane(0.4, 10.0, 20.0, cosmology_of({}))
    with pytest.raises(BadInputError, match="give 2 to 2000"):
        compute_maps(sphere(plane), half_arcsec=10.0, pixel_arcsec=0.001)
