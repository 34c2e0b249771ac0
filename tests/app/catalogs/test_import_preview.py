"""Mapping columns from the preview, and naming a catalog after its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens_triage.app.catalogs.import_form import suggested_name
from lens_triage.app.catalogs.import_preview import (
    column_rows,
    remap,
)
from lens_triage.app.catalogs.path_rows import list_folder, typed_place
from lens_triage.app.catalogs.zero_points import ZeroPointQuestion, assumed_zero_points
from lens_triage.training.jobs.ingest import BandPreview, preview
from lens_triage.training.settings import IngestSettings
from lensing_core.errors import BadInputError
from lensing_core.workspace import check_slug


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "My Lenses (v2).csv"
    path.write_text("NAME_X,ra,dec,z,other\na1,150.1,2.2,0.5,7\na2,150.2,2.3,0.6,8\n")
    return path


def look(table, **columns):
    return preview(IngestSettings(catalog="c", table=str(table), columns=columns))


def roles(found):
    return {row["name"]: row["role"]["value"] for row in column_rows(found)}


def test_roles_can_be_given_moved_and_taken_away(table):
    found = look(table)
    assert roles(found)["NAME_X"] == ""
    assert (roles(found)["ra"], roles(found)["z"]) == ("ra", "z_phot")

    given = remap({}, found, "NAME_X", "id")
    assert given == {"id": "NAME_X"}
    found = look(table, **given)
    assert roles(found)["NAME_X"] == "id"

    moved = remap(given, found, "z", "z_spec")
    assert moved == {"id": "NAME_X", "z_phot": "", "z_spec": "z"}
    found = look(table, **moved)
    assert roles(found)["z"] == "z_spec"

    taken = remap(moved, found, "z", "")
    found = look(table, **taken)
    assert roles(found)["z"] == ""
    assert roles(found)["NAME_X"] == "id"

    back = remap(taken, found, "z", "z_phot")
    assert roles(look(table, **back))["z"] == "z_phot"


def test_examples_and_the_error_are_shown(table):
    found = look(table)
    assert found.error
    rows = {row["name"]: row for row in column_rows(found)}
    assert rows["NAME_X"]["examples"] == "a1 · a2"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/My Lenses (v2).csv", "my-lenses-v2"),
        ("/data/DES_Y3.fits.gz", "des-y3"),
        ("/data/Größe", "gr-e"),
        ("/data/...", "imported"),
        ("/data/" + 80 * "x", 63 * "x"),
    ],
)
def test_suggested_names_can_name_a_catalog(path, name):
    assert suggested_name(path) == name
    check_slug(name, what="Catalog")


def test_folders_come_first_and_hidden_files_not_at_all(tmp_path):
    (tmp_path / "b.fits").write_bytes(bytes(1500))
    (tmp_path / "A").mkdir()
    (tmp_path / ".hidden").touch()
    rows = list_folder(tmp_path)
    assert [row["name"] for row in rows] == ["..", "A", "b.fits"]
    assert rows[2]["size"]["text"] == "1.50 kB"
    (tmp_path / "t.csv").touch()
    assert [row["name"] for row in list_folder(tmp_path, "Tables", "T")] == ["..", "t.csv"]
    shown = [row["name"] for row in list_folder(tmp_path, "Images")]
    assert shown == ["..", "A", "b.fits", "and 1 of other types"]
    with pytest.raises(BadInputError, match="cannot be read"):
        list_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("typed", "folder", "beginning"),
    [
        ("/data/sle", "/data", "sle"),
        ("/data/", "/data", ""),
        ("sub/ab", "/here/sub", "ab"),
        ("", "/here", ""),
        ("~", str(Path.home()), ""),
        ("~/x", str(Path.home()), "x"),
    ],
)
def test_a_path_that_is_being_typed(typed, folder, beginning):
    assert typed_place(typed, Path("/here")) == (Path(folder), beginning)


def band(name, value, origin) -> BandPreview:
    return BandPreview(name, "a.npy", (9, 9), 0.2, "settings", value, origin, False, False, "")


def test_zero_points_are_asked_for_where_images_do_not_give_them():
    bands = [band("g", 27.0, "survey"), band("r", 26.1, "MAGZERO"), band("i", 27.0, "settings")]
    assert assumed_zero_points(bands) == {"g": 27.0}
    answers = []
    question = ZeroPointQuestion(answers.append)
    assert not question.__panel__().visible
    question.ask(assumed_zero_points(bands))
    assert question.__panel__().visible
    question.fields["g"].value = 24.5
    question.answer()
    assert answers == [{"g": "24.5"}]
    question.ask({})
    assert not question.__panel__().visible
