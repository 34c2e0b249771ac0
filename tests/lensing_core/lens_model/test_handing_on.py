"""Models in the forms of COOLEST and lenstronomy, against those packages."""

from __future__ import annotations

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from coolest.api.profiles.mass import PEMD, ExternalShear
from coolest.template.json import JSONSerializer
from lenstronomy.LensModel.lens_model import LensModel

from lensing_core.errors import BadInputError
from lensing_core.lens_model import LensPosterior, read_coolest, write_posterior
from lensing_core.lens_model.coolest import coolest_json
from lensing_core.lens_model.posterior import lens_problem
from lensing_core.lens_model.settings import LensModelSettings
from lensing_core.lens_model.start_files import lenstronomy_json, pyautolens_json
from lensing_core.lens_test import shapes
from lensing_core.lens_test.testing import FittedLens

Models = dict[str, LensPosterior]
X, Y = np.array([0.9, -0.4, 0.2, -1.3]), np.array([0.5, 1.1, -0.8, -0.2])

# Values of the mass, the light and the redshifts in COOLEST's own test/api/_templates/
# pemd_sersic.json (github.com/aymgal/COOLEST).
EXAMPLE_MASS = {"center_x": 0.1, "center_y": -0.05, "gamma": 2.035, "phi": 32.0, "q": 1.0,
                "theta_E": 1.27}  # fmt: skip
EXAMPLE_LIGHT = {"I_eff": 1.0, "center_x": 0.05, "center_y": -0.1, "n": 2.3, "phi": 72.0, "q": 1.0,
                 "theta_eff": 0.23}  # fmt: skip


def example(mass: dict[str, float], kind: str = "PEMD") -> dict[str, object]:
    def profile(name: str, values: dict[str, float]) -> dict[str, object]:
        return {
            "type": name,
            "parameters": {k: {"point_estimate": {"value": v}} for k, v in values.items()},
        }

    return {
        "standard": "COOLEST",
        "lensing_entities": [
            {"type": "Galaxy", "name": "a lens galaxy", "redshift": 0.5, "light_model": [],
             "mass_model": [profile(kind, mass)]},
            {"type": "Galaxy", "name": "a source galaxy", "redshift": 2.0, "mass_model": [],
             "light_model": [profile("Sersic", EXAMPLE_LIGHT)]},
        ],
    }  # fmt: skip


def deflection(parameters: list[float]) -> list[np.ndarray]:
    lens = torch.tensor(parameters, dtype=torch.float64)
    return [a.numpy() for a in shapes.deflection(lens, torch.tensor(X), torch.tensor(Y))]


def test_the_example_of_the_standard_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pemd_sersic.json"
    path.write_text(json.dumps(example(EXAMPLE_MASS)), encoding="utf-8")
    found = read_coolest(path)
    assert (found.theta_e, found.slope, found.x, found.y) == (1.27, 2.035, 0.1, -0.05)
    assert (found.angle_deg, found.source_angle_deg) == (122.0, 162.0)  # east of north, to x
    assert (found.source_x, found.source_radius, found.source_index) == (0.05, 0.23, 2.3)
    assert (found.z_lens, found.z_source, found.shear) == (0.5, 2.0, 0.0)
    wanted = PEMD().deflection(X, Y, **{**EXAMPLE_MASS, "q": 0.9999})
    for ours, theirs in zip(deflection([*found.parameters(), 2.035]), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=3e-3)  # ours are rounder than q = 1 by 0.5 %


@pytest.mark.parametrize("mass", ["sie", "epl"])
def test_a_file_of_ours_is_valid_and_read_again(models: Models, mass: str, tmp_path: Path) -> None:
    content = coolest_json(models[mass], 1, zero_point_mag=27.0, position_deg=(150.1, -2.2))
    (tmp_path / "lens.json").write_text(json.dumps(content), encoding="utf-8")
    theirs = JSONSerializer(str(tmp_path / "lens"), check_external_files=False)
    theirs = theirs.load(skip_jsonpickle=True, verbose=False)
    galaxy = theirs.lensing_entities[1]
    values = {k: p.point_estimate.value for k, p in galaxy.mass_model[0].parameters.items()}
    stats = galaxy.mass_model[0].parameters["theta_E"].posterior_stats
    assert stats.percentile_16th < stats.median < stats.percentile_84th
    assert theirs.instrument.band == "r"

    found, best = read_coolest(tmp_path / "lens.json"), models[mass].best
    np.testing.assert_allclose(found.parameters(), best[:13], atol=5e-3)
    assert found.z_source == 1.5 if mass == "sie" else math.isnan(found.z_source)

    # Both see the same lens: deflections differ by a constant, as their shears' origins do.
    shear = {
        k: p.point_estimate.value
        for k, p in theirs.lensing_entities[0].mass_model[0].parameters.items()
    }
    bent = np.stack(PEMD().deflection(X, Y, **{"gamma": 2.0, **values}))
    bent += np.stack(ExternalShear().deflection(X, Y, **shear))
    source = theirs.lensing_entities[2].light_model[0].parameters
    ours = np.stack(deflection(list(best)))
    for k, axis in enumerate("xy"):
        moved = best[7 + k] - source[f"center_{axis}"].point_estimate.value
        np.testing.assert_allclose(bent[k] - ours[k], moved, atol=2e-3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "no JSON file"),
        ("[1]", "form of a COOLEST file"),
        (json.dumps(example(EXAMPLE_MASS, "NFW")), "no mass of the types SIE, PEMD"),
        (json.dumps(example({**EXAMPLE_MASS, "theta_E": -1.0})), "theta_E is -1.0"),
    ],
)
def test_files_without_a_lens_are_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInputError, match=sentence):
        read_coolest(path)


def test_a_posterior_begins_with_the_lens_of_a_file(
    fitted: FittedLens, models: Models, tmp_path: Path
) -> None:
    (tmp_path / "lens.json").write_text(json.dumps(coolest_json(models["epl"], 0)))
    start = read_coolest(tmp_path / "lens.json")
    _, begun = lens_problem(fitted, LensModelSettings(mass="epl"), start)
    np.testing.assert_allclose(begun.numpy(), models["epl"].best, atol=5e-3)


@pytest.mark.parametrize("mass", ["sie", "epl"])
def test_arguments_of_lenstronomy_are_the_same_lens(models: Models, mass: str) -> None:
    handed = lenstronomy_json(models[mass])
    wanted = LensModel(handed["lens_model_list"]).alpha(X, Y, handed["kwargs_lens"])
    for ours, theirs in zip(deflection(list(models[mass].best)), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_radii_of_pyautolens_hold_the_same_convergence(models: Models) -> None:
    """κ of both on the major axis, by PyAutoLens' published formula."""
    best, handed = models["epl"].summary["best"], pyautolens_json(models["epl"])["mass"]
    q, slope = best["axis_ratio"], best["slope"]
    ours = (3 - slope) / 2 * (best["theta_e_arcsec"] / math.sqrt(q)) ** (slope - 1)
    theirs = (3 - slope) / (1 + q) * handed["einstein_radius"] ** (slope - 1)
    assert theirs == pytest.approx(ours)
    assert math.hypot(*handed["ell_comps"]) == pytest.approx((1 - q) / (1 + q))


def test_the_start_file_of_lenstronomy_runs_and_fits(models: Models, tmp_path: Path) -> None:
    write_posterior(models["sie"], tmp_path)
    begun = runpy.run_path(str(tmp_path / "lenstronomy_start.py"), run_name="start")
    sequence, pixels = begun["sequence"]()
    reduced = -2 * sequence.best_fit_likelihood() / pixels
    assert reduced < 2  # with one profile of the galaxy in all bands, where ours is freer
