"""A known cluster is found again from its images, by either model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lensing_core.cluster_model.curves import einstein_radius
from lensing_core.cluster_model.families import Family, Image, hold_out
from lensing_core.cluster_model.fitting import fit
from lensing_core.cluster_model.light import LightTracesMassModel
from lensing_core.cluster_model.mass import Member, ModelLens
from lensing_core.cluster_model.parametric import Halo, ParametricModel
from lensing_core.cluster_model.prediction import missed, predict, rms_arcsec
from lensing_core.errors import BadInputError

from .conftest import Known, images_by


def test_parametric_model_is_recovered(known: Known) -> None:
    names = [image.name for family in known.families for image in family.images]
    families = hold_out(known.families, [names[2]])
    families[1] = replace(families[1], z=math.nan)
    model = ParametricModel(known.plane, [known.halo], known.members, reference_mag=19.5)
    found = fit(model, families, starts=1)
    predicted = predict(found.lens, families, found.ratios, found.sources, grid=81)

    assert missed(predicted) == []
    assert rms_arcsec(predicted) < 0.1
    assert rms_arcsec(predicted, held_out=True) < 0.5
    ratio = float(known.plane.ratio(2.0))
    truth = einstein_radius(known.lens, ratio)
    assert einstein_radius(found.lens, ratio) == pytest.approx(truth, rel=0.05)
    assert known.plane.redshift_of(found.ratios[1]) == pytest.approx(2.4, abs=0.5)
    assert found.sources[0] == pytest.approx(known.sources["1"], abs=1.0)
    pulls = (found.values - known.lens.values) / found.errors
    assert np.abs(pulls).max() < 3


def test_light_that_traces_mass_is_recovered(known: Known) -> None:
    members = [Member(str(k), x, y, m) for k, (x, y, m) in enumerate(
        [(0, 0, 18.0), (6, 3, 19.0), (-4, 8, 19.3), (-7, -5, 19.6), (9, -8, 19.9)]
    )]  # fmt: skip
    model = LightTracesMassModel(known.plane, members)
    lens = ModelLens(model, np.array([38.0, 1.2, 70.0, 0.12, 0.02, -0.03]))
    families = images_by(lens, {"1": (1.5, 0.5), "2": (0.5, -1.0)}, [1.5, 3.0])
    found = fit(model, families, starts=1)
    assert found.chi2 < 1
    ratio = float(known.plane.ratio(2.0))
    truth = einstein_radius(lens, ratio)
    assert einstein_radius(found.lens, ratio) == pytest.approx(truth, rel=0.05)


def test_images_of_an_isothermal_sphere(known: Known) -> None:
    """A source at β has images at θ_E ± β, magnified by 1 ± θ_E / β (Schneider et al. 1992)."""
    halo = Halo("main", 0, 0, sigma_km_s=800, core_kpc=1e-4, cut_kpc=1e8)
    model = ParametricModel(known.plane, [halo], shear=False)
    lens = ModelLens(model, np.array([0.0, 0.0, 0.0, 0.0, 800.0, 1e-4]))
    theta = einstein_radius(lens, 1.0)
    family = Family("1", (Image("a", theta + 3, 0), Image("b", 3 - theta, 0)), z=2.0)
    found = predict(lens, [family], np.array([1.0]), np.array([[3.0, 0.0]]), grid=61)
    assert [p.offset_arcsec for p in found] == pytest.approx([0, 0], abs=2e-3)
    expected = [1 + theta / 3, 1 - theta / 3]
    assert [p.magnification for p in found] == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("families", "sentence"),
    [
        ([], "There are no images"),
        ([Family("7", (Image("7.1", 1, 2),), z=2.0)], "Family 7 has one image"),
        (
            [Family("7", (Image("7.1", 1, 2), Image("7.2", 3, 2)), z=0.3)],
            "is not behind the cluster",
        ),
        ([Family("7", (Image("7.1", 1, 2), Image("7.2", 3, 2)))], "No family has a redshift"),
        (
            [
                Family(
                    "7", (Image("a", 1, 2, held_out=True), Image("b", 3, 2, held_out=True)), z=2.0
                )
            ],
            "All images of family 7 are held out",
        ),
        (
            [Family("7", (Image("a", 1, 2), Image("b", 3, 2, held_out=True)), z=2.0)],
            "hold out fewer",
        ),
    ],
)
def test_families_that_constrain_nothing(
    known: Known, families: list[Family], sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        fit(ParametricModel(known.plane, [known.halo]), families)


def test_no_image_of_that_name(known: Known) -> None:
    with pytest.raises(BadInputError, match=r"no image '9\.9'"):
        hold_out(known.families, ["9.9"])
