"""Images from a service, on the import's page: what is asked, and what is told of it."""

from __future__ import annotations

import pytest
from page_parts import shown

from lens_triage.app.catalogs.fetching import estimate_html, image_sources, manners_html
from lens_triage.app.catalogs.import_form import ImportForm
from lens_triage.app.context import AppContext
from lens_triage.training.jobs.ingest import preview
from lens_triage.training.settings import IngestSettings
from lensing_core.fetching.services import CUTOUT_SERVICES
from lensing_core.store import open_database
from lensing_core.workspace import Workspace


def seen(form: ImportForm) -> set[str]:
    """Names of the settings that can be seen at the top of the form."""
    parts = {id(part) for part in shown(form.__panel__())}
    named = ("images_from", "images", "fetch_layer", "fetch_size_arcsec", "bands")
    return {name for name in named if id(form.panel.editors[name].__panel__()) in parts}


def test_a_service_shows_its_settings_and_hides_those_of_files(workspace: Workspace) -> None:
    form = ImportForm(AppContext(workspace, open_database(workspace)))
    assert seen(form) == {"images_from", "images", "bands"}
    form.panel.write(images_from="legacy")
    assert seen(form) == {"images_from", "fetch_layer", "fetch_size_arcsec", "bands"}
    form.panel.write(images_from="panstarrs")  # which has no layers
    assert seen(form) == {"images_from", "fetch_size_arcsec", "bands"}
    form.panel.write(images_from="")
    assert seen(form) == {"images_from", "images", "bands"}


@pytest.mark.parametrize("key", CUTOUT_SERVICES)
def test_each_service_is_offered_with_its_facts(key: str) -> None:
    service = CUTOUT_SERVICES[key]
    assert image_sources()[f"Positions only: fetch from {service.title}"] == key
    told = manners_html(key)
    assert f"{service.scale_arcsec:g}″ per pixel" in told
    assert "one image at a time" in told
    assert manners_html("") == ""


def test_the_preview_says_how_long_fetching_takes(tmp_path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,ra,dec\n" + "".join(f"o{k},{10 + k / 100},2\n" for k in range(300)))
    settings = IngestSettings(catalog="c", table=str(table), images_from="panstarrs")
    told = estimate_html(settings, preview(settings).fetching)
    assert "300 positions, bands g, r, i, 48 px of 0.25″" in told
    assert "1,200 requests to Pan-STARRS1 (STScI), about 40 min 00 s" in told
    assert estimate_html(settings, None) == ""
