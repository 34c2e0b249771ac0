"""What a posterior says of a simulated lens, and its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lensing_core.errors import DamagedError
from lensing_core.lens_model import LensPosterior, read_posterior, write_posterior
from lensing_core.lens_model.places import CORNER, SAMPLES

Models = dict[str, LensPosterior]
TRUTH = {"theta_e_arcsec": 1.2, "axis_ratio": 0.75, "angle_deg": np.degrees(0.4)}


@pytest.mark.parametrize("mass", ["sie", "epl"])
def test_the_truth_is_within_the_posterior(models: Models, mass: str) -> None:
    table = models[mass].summary["quantities"]
    for name, truth in TRUTH.items():
        row = table[name]
        half = (row["p97.5"] - row["p2.5"]) / 2
        assert half > 0
        assert abs(row["p50"] - truth) < 2 * half, name
    assert ("slope" in table) == (mass == "epl")
    assert 2 < table["magnification"]["p50"] < 20
    assert 0.7 < models[mass].summary["reduced_chi2"] < 1.3


def test_masses_and_delays_need_redshifts_and_delays_a_point(models: Models) -> None:
    with_z, without = models["sie"].summary, models["epl"].summary
    mass = with_z["quantities"]["mass_msun"]
    assert 1e11 < mass["p16"] < mass["p50"] < mass["p84"] < 1e12
    assert 200 < with_z["quantities"]["sigma_v_km_s"]["p50"] < 350
    assert "mass_msun" not in without["quantities"]
    assert not with_z["is_compact"]  # 0.2″ behind a PSF of 0.6″
    assert {image["delay_days"] for image in with_z["images"]["each"]} == {None}
    assert with_z["cosmology"] == "FlatLambdaCDM(H0=70, Om0=0.3)"


def test_a_summary_is_plain_json_and_says_what_the_data_do_not_tell(models: Models) -> None:
    told = json.loads(json.dumps(models["epl"].summary, allow_nan=False))
    assert told["diagnostics"]["complete"]
    assert set(told["diagnostics"]["by_prior"]) <= set(models["epl"].names)
    assert sum(told["histogram"]["shares"]) == pytest.approx(1, abs=0.02)
    assert told["priors"]["slope"] == {"mean": pytest.approx(2.08), "sigma": pytest.approx(0.2)}


def test_files_are_written_and_samples_read_again(models: Models, tmp_path: Path) -> None:
    names = write_posterior(models["sie"], tmp_path, position_deg=(150.1, -2.2))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    kept = read_posterior(tmp_path)
    np.testing.assert_array_equal(kept["points"], models["sie"].sample.points)
    assert list(kept["names"]) == list(models["sie"].names)
    column = list(kept["quantities"]).index("theta_e_arcsec")
    assert np.median(kept["values"][:, column]) == pytest.approx(
        models["sie"].summary["quantities"]["theta_e_arcsec"]["p50"]
    )
    assert (tmp_path / CORNER).read_text(encoding="utf-8").count("<path") > 20
    (tmp_path / SAMPLES).write_bytes(b"PK")
    with pytest.raises(DamagedError, match="run the lens model again"):
        read_posterior(tmp_path)
