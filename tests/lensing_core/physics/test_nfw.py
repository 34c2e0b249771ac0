from __future__ import annotations

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from lenstronomy.LensModel.Profiles.nfw import NFW
from scipy.integrate import quad

from lensing_core.errors import BadInputError
from lensing_core.physics.nfw import NFWLens

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
RADII = np.array([0.01, 0.3, 0.99, 0.99999, 1.0, 1.00001, 1.5, 10.0])


@pytest.mark.parametrize(("mass", "theta_e"), [(2e14, 1.6), (5e14, 5.4), (1e15, 11.7)])
def test_einstein_radii_of_cluster_halos(mass, theta_e):
    lens = NFWLens.from_mass(mass, 5, 0.4, 1.2, COSMOLOGY)
    assert lens.einstein_radius_arcsec() == pytest.approx(theta_e, abs=0.1)


def test_convergence_and_deflection_agree_with_lenstronomy():
    lens = NFWLens(scale_radius_arcsec=20.0, kappa_s=0.3)
    radii = RADII * lens.scale_radius_arcsec
    other = NFW()
    alpha_rs = float(lens.deflection(lens.scale_radius_arcsec))
    theirs, _ = other.derivatives(radii, 0 * radii, Rs=20.0, alpha_Rs=alpha_rs)
    np.testing.assert_allclose(lens.deflection(radii), theirs, rtol=1e-5)
    f_xx, _, _, f_yy = other.hessian(radii, 0 * radii, Rs=20.0, alpha_Rs=alpha_rs)
    np.testing.assert_allclose(lens.convergence(radii), (f_xx + f_yy) / 2, rtol=1e-3)


def test_deflection_is_the_mass_inside():
    lens = NFWLens(scale_radius_arcsec=20.0, kappa_s=0.3)
    for radius in (1.0, 15.0, 60.0):
        inside = quad(lambda r: 2 * r * float(lens.convergence(r)), 0, radius, limit=200)[0]
        assert float(lens.deflection(radius)) == pytest.approx(inside / radius, rel=1e-6)


def test_a_weak_halo_has_no_einstein_radius():
    assert NFWLens(scale_radius_arcsec=20.0, kappa_s=0.01).einstein_radius_arcsec() == 0.0


def test_the_lens_weakens_with_lens_redshift_at_a_fixed_source():
    radii = [
        NFWLens.from_mass(1e15, 5, z, 1.2, COSMOLOGY).einstein_radius_arcsec()
        for z in (0.4, 0.5, 0.8)
    ]
    assert radii[0] > radii[1] > radii[2]


@pytest.mark.parametrize("values", [(1e14, 5, 0.5, 0.4), (-1, 5, 0.3, 1), (1e14, 0, 0.3, 1)])
def test_bad_input(values):
    with pytest.raises(BadInputError):
        NFWLens.from_mass(*values, COSMOLOGY)
