"""The recipe of the bundled ensembles, and that what is bundled comes from it."""

from __future__ import annotations

import json

import pytest

from lens_triage.training.bundled import BUNDLED
from lens_triage.training.defaults import DEFAULTS, default_settings, make_default
from lens_triage.training.settings import TrainSettings
from lensing_core.errors import NotFoundError


def test_what_is_bundled_was_made_by_the_recipe():
    assert {path.name for path in BUNDLED.glob("default-*")} == set(DEFAULTS)
    for name, default in DEFAULTS.items():
        head = json.loads((BUNDLED / name / "ensemble.json").read_text())
        stored = TrainSettings.with_present_names(head["manifest"]["settings"])
        simulate, train = default_settings(default, device="cuda")
        wanted = train.to_json()
        assert {k: v for k, v in stored.items() if k in wanted} == {k: wanted[k] for k in stored}
        assert stored["catalogs"] == [simulate.catalog]
        objects = sum(part["objects"] for part in head["manifest"]["splits"].values())
        assert objects == simulate.n_objects
        train.check()
        simulate.check()


def test_pictures_are_not_blurred_and_have_no_bands_of_their_own():
    simulate, train = default_settings(DEFAULTS["default-cfhtls-pictures"])
    assert (simulate.pixels, simulate.bands) == ("rendered", [])
    assert (train.blur_px, train.gain) == (0.0, 0.0)


def test_an_unknown_default_is_named(workspace, tmp_path):
    with pytest.raises(NotFoundError, match="There is no default mine"):
        make_default(workspace, "mine", tmp_path, say=print)
