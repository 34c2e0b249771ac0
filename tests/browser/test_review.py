"""Review: the list, the viewer and the keyboard, on a catalog with known scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from rows import add_catalog
from sqlalchemy import func, select

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.tables import (
    Candidate,
    CandidateTag,
    Ensemble,
    EnsembleMember,
    LabelEvent,
    MemberScore,
    Model,
    Score,
    Vote,
    utc_now,
)
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

N = 230
SLIDERS = {"black": " σ", "stretch": " σ", "q": ""}  # in their order, with their units
LONG_NAME = "a-very-long-object-name-" + "x" * 120


def fill(workspace: Workspace, *, scored: bool = True) -> None:
    """A catalog of N candidates; number k is ranked k-th, with magnitude 25 - k / 100."""
    rng = np.random.default_rng(0)
    geometry = CutoutGeometry(
        "hsc", ("g", "r", "i"), 32, 0.168, "flux", (27.0,) * 3, (0.8, 0.7, 0.6)
    )
    survey = get_survey("hsc").to_json()
    writer = CatalogWriter(workspace, CatalogSpec("mine", geometry, survey, origin="simulated"))
    axis = np.arange(32) - 15.5
    blob = 30 * np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 9)
    flux = (rng.normal(size=(N, 3, 32, 32)) + blob).astype("f4")
    flux[3, 1] = np.nan  # a band without data
    rows = [
        NewCandidate(
            LONG_NAME if k == 1 else f"object-{k:03d}",
            150 + k / 100,
            2.0,
            magnitude=25 - k / 100,
            label=1 if k == 2 else None,
            observation={"truth": {"class": "lens"}, "z_phot": 0.5, "z_err": 0.05},
        )
        for k in range(N)
    ]
    writer.append(flux, rows, rows_read=N)
    writer.finish()
    if not scored:
        return
    with open_database(workspace).session() as session:
        names = ("trees-1", "network-1")
        session.add_all(Model(id=name, kind="lightgbm", manifest={}) for name in names)
        session.flush()
        ensemble = Ensemble(
            name="first",
            fusion="mean",
            manifest={},
            promoted_at=utc_now(),
            members=[EnsembleMember(model_id=m, position=k) for k, m in enumerate(names)],
        )
        session.add(ensemble)
        session.flush()
        for candidate in session.query(Candidate):
            logit = 3 - 0.04 * candidate.cutout_index
            probability = 1 / (1 + np.exp(-logit))
            session.add(
                Score(
                    ensemble_id=ensemble.id,
                    candidate_id=candidate.id,
                    catalog_id=candidate.catalog_id,
                    logit=logit,
                    probability=probability,
                    epistemic=0.01,
                    aleatoric=0.2,
                    disagreement=0.5,
                    ood_distance=4.0,
                )
            )
            session.add_all(
                MemberScore(
                    model_id=m, candidate_id=candidate.id, logit=logit, probability=probability
                )
                for m in names
            )


@pytest.fixture
def view(workspace: Workspace, serve: Callable[..., str], page: Page) -> Iterator[Page]:
    """The review page of a filled workspace, with its first picture drawn."""
    fill(workspace)
    page.goto(f"{serve(workspace)}/review")
    page.wait_for_selector(".work-view[data-shown]")
    return page


def chosen(page: Page) -> str:
    return page.locator(".viewer h2").inner_text()


def test_the_best_candidate_is_shown_with_its_scores(view, screenshot) -> None:
    expect(view.locator(".count")).to_have_text(f"{N} candidates")
    expect(view.locator(".viewer h2")).to_have_text("object-000")
    expect(view.locator(".headline strong")).to_have_text("0.953")
    expect(view.locator(".members-box li")).to_have_count(2)
    expect(view.locator(".strip .band:visible")).to_have_count(3)
    expect(view.get_by_text("10:00:00.000 +02:00:00.00")).to_be_visible()
    expect(view.get_by_text("0.500 ± 0.050")).to_be_visible()
    assert "confirmed" not in view.content().lower()
    screenshot("light-1280")
    view.set_viewport_size({"width": 1920, "height": 1080})
    view.get_by_role("button", name="Toggle theme").click()
    view.wait_for_timeout(300)
    screenshot("dark-1920")


def test_keys_walk_the_ranking_across_pages(view) -> None:
    for _ in range(3):
        view.keyboard.press("j")
    expect(view.locator(".viewer h2")).to_have_text("object-003")
    view.keyboard.press("ArrowUp")
    expect(view.locator(".viewer h2")).to_have_text("object-002")
    view.keyboard.press("]")
    expect(view.locator(".viewer h2")).to_have_text("object-100")
    expect(view.locator(".position")).to_have_text("101–200")
    view.keyboard.press("k")  # over the edge of the page
    expect(view.locator(".viewer h2")).to_have_text("object-099")
    view.keyboard.press("j")
    expect(view.locator(".viewer h2")).to_have_text("object-100")
    view.keyboard.press("Home")
    expect(view.locator(".viewer h2")).to_have_text("object-000")
    for _ in range(130):  # a key held down does not wait for the next page
        view.keyboard.press("j")
    expect(view.locator(".position")).to_have_text("101–200")


def test_the_address_survives_a_refresh(view) -> None:
    for _ in range(5):
        view.keyboard.press("j")
    expect(view.locator(".viewer h2")).to_have_text("object-005")
    view.wait_for_url(re.compile(r"candidate=(?!1$)\d+"))  # 1 was the first one shown
    view.wait_for_timeout(300)
    address = view.url
    view.reload()
    view.wait_for_selector(".work-view[data-shown]")
    expect(view.locator(".viewer h2")).to_have_text("object-005")
    expect(view.locator("tr[aria-selected=true] .rank")).to_have_text("6")
    view.wait_for_timeout(300)
    assert view.url == address


def test_filters_sort_and_say_when_nothing_is_left(view) -> None:
    view.get_by_label("Largest score").fill("0.5")
    view.keyboard.press("Tab")
    expect(view.locator(".count")).to_have_text("155 candidates")  # 3 - 0.04 k <= 0
    expect(view.locator(".viewer h2")).to_have_text("object-075")
    view.get_by_role("button", name="Clear filters").click()
    expect(view.locator(".count")).to_have_text(f"{N} candidates")
    view.set_viewport_size({"width": 1600, "height": 900})  # where the list has room for it
    view.get_by_role("button", name="Mag").click()
    expect(view.locator(".viewer h2")).to_have_text("object-229")  # the brightest first
    view.keyboard.press("/")
    view.keyboard.type("object-01")
    expect(view.locator(".count")).to_have_text("10 candidates")
    # typing j, k or digits moved nothing
    expect(view.locator(".viewer h2")).to_have_text("object-019")
    view.get_by_label("Object id contains").fill("no such thing")
    expect(view.get_by_text("No candidate passes these filters")).to_be_visible()


def test_the_picture_is_large_and_panes_stay_as_wide_as_they_were_made(view) -> None:
    picture, side = view.locator(".viewer-body > .frame"), view.locator(".side")
    assert picture.bounding_box()["width"] >= 440
    splitter = view.get_by_role("separator", name="Width of the panels")
    before = side.bounding_box()["width"]
    splitter.press("ArrowLeft")
    assert side.bounding_box()["width"] == before + 16
    assert view.locator(".frame-caption").inner_text() == "i r g"  # the key was not for the bands
    view.reload()
    expect(view.locator(".viewer-body > .frame[data-state='shown']")).to_be_visible()
    assert side.bounding_box()["width"] == before + 16
    splitter.dblclick()
    assert side.bounding_box()["width"] == before
    view.set_viewport_size({"width": 2560, "height": 1440})
    assert picture.bounding_box()["width"] >= 900
    view.keyboard.press("F")
    expect(view.locator(".images:fullscreen")).to_be_visible()
    view.keyboard.press("F")
    expect(view.locator(".images:fullscreen")).to_have_count(0)


def test_keys_names_bands_truth_and_sliders(view, screenshot) -> None:
    def expect_chosen(index: int) -> None:
        info = view.request.get(view.url.split("/review")[0] + f"/tiles/mine/{index}/info").json()
        texts = [f"{info['auto'][name]:g}{unit}" for name, unit in SLIDERS.items()]
        expect(outputs).to_have_text(texts)

    view.keyboard.press("?")  # help lists the keys
    expect(view.get_by_role("dialog", name="Keys")).to_be_visible()
    screenshot("keys")
    view.keyboard.press("Escape")
    expect(view.get_by_role("dialog", name="Keys")).to_be_hidden()

    view.keyboard.press("2")  # bands blink
    expect(view.locator(".frame-caption")).to_have_text("r")
    view.keyboard.press("2")
    expect(view.locator(".frame-caption")).to_have_text("i r g")
    view.keyboard.press("i")
    expect(view.locator(".images")).to_have_class(re.compile("inverted"))
    view.keyboard.press("r")
    expect(view.locator(".images")).not_to_have_class(re.compile("inverted"))

    # Truth is shown only when asked for.
    expect(view.get_by_role("button", name="Show simulated truth")).to_be_visible()
    expect(view.locator(".truth dl")).to_have_count(0)
    view.get_by_role("button", name="Show simulated truth").click()
    expect(view.locator(".truth dd")).to_have_text(["lens"])

    view.keyboard.press("j")  # a long name is cut and told in full
    title = view.locator(".viewer h2")
    expect(title).to_have_attribute("title", LONG_NAME)
    assert title.evaluate("e => e.scrollWidth > e.clientWidth")
    assert view.locator(".columns").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    for _ in range(2):
        view.keyboard.press("j")
    expect(view.locator(".band:visible").nth(1).get_by_text("no data")).to_be_visible()

    # Auto shows on the sliders what it chose.
    view.keyboard.press("Home")
    expect(title).to_have_text("object-000")
    outputs, auto = view.locator(".slider output"), view.get_by_role("button", name="Auto")
    view.get_by_text("Adjust", exact=True).click()
    auto.click()
    expect_chosen(0)
    view.keyboard.press("j")
    expect_chosen(1)
    expect(auto).to_have_attribute("aria-pressed", "true")
    screenshot("auto")
    before = outputs.all_inner_texts()
    view.locator(".slider input").nth(2).fill("20")
    expect(auto).to_have_attribute("aria-pressed", "false")
    expect(outputs).to_have_text([*before[:2], "20"])


def test_a_bad_address_is_said_and_the_rest_is_followed(
    workspace: Workspace, serve: Callable[..., str], page: Page
) -> None:
    fill(workspace)
    page.goto(f"{serve(workspace)}/review?candidate=999999&sort=beauty&max=0.5")
    page.wait_for_selector(".work-view[data-shown]")
    expect(page.locator(".notices")).to_contain_text("beauty")
    expect(page.locator(".notices")).to_contain_text("999999")
    expect(page.locator(".count")).to_have_text("155 candidates")


def test_without_scores_the_page_says_how_to_get_them(
    workspace: Workspace, serve: Callable[..., str], page: Page
) -> None:
    url = serve(workspace)
    page.goto(f"{url}/review")
    expect(page.get_by_text("No candidates yet")).to_be_visible()
    fill(workspace, scored=False)
    page.reload()
    page.wait_for_selector(".work-view[data-shown]")
    expect(page.get_by_text("No ensemble has been chosen: no scores.")).to_be_visible()


def test_a_catalog_without_scores_is_offered_to_be_scored_or_shown(
    workspace: Workspace, serve: Callable[..., str], page: Page, faults, screenshot
) -> None:
    faults.allow("404")  # there are no pixels
    fill(workspace)
    with open_database(workspace).session() as session:
        add_catalog(session, "fresh", 7)
    page.goto(f"{serve(workspace)}/review?catalog=fresh")
    empty = page.locator(".empty")
    expect(empty).to_contain_text("first has not scored fresh")
    expect(page.locator(".count")).to_have_text("Not scored")
    screenshot("not-scored")
    link = empty.get_by_role("link", name="Score fresh with first")
    assert link.get_attribute("href") == "score?ensemble=first&catalog=fresh"
    empty.get_by_role("button", name="Show the 7 candidates without scores").click()
    expect(page.locator(".count")).to_have_text("7 candidates")
    expect(page.locator("tbody tr")).to_have_count(7)
    expect(page.locator("tbody th.object")).to_have_text([f"o{k}" for k in range(7)])
    # They have no pixels: hatching with a word, and no black square.
    expect(page.locator("td.thumbnail img.missing")).to_have_count(7)
    expect(page.locator(".viewer .frame").first).to_have_attribute("data-state", "failed")
    screenshot("no-pictures")
    page.get_by_label("Ensemble", exact=True).select_option("first")
    expect(empty).to_contain_text("first has not scored fresh")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("a.unscored")).to_have_text("fresh not scored")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def blank(page: Page) -> int:
    """Stamps in sight whose picture has not come."""
    return page.evaluate(
        "() => { const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot)"
        ".find((r) => r?.querySelector('.stamps')) ?? document;"
        "return [...root.querySelectorAll('.stamp img')]"
        ".filter((image) => !image.complete || !image.naturalWidth).length }"
    )


@pytest.fixture
def gallery(view: Page, workspace: Workspace) -> Page:
    """The gallery of the ranking, by a signed-in grader."""
    with open_database(workspace).session() as session:
        second = Ensemble(name="second", fusion="mean", manifest={})
        second.members = [EnsembleMember(model_id="trees-1", position=0)]
        session.add(second)
        session.flush()
        for score in session.query(Score).all():
            columns = {c.name: getattr(score, c.name) for c in Score.__table__.columns}
            columns |= {"ensemble_id": second.id, "probability": 0.25}
            session.add(Score(**columns))
    base = view.url.partition("/review")[0]
    assert view.request.post(f"{base}/sign-in", data={"name": "Ada"}).ok
    view.goto(f"{base}/review?view=gallery")
    expect(view.locator(".stamp")).to_have_count(100)
    return view


def test_many_are_graded_tagged_taken_back_and_compared_by_keys(
    gallery: Page, workspace: Workspace, screenshot
) -> None:
    page, database = gallery, open_database(workspace)

    def grades() -> list[str]:
        return list(database.ask(lambda s: s.scalars(select(Vote.grade)).all()))

    expect(page.locator(".count")).to_have_text(f"{N} candidates")
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    screenshot("gallery")
    press(page, "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowDown", " ")
    expect(page.locator(".bulk-count")).to_have_text("4 selected")
    press(page, "]")  # what is selected stays over pages
    expect(page.locator(".stamp-name >> nth=0")).to_contain_text("object-100")
    page.locator(".stamp").nth(2).click()
    expect(page.locator(".bulk-count")).to_have_text("5 selected, 1 on this page")
    press(page, "B")
    expect(page.locator(".bulk-bar .prompt strong").first).to_contain_text("Grade 5 candidates B")
    assert grades() == []  # nothing is written before that is confirmed
    press(page, "Enter")
    expect(page.locator(".bulk-bar .bulk-state")).to_have_text("5 candidates graded B")
    assert grades() == ["B"] * 5
    press(page, "T")
    page.keyboard.type("quad")
    press(page, "Enter")
    expect(page.locator(".bulk-bar .prompt strong").first).to_contain_text("Tag 5 candidates")
    press(page, "Enter")
    expect(page.locator(".bulk-bar .bulk-state")).to_contain_text("5 candidates tagged")
    assert database.ask(lambda s: s.scalar(select(func.count()).select_from(CandidateTag))) == 5
    press(page, "u", "Enter")
    expect(page.locator(".bulk-bar .bulk-state")).to_have_text("5 candidates as before")
    press(page, "u")
    expect(page.locator(".bulk-bar .prompt strong").first).to_contain_text("5 candidates graded B")
    press(page, "Enter")
    expect(page.locator(".stamp .grade-mark")).to_have_count(0)
    expect(page.locator(".work-view")).to_have_attribute("data-unsent", "0")
    assert grades() == []
    kinds = list(database.ask(lambda s: s.scalars(select(LabelEvent.kind)).all()))
    assert kinds == ["grade"] * 5 + ["undo"] * 5  # each an event of its own
    assert blank(page) == 0
    press(page, "S")
    expect(page.locator(".compare figure")).to_have_count(4)
    page.locator(".compare .frame").first.hover()
    page.mouse.wheel(0, -300)
    zoom = page.locator(".compare-grid").evaluate("(node) => node.style.getPropertyValue('--zoom')")
    assert float(zoom) > 1  # of one grid, and so of all pictures in it
    screenshot("side-by-side")
    press(page, "e")
    expect(page.locator(".compare figure select")).to_have_count(2)
    expect(page.locator(".compare .facts").nth(1)).to_contain_text("0.250")
    press(page, "Escape", "Escape", "G")
    expect(page.locator(".compare")).to_be_hidden()
    expect(page.locator(".viewer h2")).to_have_text("object-102")
