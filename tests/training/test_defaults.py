"""The recipes of the bundled ensembles, and that what is bundled comes from them."""

from __future__ import annotations

import json

import pytest

from lens_triage.training.bundled import BUNDLED
from lens_triage.training.defaults import (
    DEFAULTS,
    cluster_settings,
    make_default,
    search_settings,
    simulation_settings,
)
from lens_triage.training.settings import SearchSettings, TrainSettings
from lensing_core.errors import BadInputError, NotFoundError


def bundled(name: str):
    return json.loads((BUNDLED / name / "ensemble.json").read_text())["manifest"]


def of_kind(kind: str):
    return [default for default in DEFAULTS.values() if default.make_by == kind]


def test_what_is_bundled_is_what_there_are_recipes_for():
    assert {path.name for path in BUNDLED.glob("default-*")} == set(DEFAULTS)
    scales = {name: bundled(name).get("scale") for name in DEFAULTS}
    assert scales.pop("default-des-clusters") == "cluster"
    assert set(scales.values()) == {"galaxy"}


def test_cards_say_which_real_pixels_are_in_an_ensemble():
    for name, default in DEFAULTS.items():
        assert bundled(name).get("real_pixels", "") == default.real_pixels
        assert bool(default.real_pixels) == (default.make_by != "simulation")


@pytest.mark.parametrize("default", of_kind("search"), ids=lambda d: d.name)
def test_searched_ensembles_have_the_settings_of_their_recipe(default):
    wanted = search_settings(default, device="cpu")
    wanted.check()
    stored = SearchSettings.with_present_names(bundled(default.name)["settings"])
    assert stored == {k: v for k, v in wanted.to_json().items() if k in stored}


@pytest.mark.parametrize("default", of_kind("clusters"), ids=lambda d: d.name)
def test_the_ensemble_of_clusters_has_the_settings_of_its_recipe(default):
    wanted = cluster_settings(default, device="cpu")
    wanted.check()
    stored = TrainSettings.with_present_names(bundled(default.name)["settings"])
    del stored["preset"]  # it was made before there were any
    assert stored == {k: v for k, v in wanted.to_json().items() if k in stored}


@pytest.mark.parametrize("default", of_kind("simulation"), ids=lambda d: d.name)
def test_simulated_ensembles_have_the_settings_of_their_recipe(default):
    simulate, train = simulation_settings(default, device="cuda")
    stored = TrainSettings.with_present_names(bundled(default.name)["settings"])
    del stored["preset"]  # it was made before there were any
    wanted = train.to_json()
    assert {k: v for k, v in stored.items() if k in wanted} == {k: wanted[k] for k in stored}
    assert stored["catalogs"] == [simulate.catalog]
    objects = sum(part["objects"] for part in bundled(default.name)["splits"].values())
    assert objects == simulate.n_objects
    train.check()
    simulate.check()


def test_what_cannot_be_made_is_said(workspace, tmp_path):
    with pytest.raises(NotFoundError, match="There is no default mine"):
        make_default(workspace, "mine", tmp_path, say=print)
    with pytest.raises(BadInputError, match="made of real pixels"):
        make_default(workspace, "default-ps1", tmp_path, say=print)
