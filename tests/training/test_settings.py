from __future__ import annotations

import json

import pytest

from lens_triage.training.runner.registry import _FUNCTIONS, job_function
from lens_triage.training.settings import SETTINGS, SimulateSettings, TrainSettings, fields
from lensing_core.errors import BadInputError


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_is_documented_and_round_trips(settings):
    for field in fields(settings):
        assert field.help.endswith("."), f"{settings.kind}.{field.name} needs a sentence of help"
    made = settings()
    stored = json.loads(json.dumps(made.to_json()))
    assert settings.from_json(stored).to_json() == made.to_json()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_groups_and_units_name_real_settings(settings):
    names = {field.name for field in fields(settings)}
    assert set(settings.units) <= names
    assert {name for group in settings.groups.values() for name in group} <= names


def test_a_preset_fills_what_is_not_given():
    quick = TrainSettings(preset="quick", epochs=9)
    assert (quick.epochs, quick.rounds, quick.width) == (9, 150, 0.5)
    assert TrainSettings().to_json() == TrainSettings(preset="standard").to_json()
    stored = json.loads(json.dumps(quick.to_json()))
    assert TrainSettings.from_json(stored).to_json() == stored
    without = {name: value for name, value in stored.items() if name != "rounds"}
    assert TrainSettings.from_json(without).rounds == 150
    thorough = TrainSettings(preset="thorough")
    thorough.backbones.append("resnet34")
    assert TrainSettings(preset="thorough").backbones == ["resnet18", "arc_aware"]


def test_a_training_of_an_older_version_has_no_preset_and_all_its_settings():
    older = TrainSettings(epochs=3).to_json()
    del older["preset"]
    assert TrainSettings.from_json(older).to_json() == TrainSettings(epochs=3).to_json()


def test_an_unknown_preset_is_one_sentence():
    with pytest.raises(BadInputError, match="preset"):
        TrainSettings(preset="fast")


def test_settings_of_older_versions_are_read_by_their_new_names():
    old = {"labelled": False, "artefact_fraction": 0.5}
    made = SimulateSettings.from_json(old)
    assert (made.labeled, made.artifact_fraction) == (False, 0.5)
    for kind in ("retrain", "finetune", "encode", "score"):
        assert SETTINGS[kind].from_json({"further": ["a"]}).additional_catalogs == ["a"]
    for kind in ("retrain", "finetune"):
        retrain = SETTINGS[kind].from_json({"other_below": 0.2, "other_weight": 7})
        assert (retrain.non_lens_below, retrain.non_lens_weight) == (0.2, 7)
    assert SETTINGS["train"].from_json({"turned": True}).dihedral_averaging
    assert SETTINGS["crossmatch"].from_json({"max_normalised": 4.0}).max_normalized == 4.0


def test_every_kind_has_a_job_function():
    assert set(_FUNCTIONS) == set(SETTINGS)
    assert all(callable(job_function(kind)) for kind in SETTINGS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_objects": 0}, "n_objects"),
        ({"lens_fraction": 1.5}, "lens_fraction"),
        ({"seed": "x"}, "seed"),
        ({"nobjects": 5}, "unknown nobjects"),
    ],
)
def test_a_bad_value_names_the_setting(values, message):
    with pytest.raises(BadInputError, match=message):
        SimulateSettings(**values)


def test_stored_settings_of_another_version_are_refused():
    with pytest.raises(BadInputError, match="unknown color"):
        SimulateSettings.from_json({"color": 1})
