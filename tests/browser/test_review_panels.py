"""The panels beside the picture in Review, with the members that come with the program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
import pytest
from filling import cutouts
from PIL import Image
from playwright.sync_api import Page, expect
from sky_services import PictureService, serve_pictures
from sqlalchemy import select

from lens_triage.training.bundled import BUNDLED, import_ensemble
from lens_triage.training.jobs import score as scoring
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ScoreSettings
from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.labels import verify
from lensing_core.store.tables import Candidate, LabelEvent, LensTest, Remark, Run
from lensing_core.surveys import get_survey
from lensing_core.wide_field import SETTINGS
from lensing_core.workspace import Workspace

N, SIZE = 40, 64
LONG_TAG = "needs a spectrum before the field sets in the west"
NO_SCORE = "a-very-long-object-name-" + "x" * 90


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Galaxies and arcs, half of them labeled, scored by the default ensemble for HSC."""
    workspace = Workspace.create(tmp_path_factory.mktemp("panels") / "workspace")
    open_database(workspace)
    import_ensemble(workspace, BUNDLED / "default-hsc")
    lens = np.arange(N) % 2 == 0
    geometry = CutoutGeometry(
        "hsc", ("g", "r", "i"), SIZE, 0.168, "flux", (27.0,) * 3, (0.8, 0.7, 0.6)
    )
    spec = CatalogSpec("mine", geometry, get_survey("hsc").to_json(), origin="simulated")
    writer = CatalogWriter(workspace, spec)
    rows = [
        NewCandidate(
            NO_SCORE if k == 1 else f"object-{k:03d}",
            150 + k / 100,
            2.0,
            magnitude=20.0,
            label=int(lens[k]) if k >= 10 else None,
            observation={"z_phot": 0.5},
        )
        for k in range(N)
    ]
    writer.append(0.1 * cutouts(N, 3, SIZE, lens, 1), rows, rows_read=N)
    writer.finish()
    settings = ScoreSettings(ensemble="default-hsc", catalog="mine")
    with open_database(workspace).session() as session:
        session.add(Run(id="score-1", kind="score", title="test", settings=settings.to_json()))
    scoring.run(JobContext(workspace, "score-1"), settings)
    return workspace


@pytest.fixture
def pictures(scored: Workspace) -> Iterator[PictureService]:
    with serve_pictures(PictureService()) as running:
        (scored.root / SETTINGS).write_text(f'hips2fits = "{running.url}"\n')
        yield running


@pytest.fixture
def view(
    scored: Workspace, pictures: PictureService, serve: Callable[..., str], page: Page
) -> Page:
    """The review page with somebody signed in and its first picture drawn."""
    url = serve(scored)
    sent = {"name": "Ada", "passphrase": ""}
    page.request.post(f"{url}/sign-in", data=sent, headers={"Origin": url})
    page.goto(f"{url}/review")
    page.wait_for_selector(".work-view[data-shown]")
    return page


def both_themes(view: Page, screenshot: Callable[..., object], name: str) -> None:
    """Pictures at both widths, light and dark; the page is left as it was."""
    screenshot(f"{name}-light-1280")
    view.set_viewport_size({"width": 1920, "height": 1080})
    view.get_by_role("button", name="Toggle theme").click()
    view.wait_for_timeout(400)
    screenshot(f"{name}-dark-1920")
    view.get_by_role("button", name="Toggle theme").click()
    view.set_viewport_size({"width": 1280, "height": 800})
    view.wait_for_timeout(300)


def alpha(view: Page) -> np.ndarray:
    """Opacity of the map over the picture, as the server made it."""
    source = view.locator(".attention-map").get_attribute("src")
    answer = view.request.get(f"{view.url.split('/review')[0]}/{source}")
    return np.asarray(Image.open(BytesIO(answer.body())))[..., 3]


def test_scores_say_how_sure_they_are(view, screenshot) -> None:
    interval = view.locator(".interval")
    expect(interval).to_contain_text("68 % interval")
    expect(interval).to_contain_text(re.compile(r"calibration ±0\.\d+ \([\d,]+ test objects\)"))
    expect(view.locator(".ood")).to_contain_text("40 candidates of its catalog")
    expect(view.locator("svg.reliability .bin")).to_have_count(15)
    expect(view.locator("svg.reliability .chosen")).to_have_count(1)
    expect(view.locator(".legend .range")).to_have_count(1)
    expect(view.get_by_text("No other ensemble has scored this candidate.")).to_be_visible()
    assert "confirmed" not in view.content().lower()
    both_themes(view, screenshot, "scores")
    view.keyboard.press("?")
    screenshot("keys")


def test_attention_is_laid_over_the_picture_and_goes_with_it(view, screenshot) -> None:
    shown = view.locator(".attention-map")
    view.keyboard.press("e")
    expect(view.get_by_role("tab", name="Attention")).to_have_attribute("aria-selected", "true")
    view.locator(".members-choice").get_by_role("button", name=re.compile("resnet")).click()
    methods = view.locator(".methods-choice button")
    expect(methods).to_have_text(["Integrated gradients", "Grad-CAM"])
    expect(methods.first).to_have_attribute("aria-pressed", "true")
    expect(view.get_by_text(re.compile(r"Nothing finer than \d+ px"))).to_be_visible()
    expect(shown).to_be_visible()  # at once
    scale = view.locator(".scale-bar")
    expect(scale).to_have_attribute("aria-label", re.compile(r"Scale: 0 to \+.* log-odds"))
    view.keyboard.press("z")
    expect(shown).to_be_hidden()
    view.keyboard.press("q")
    view.keyboard.press("e")
    expect(shown).to_be_visible()
    first = alpha(view)
    assert first.max() > 100
    frame, over = view.locator(".frame").first.bounding_box(), shown.bounding_box()
    assert over == pytest.approx(frame, abs=1.5)
    both_themes(view, screenshot, "map")
    view.get_by_label("Opacity of the map").fill("0.3")
    assert shown.evaluate("e => getComputedStyle(e).opacity") == "0.3"
    view.keyboard.press("j")
    expect(shown).to_be_visible()
    assert not np.array_equal(alpha(view), first)  # never the map of the last one
    gradients = alpha(view)
    methods.last.click()
    expect(methods.last).to_have_attribute("aria-pressed", "true")
    expect(shown).to_be_visible()
    assert not np.array_equal(alpha(view), gradients)
    names = view.locator(".members-choice button").all_inner_texts()
    for _ in range(
        (
            names.index(next(n for n in names if "trees" in n))
            - names.index(view.locator(".members-choice [aria-pressed=true]").inner_text())
        )
        % len(names)
    ):
        view.keyboard.press("Z")
    expect(view.get_by_text("Features, in log-odds")).to_be_visible()
    expect(shown).to_be_hidden()
    rows = view.locator(".contribution:not(.total) .value").all_inner_texts()
    total = view.locator(".contribution.total .value").inner_text()
    value = [float(text.replace("−", "-")) for text in (*rows, total)]
    assert sum(value[:-1]) == pytest.approx(value[-1], abs=0.1)  # rounded to 0.01 each
    screenshot("features")
    view.reload()
    view.wait_for_selector(".work-view[data-shown]")
    expect(view.get_by_text("Features, in log-odds")).to_be_visible()  # remembered


def test_context_has_neighbors_links_and_the_field_when_asked(view, pictures, screenshot) -> None:
    view.keyboard.press("n")
    expect(view.locator(".alike").first.locator(".cutout")).to_have_count(6)
    expect(view.locator(".alike").nth(1).locator(".cutout")).to_have_count(6)
    expect(view.get_by_text("Nearest of 30 labeled candidates")).to_be_visible()
    links = view.locator(".links a")
    expect(links).to_have_count(5)
    for link in links.all():
        assert link.get_attribute("target") == "_blank"
        assert "noopener" in link.get_attribute("rel")
    assert pictures.asked == []  # nothing leaves this machine before somebody asks
    view.get_by_role("button", name="Show the wider field").click()
    expect(view.get_by_text("DESI Legacy Surveys DR10, 1.1′ wide")).to_be_visible()
    fraction = view.evaluate(
        "() => document.querySelector('.footprint')?.style.width"
    ) or view.locator(".footprint").evaluate("e => e.style.width")
    assert float(fraction.rstrip("%")) == pytest.approx(100 / 6, abs=0.1)
    both_themes(view, screenshot, "context")
    pictures.faults = ["garbage"]
    view.keyboard.press("j")
    expect(view.get_by_role("button", name="Show the wider field")).to_be_visible()
    view.get_by_role("button", name="Show the wider field").click()
    expect(view.get_by_text("answered with something that is no picture")).to_be_visible()
    cutout = view.locator(".cutout").first
    title = cutout.get_attribute("title")
    cutout.click()
    expect(view.locator(".viewer h2")).to_have_text(title.partition(",")[0])


def test_grades_stages_tags_and_notes_by_key(scored, view, screenshot) -> None:
    name = view.locator(".viewer h2").inner_text()
    state = view.locator(".save-state")
    view.keyboard.press("y")
    expect(view.get_by_text("Nobody has graded, tagged or moved")).to_be_visible()
    view.keyboard.press("a")
    expect(view.get_by_role("dialog", name="Grade")).to_be_visible()
    screenshot("grade-prompt")
    view.keyboard.press("b")  # a grade here, not the blinking of bands
    expect(state).to_have_text("Saved")
    expect(view.locator(".grade[aria-pressed=true]")).to_have_text("B")
    expect(view.locator(".entries li").first).to_contain_text("Ada graded B")
    view.keyboard.press("A")
    expect(view.locator(".entries li")).to_have_count(2)
    view.keyboard.press("u")
    expect(state).to_have_text("Taken back")
    expect(view.locator(".grade[aria-pressed=true]")).to_have_text("B")
    view.keyboard.press("T")
    view.keyboard.type(LONG_TAG)
    view.keyboard.press("Enter")
    expect(view.locator(".tags .tag")).to_have_text(re.compile(LONG_TAG))
    view.keyboard.press("N")
    view.keyboard.type("A blue arc 2″ south; j, k and x are letters here.")
    view.keyboard.press("Control+Enter")
    expect(state).to_have_text("Note saved")
    view.keyboard.press("M")
    view.keyboard.press("t")
    expect(state).to_have_text("Moved to triage")
    view.keyboard.press("M")
    view.keyboard.press("r")
    screenshot("reject-reasons")
    view.keyboard.press("2")
    expect(view.locator(".chips")).to_contain_text("rejected")
    expect(view.locator(".entries li").first).to_contain_text("triage → rejected (spiral arms)")
    both_themes(view, screenshot, "history")
    view.keyboard.press("j")
    expect(view.locator(".grade[aria-pressed=true]")).to_have_count(0)
    view.keyboard.press("k")
    expect(view.locator(".grade[aria-pressed=true]")).to_have_text("B")
    with open_database(scored).session() as session:
        events = session.scalars(select(LabelEvent).order_by(LabelEvent.id)).all()
        assert [(e.kind, e.grade) for e in events] == [
            ("grade", "B"),
            ("grade", "A"),
            ("undo", None),
        ]
        assert events[0].visible["blind"] is False
        assert events[0].visible["ensemble"] == "default-hsc"
        assert events[0].shown_ms > 0
        assert "preset" in events[0].view
        assert verify(session).n_events == 3
        kinds = session.scalars(select(Remark.kind).order_by(Remark.id)).all()
        assert kinds == ["tag", "note", "stage", "stage"]
        stored = session.scalar(select(Candidate).where(Candidate.object_id == name))
        assert stored.stage == "rejected"


def test_who_is_not_signed_in_is_told_how(scored, serve, page, screenshot) -> None:
    page.goto(f"{serve(scored)}/review")
    page.wait_for_selector(".work-view[data-shown]")
    expect(page.locator(".verdict")).to_contain_text("Sign in to grade, move, tag and write notes.")
    expect(page.locator(".verdict .verdict-row")).to_have_count(0)
    page.keyboard.press("y")
    screenshot("signed-out")
    page.keyboard.press("X")  # no grade without a name: the dialog asks for one
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".verdict a").click()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()


def test_a_lens_is_fitted_by_a_key_and_kept(
    view: Page, scored: Workspace, screenshot: Callable[..., object]
) -> None:
    panel, curve = view.locator(".lens-test"), view.locator(".frame .overlay .critical").first
    view.keyboard.press("m")
    expect(panel).to_have_attribute("data-state", re.compile("supports|no_lens|unclear"))
    expect(panel.locator(".lens-pictures img")).to_have_count(6)
    expect(panel.locator(".lens-verdict p")).not_to_be_empty()
    expect(panel).to_contain_text("Indicative")
    expect(panel.locator(".lens-numbers")).to_contain_text("θ_E")
    assert len(curve.get_attribute("d") or "") > 200
    both_themes(view, screenshot, "lens-test")
    view.get_by_label("Critical curve and images on the picture").uncheck()
    expect(curve).to_have_count(0)

    # The next candidate has none yet; the one that has is shown at once, also after a reload.
    view.keyboard.press("j")
    expect(panel.get_by_role("button", name="Run the lens test")).to_be_visible()
    view.reload()
    view.wait_for_selector(".work-view[data-shown]")
    view.keyboard.press("k")
    expect(panel.locator(".lens-pictures img")).to_have_count(6)
    panel.get_by_role("button", name="Point at the images").click()
    large = view.locator(".viewer-body .frame")
    box = large.bounding_box()
    for place in (0.35, 0.65):
        large.click(position={"x": place * box["width"], "y": 0.5 * box["height"]})
    panel.get_by_role("button", name="Run from 2 images").click()
    expect(panel).to_contain_text("started from 2 images")
    with open_database(scored).session() as session:
        kept = session.scalars(select(LensTest)).all()
    assert len(kept) == 2
    assert all(row.theta_e_arcsec > 0 for row in kept)
