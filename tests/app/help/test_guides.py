"""The guides in the program: each page has one, and every link of every guide leads somewhere."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from lens_triage.app.help.guides import OF_PAGES, find_guide, guides
from lens_triage.app.help.page import list_html
from lens_triage.app.help.rendering import guide_html, section_id
from lens_triage.app.permissions import PAGES
from lensing_core.errors import NotFoundError

IDS = re.compile(r'<h\d id="([^"]+)"')


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return {name: guide_html(name) for name in guides()}


def test_each_page_has_its_guide_and_section(rendered):
    assert set(OF_PAGES) == set(PAGES) - {"help"}
    for page, (name, section) in OF_PAGES.items():
        assert not section or section in IDS.findall(rendered[name]), page


def test_links_lead_to_guides_and_sections_that_are_there(rendered):
    n_links = 0
    for name, html in rendered.items():
        for href in map(unescape, re.findall(r'<a href="([^"]*)"', html)):
            if href.startswith("http"):
                continue
            n_links += 1
            asked = parse_qs(urlsplit(href).query)
            assert urlsplit(href).path == "help", f"{name}: {href}"
            target, section = asked["guide"][0], asked.get("section", [""])[0]
            assert not section or section in IDS.findall(rendered[target]), f"{name}: {href}"
    assert n_links > 50


def test_what_does_not_come_with_the_program_is_text_and_pictures_are_in_the_guide(rendered):
    review = rendered["review"]
    assert 'src="data:image/webp;base64,' in review
    assert "../assets" not in review
    for html in rendered.values():
        assert html.count("<a ") == html.count("</a>")
        assert html.count("<span>") == html.count("</span>")


def test_a_document_that_includes_another_is_that_one(rendered):
    assert guides()["bundled-ensembles"].title != "bundled-ensembles"
    assert "{include}" not in rendered["bundled-ensembles"]
    assert 'href="help?guide=RESULTS' in rendered["bundled-ensembles"]


def test_headings_have_the_ids_that_links_use():
    assert section_id("2. Import `x` & [more](y.md)") == "2-import-x--more"


def test_the_list_marks_what_is_shown():
    shown = list_html("review")
    assert shown.count("aria-current") == 1
    assert "<h2>Guides</h2>" in shown
    with pytest.raises(NotFoundError, match="no guide"):
        find_guide("../secret")
