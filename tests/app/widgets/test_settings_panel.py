"""The form made of a settings class: what it accepts, and what it says of the rest."""

from __future__ import annotations

import re
from typing import ClassVar

import panel_material_ui as pmui
import param
import pytest

from lens_triage.app.widgets.fields import (
    FieldEditor,
    bounds_of,
    label_of,
)
from lens_triage.app.widgets.settings_panel import SettingsPanel
from lens_triage.training.settings import (
    SETTINGS,
    RunSettings,
    SimulateSettings,
    TrainSettings,
    fields,
)
from lensing_core.errors import BadInputError


class EverySettings(RunSettings):
    """One setting of each kind."""

    kind: ClassVar = "every"
    units: ClassVar = {"size_arcsec": "arcsec"}
    groups: ClassVar = {"Main": ("name_of_it", "n_rows", "size_arcsec"), "Rest": ("pairs", "most")}

    name_of_it = param.String(default="a", doc="Name.")
    n_rows = param.Integer(default=3, bounds=(1, 10), doc="Rows.")
    size_arcsec = param.Number(default=12.0, bounds=(6, None), doc="Side.")
    prior = param.Number(default=1e-3, bounds=(1e-6, 0.5), doc="Prior.")
    most = param.Number(default=None, allow_None=True, doc="Most.")
    bands = param.List(default=["g", "r"], item_type=str, doc="Bands.")
    pairs = param.Dict(default={"a": "1"}, doc="Pairs.")
    mode: param.Selector[str] = param.Selector(default="x", objects=["x", "y"], doc="Mode.")
    members = param.ListSelector(default=["t"], objects=["t", "n"], doc="Members.")
    labeled = param.Boolean(default=True, doc="Labeled.")


@pytest.fixture
def panel():
    return SettingsPanel(EverySettings)


def widget(panel: SettingsPanel, name: str):
    return panel.editors[name]._widget


@pytest.mark.parametrize("cls", [*SETTINGS.values(), EverySettings])
def test_untouched_form_gives_the_defaults(cls):
    panel = SettingsPanel(cls)
    values = {name: editor.read() for name, editor in panel.editors.items()}
    assert cls(**values).to_json() == cls().to_json()


def test_every_setting_has_a_field_with_label_help_and_no_error(panel):
    for field in fields(EverySettings):
        editor = panel.editors[field.name]
        assert editor._widget.label == label_of(field)
        assert field.help in editor._help.object
        assert editor.validate()


def test_labels_and_bounds():
    by_name = {field.name: field for field in fields(EverySettings)}
    assert label_of(by_name["size_arcsec"]) == "Size (arcsec)"
    assert label_of(by_name["n_rows"]) == "Number of rows"
    assert bounds_of(by_name["n_rows"].parameter) == "1 to 10"
    assert bounds_of(by_name["size_arcsec"].parameter) == "6 or more"
    assert bounds_of(by_name["bands"].parameter) == ""


PURE = re.compile(r"[A-Z][^_()]*( \([^_()]+\))?")
ABBREVIATED = {"px", "n", "arcsec", "mag", "snr", "fwhm", "theta", "e", "psf", "nside"}


@pytest.mark.parametrize("kind", ["train", "retrain", "finetune", "encode", "score"])
def test_forms_name_settings_in_words_with_their_units(kind):
    for field in fields(SETTINGS[kind]):
        label = label_of(field)
        assert PURE.fullmatch(label), label
        assert ABBREVIATED.isdisjoint(label.partition(" (")[0].split()), label
        if isinstance(field.parameter, param.Number):
            assert field.name in SETTINGS[kind].units, f"{kind}.{field.name}: unit, '' for none"


def test_what_is_typed_is_parsed(panel):
    widget(panel, "n_rows").value = " 7 "
    widget(panel, "prior").value = "2e-5"
    widget(panel, "most").value = ""
    widget(panel, "bands").value = "g, i ,"
    widget(panel, "pairs").value = "ra = RAJ2000\n\nid="
    widget(panel, "members").value = ["n"]
    widget(panel, "labeled").value = False
    settings = panel.settings()
    assert settings.n_rows == 7
    assert settings.prior == 2e-5
    assert settings.most is None
    assert settings.bands == ["g", "i"]
    assert settings.pairs == {"ra": "RAJ2000", "id": ""}
    assert settings.members == ["n"]
    assert settings.labeled is False


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("n_rows", "11", "Give a whole number, 1 to 10."),
        ("n_rows", "2.5", "Give a whole number, 1 to 10."),
        ("n_rows", "", "Give a whole number, 1 to 10."),
        ("size_arcsec", "5.9", "Give a number, 6 or more."),
        ("size_arcsec", "nan", "Give a number, 6 or more."),
        ("prior", "many", "Give a number, 1e-06 to 0.5."),
        ("pairs", "ra RAJ2000", "'ra RAJ2000': write NAME=VALUE, one a line."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_in_one_sentence(panel, name, text, sentence):
    widget(panel, name).value = text
    editor = panel.editors[name]
    assert editor.error == sentence
    assert 'role="alert"' in editor._help.object
    if isinstance(editor._widget, pmui.TextInput):
        assert editor._widget.error_state
    with pytest.raises(BadInputError) as caught:
        panel.settings()
    assert str(caught.value) == f"{label_of(editor.field)}: {sentence}"
    editor.write(editor.field.default)
    assert not editor.error


def test_a_wrong_field_of_a_folded_group_is_unfolded():
    panel = SettingsPanel(EverySettings, folded=("Rest",))
    fold = panel._folds["pairs"]
    assert fold.active == []
    widget(panel, "pairs").value = "nonsense"
    with pytest.raises(BadInputError):
        panel.settings()
    assert fold.active == [0]


def test_help_is_text_not_html():
    class Sneaky(RunSettings):
        kind: ClassVar = "sneaky"
        x = param.String(default="", doc="Less < than <script>.")

    (field,) = fields(Sneaky)
    editor = FieldEditor(field, None, lambda: None)
    assert "<script>" not in editor._help.object
    assert "&lt;script&gt;" in editor._help.object


def test_choices_keep_what_is_still_there():
    panel = SettingsPanel(SimulateSettings, choices={"survey": {"HSC": "hsc", "LSST": "lsst"}})
    panel.write(survey="lsst")
    panel.set_choices({"survey": {"KiDS": "kids", "LSST": "lsst"}})
    assert panel.settings().survey == "lsst"
    panel.set_choices({"survey": {"KiDS": "kids"}})
    assert panel.settings().survey == "kids"


def test_a_default_that_is_not_there_gives_way_to_the_first_that_is():
    panel = SettingsPanel(TrainSettings, choices={"catalogs": {"a (3)": "a", "b (4)": "b"}})
    assert panel.settings().catalogs == ["a"]
    panel.write(catalogs=["b"])
    panel.set_choices({"catalogs": {"c": "c", "b": "b"}})
    assert panel.settings().catalogs == ["b"]


def test_nothing_to_choose_from_is_said():
    panel = SettingsPanel(SimulateSettings, choices={"survey": {}})
    with pytest.raises(BadInputError, match="Survey: There is nothing to choose from yet"):
        panel.settings()


@pytest.fixture
def training():
    changes: list[str] = []
    panel = SettingsPanel(
        TrainSettings,
        values={"ensemble": "mine"},
        lead=("preset", "ensemble"),
        under="Advanced",
        on_change=lambda: changes.append("change"),
    )
    changes.clear()
    return panel, changes


def test_a_preset_fills_the_form_as_one_change(training):
    panel, changes = training
    assert not panel._differs.visible
    widget(panel, "rounds").value = "7"
    assert "Different from standard: Boosting rounds, at most." in panel._differs.object
    for preset in ("quick", "thorough", "standard"):
        changes.clear()
        widget(panel, "preset").value = preset
        wanted = TrainSettings(preset=preset, ensemble="mine")
        assert panel.settings().to_json() == wanted.to_json()
        assert changes == ["change"]
        assert not panel._differs.visible


def test_stored_settings_of_a_preset_are_shown_as_they_are(training):
    panel, changes = training
    stored = TrainSettings(preset="quick", epochs=9).to_json()
    panel.write(**stored)
    assert panel.settings().to_json() == stored
    assert "Different from quick: Epochs, at most (passes)." in panel._differs.object
    assert changes == ["change"]
    panel.write(**stored)
    assert changes == ["change"]  # nothing is other than it was


def test_all_but_the_leading_settings_stand_in_one_fold(training):
    panel, _ = training
    assert {"preset", "ensemble"}.isdisjoint(panel._folds)
    widget(panel, "epochs").value = "none"
    with pytest.raises(BadInputError, match="Epochs"):
        panel.settings()
    assert panel._folds["rounds"].active == [0]  # the same one


def test_hidden_settings_are_kept_and_can_be_written():
    panel = SettingsPanel(EverySettings, hidden=("n_rows",))
    assert "n_rows" not in panel.editors
    assert panel.settings().n_rows == 3
    panel.write(n_rows=5)
    assert panel.settings().n_rows == 5
