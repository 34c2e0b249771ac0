"""Images against an independent code (lenstronomy), closed forms and conservation laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from lenstronomy.Util.param_util import phi_q2_ellipticity
from lenstronomy.Util.util import make_grid
from scipy.special import gamma

from lensing_core.simulation import Component, Deflector, Frame, Scene, render
from lensing_core.simulation.rendering import moffat_psf

SCALE, SIZE, FINE = 0.1, 81, 4


def component(**changes) -> Component:
    values = {
        "x": 0.0,
        "y": 0.0,
        "axis_ratio": 0.7,
        "angle": 0.5,
        "sersic_index": 1.5,
        "half_light_radius": 0.6,
        "magnitudes": np.array([20.0]),
    }
    return Component(**{**values, **changes})


def noiseless(scene: Scene, oversampling: int = FINE) -> np.ndarray:
    """Without blur: a PSF much narrower than a pixel."""
    frame = Frame(SIZE, SCALE, (25.0,), (1e-3,), oversampling=oversampling, margin_px=4)
    return render([scene], frame)[0, 0]


def lenstronomy_image(scene: Scene) -> np.ndarray:
    """The same scene, averaged over FINE × FINE points a pixel."""
    x, y = make_grid(SIZE * FINE, SCALE / FINE)
    total = np.zeros(SIZE * FINE * SIZE * FINE)
    light = LightModel(["SERSIC_ELLIPSE"])
    for part in scene.components:
        bx, by = x, y
        if part.lensed:
            d = scene.deflectors[0]
            e1, e2 = phi_q2_ellipticity(d.angle, d.axis_ratio)
            model = LensModel(["SIE", "SHEAR"])
            bx, by = model.ray_shooting(
                x,
                y,
                [
                    {
                        "theta_E": d.einstein_radius,
                        "e1": e1,
                        "e2": e2,
                        "center_x": d.x,
                        "center_y": d.y,
                    },
                    {"gamma1": d.shear_1, "gamma2": d.shear_2, "ra_0": d.x, "dec_0": d.y},
                ],
            )
        e1, e2 = phi_q2_ellipticity(part.angle, part.axis_ratio)
        keywords = {
            "amp": 1.0,
            "n_sersic": part.sersic_index,
            "center_x": part.x,
            "center_y": part.y,
            "R_sersic": part.half_light_radius * np.sqrt(part.axis_ratio),
            "e1": e1,
            "e2": e2,
        }
        flux = light.total_flux([keywords])[0]
        target = 10 ** (-0.4 * (part.magnitudes[0] - 25.0))
        total += light.surface_brightness(bx, by, [keywords]) * target / flux * SCALE**2
    fine = total.reshape(SIZE, FINE, SIZE, FINE)
    return fine.mean(axis=(1, 3))


LENSES = [
    Deflector(0, 0, 0.8, 0.0, 1.2, 0.0, 0.0),
    Deflector(0.05, -0.1, 0.6, 1.1, 1.5, 0.05, -0.03),
    Deflector(0, 0, 0.95, 2.5, 0.8, -0.08, 0.02),
]


@pytest.mark.parametrize("deflector", LENSES)
@pytest.mark.parametrize("source", [(0.0, 0.0), (0.15, -0.1), (0.5, 0.3)])
def test_lensed_images_agree_with_lenstronomy_to_one_per_cent_of_the_peak(deflector, source):
    scene = Scene(
        "lens",
        (
            component(sersic_index=4.0, half_light_radius=0.9, magnitudes=np.array([19.0])),
            component(
                x=source[0],
                y=source[1],
                axis_ratio=0.5,
                angle=1.2,
                sersic_index=1.0,
                half_light_radius=0.25,
                magnitudes=np.array([23.0]),
                lensed=True,
            ),
        ),
        (deflector,),
    )
    for part in scene.components:  # each by itself too: the lens must not hide the arc
        alone = Scene("lens", (part,), (deflector,))
        ours, theirs = noiseless(alone), lenstronomy_image(alone)
        center = np.s_[SIZE // 2 - 1 : SIZE // 2 + 2, SIZE // 2 - 1 : SIZE // 2 + 2]
        difference = np.abs(ours - theirs)
        if not part.lensed:
            # The cusp of a Sérsic n = 4 is softened; its pixels are held to 3 %.
            assert difference[center].max() < 0.03 * theirs.max()
            difference[center] = 0
        assert difference.max() < 0.01 * theirs.max()


def test_an_unlensed_profile_has_its_magnitude():
    image = noiseless(Scene("x", (component(sersic_index=1.0, half_light_radius=0.4),)))
    assert image.sum() == pytest.approx(10 ** (-0.4 * (20 - 25)), rel=5e-3)


@pytest.mark.parametrize("profile", ["spiral", "ring"])
def test_spirals_and_rings_have_their_magnitude_in_every_band(profile):
    part = component(
        profile=profile,
        arms=2,
        winding=3.0,
        arm_contrast=0.7,
        ring_width=0.15,
        magnitudes=np.array([20.0, 21.5]),
    )
    frame = Frame(SIZE, SCALE, (25.0, 25.0), (0.5, 0.6), margin_px=12)
    g, r = render([Scene("x", (part,))], frame)[0]
    assert g.sum() == pytest.approx(100.0, rel=0.03)
    np.testing.assert_allclose(g.sum() / r.sum(), 10**0.6, rtol=0.01)


def test_lensing_conserves_surface_brightness_not_flux():
    source = component(x=0.1, lensed=True, half_light_radius=0.3, sersic_index=0.8)
    seen = noiseless(Scene("lens", (source,), (LENSES[0],)))
    plain = noiseless(Scene("x", (component(x=0.1, half_light_radius=0.3, sersic_index=0.8),)))
    assert seen.sum() > 3 * plain.sum()
    # Central brightness of a Sérsic profile: F k^(2n) / (2π n q R² Γ(2n)), k = 1.2819 for n = 0.8.
    k, n = 1.28190, 0.8
    central = 100 * k ** (2 * n) / (2 * np.pi * n * 0.7 * 0.3**2 * gamma(2 * n)) * SCALE**2
    assert 0.8 * central < seen.max() <= central * 1.001


def test_einstein_radius_is_that_of_the_critical_area():
    """A far point source behind the lens center makes a ring whose mean radius is θ_E √…"""
    for q in (1.0, 0.7):
        scene = Scene(
            "lens",
            (component(lensed=True, half_light_radius=0.05, axis_ratio=1.0),),
            (Deflector(0, 0, q, 0.3, 1.5, 0, 0),),
        )
        image = noiseless(scene)
        axis = (np.arange(SIZE) - (SIZE - 1) / 2) * SCALE
        radius = np.hypot(axis[:, None], axis[None, :])
        mean = (image * radius).sum() / image.sum()
        assert mean == pytest.approx(1.5, rel=0.04)


@pytest.mark.parametrize("fwhm", [0.2, 0.7, 1.4])
def test_psf_has_unit_sum_and_its_width(fwhm):
    psf = moffat_psf(torch.tensor([fwhm]), 0.1, 61, torch.tensor([3.5]))[0].double()
    assert float(psf.sum()) == pytest.approx(1.0, abs=1e-6)
    profile = psf[30, 30:].numpy() / float(psf[30, 30])
    half = np.interp(0.5, profile[::-1], np.arange(31)[::-1] * 0.1)
    assert 2 * half == pytest.approx(fwhm, rel=0.15 if fwhm < 0.3 else 0.03)


def test_blurring_conserves_flux():
    scene = Scene("x", (component(half_light_radius=0.3, sersic_index=1.0),))
    frame = Frame(SIZE, SCALE, (25.0,), (0.8,), margin_px=12)
    assert render([scene], frame).sum() == pytest.approx(noiseless(scene).sum(), rel=2e-3)


def test_images_do_not_depend_on_the_batch():
    scenes = [Scene("x", (component(x=0.1 * k),)) for k in range(5)]
    frame = Frame(41, SCALE, (25.0,), (0.5,))
    together = render(scenes, frame)
    for k, scene in enumerate(scenes):
        np.testing.assert_allclose(render([scene], frame)[0], together[k], rtol=1e-3, atol=1e-6)
    assert render([], frame).shape == (0, 1, 41, 41)
