"""Masses, delays, images and percentiles against lenstronomy and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lenstronomy.Cosmo.lens_cosmo import LensCosmo
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.Util.param_util import phi_q2_ellipticity

from lensing_core.errors import BadInputError
from lensing_core.lens_model import derived
from lensing_core.lens_model.settings import LensModelSettings
from lensing_core.lens_model.summary import percentiles
from lensing_core.lens_test.shapes import free_shape
from lensing_core.physics.cosmology import COSMOLOGY

Z = (0.5, 1.8)
PEER = LensCosmo(*Z, cosmo=COSMOLOGY)


def point(slope: float | None = None) -> np.ndarray:
    values = [math.log(1.3), *free_shape(0.7, 0.6), 0.1, -0.05, 0.05, -0.03, 0.15, 0.05, 0.1, 0.0,
              -1.5, 0.2]  # fmt: skip
    return np.array(values if slope is None else [*values, slope])


def peer(slope: float | None) -> tuple[LensModel, list[dict[str, float]]]:
    known = derived.physical(point(slope)[None])
    e1, e2 = phi_q2_ellipticity(math.radians(known["angle_deg"][0]), float(known["axis_ratio"][0]))
    turn = 2 * math.radians(known["shear_angle_deg"][0])
    mass = {"theta_E": 1.3, "e1": e1, "e2": e2, "center_x": 0.1, "center_y": -0.05}
    shear = {
        "gamma1": known["shear"][0] * math.cos(turn),
        "gamma2": known["shear"][0] * math.sin(turn), "ra_0": 0.1, "dec_0": -0.05,
    }  # fmt: skip
    if slope is None:
        return LensModel(["SIE", "SHEAR"]), [mass, shear]
    return LensModel(["EPL", "SHEAR"]), [{**mass, "gamma": slope}, shear]


def test_mass_dispersion_and_delays_are_those_of_lenstronomy() -> None:
    theta_e = np.array([0.7, 1.4])
    for found, wanted in (
        (derived.mass_in_einstein_radius(theta_e, *Z), PEER.mass_in_theta_E(theta_e)),
        (derived.velocity_dispersion(theta_e, *Z), PEER.sis_theta_E2sigma_v(theta_e)),
        (derived.days_per_arcsec2(*Z) * theta_e, PEER.time_delay_units(theta_e)),
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-3)  # of the solar mass, too
    kpc = 1.4 / COSMOLOGY.arcsec_per_kpc_proper(0.5).value
    assert derived.einstein_radius_kpc(theta_e, 0.5)[1] == pytest.approx(kpc, rel=1e-4)


@pytest.mark.parametrize("slope", [None, 1.8, 2.3])
def test_fermat_potentials_and_images_are_those_of_lenstronomy(slope: float | None) -> None:
    model, known = peer(slope)
    x, y = np.array([1.2, -0.6, 0.3]), np.array([0.4, 0.9, -1.1])
    wanted = model.fermat_potential(x, y, known, 0.15, 0.05)
    found = derived.fermat_potential(point(slope), x, y)
    np.testing.assert_allclose(found - found[0], wanted - wanted[0], atol=2e-4)

    images = derived.images_in(np.stack([point(slope)] * 2))
    assert images.n in (2, 4)
    assert images.share == 1
    assert (np.diff(images.fermat_arcsec2[0]) >= 0).all()
    back = model.ray_shooting(images.x[0], images.y[0], known)
    np.testing.assert_allclose(back[0], 0.15, atol=2e-3)
    np.testing.assert_allclose(back[1], 0.05, atol=2e-3)
    np.testing.assert_allclose(
        images.magnification[0], model.magnification(images.x[0], images.y[0], known), rtol=0.02
    )


def test_percentiles_of_angles_are_not_torn_apart_at_zero() -> None:
    rng = np.random.default_rng(2)
    found = percentiles((179.0 + 10 * rng.normal(size=4000)) % 180, is_angle=True)
    assert abs((found["p50"] - 179 + 90) % 180 - 90) < 1
    assert found["p84"] - found["p16"] == pytest.approx(20, abs=1.5)


def test_redshifts_out_of_order_are_refused() -> None:
    with pytest.raises(BadInputError, match="not behind the lens"):
        LensModelSettings(z_lens=1.0, z_source=0.5)
    assert not LensModelSettings(z_lens=1.0).has_redshifts
