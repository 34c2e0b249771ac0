"""What a grader saw is drawn again: from the same pixels, as the event says."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
from endpoints import get, serve_application
from people import signed_in_as
from PIL import Image
from tornado.web import Application

from lens_triage.app.cli import write_replay
from lens_triage.app.context import AppContext
from lens_triage.app.review.replaying import check_may_see, routes
from lens_triage.app.viewer.replay import SAME, SIDE_PX, replay
from lens_triage.app.viewer.start import image_start
from lens_triage.app.viewer.tile_request import RENDERING, TileRequest
from lens_triage.app.viewer.tile_source import TileSource
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.imaging import AsinhStretch
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.store import open_database
from lensing_core.store.history import history_of
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.replays import seen_event
from lensing_core.store.tables import Candidate, LabelSession

VIEW = {
    "mode": "single",
    "band": None,
    "preset": "custom",
    "black": -1.0,
    "stretch": 2.0,
    "q": 6.0,
    "curve": "asinh",
    "palette": "gray",
    "look": "lupton",
    "invert": False,
    "smooth": False,
    "rgb": ["r", "g", "i"],
    "rendering": f"{RENDERING:x}",
}
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def graded(filled_workspace):
    """UUIDs of events by name: two in a blind session, one imported."""
    keys = {name: str(uuid4()) for name in ("color", "band", "imported")}
    with open_database(filled_workspace).session() as session:
        ana, bo = grader_named(session, "Ana").id, grader_named(session, "Bo").id
        queue = [QueueEntry(key, "") for key in (3, 1, 2)]
        made = create_session(session, NewSession("night", queue, {}), None).id
        blind = {"blind": True, "ensemble_id": None}
        single = {**VIEW, "band": "r", "palette": "heat", "invert": True}
        for name, candidate, grader, view, place in (
            ("color", 3, ana, VIEW, made),
            ("band", 1, ana, single, made),
            ("imported", 5, bo, {}, None),
        ):
            given = (keys[name], "grade", grader, candidate, "abcx", AT)
            event = NewEvent(
                *given,
                session_id=place,
                grade="A",
                is_lens=1,
                p_lens=0.9,
                view=view,
                visible=blind if place else {},
                source="browser" if place else "csv",
                shown_ms=2300,
            )
            append_events(session, [event])
    return keys


def of(workspace, uuid):
    with open_database(workspace).session() as session:
        return replay(TileSource(workspace), seen_event(session, uuid))


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_the_picture_is_that_of_the_event(filled_workspace, graded):
    found = of(filled_workspace, graded["color"])
    assert found.changed == ()
    e = found.event
    assert (e.grader, e.session, e.nth, e.n_of_grader) == ("Ana", "night", 1, 2)
    assert (e.queue_position, e.n_items, e.visible["blind"]) == (1, 3, True)
    source = TileSource(filled_workspace)
    request = TileRequest(
        bands=("r", "g", "i"), look="lupton", parameters=AsinhStretch(-1.0, 2.0, 6.0), format="png"
    )
    expected = pixels(source.draw(e.catalog, e.cutout_index, request))
    seen = pixels(found.png)
    assert seen.shape == (SIDE_PX, SIDE_PX, 4)
    rows = ((np.arange(len(expected)) + 0.5) * SIDE_PX / len(expected)).astype(int)
    np.testing.assert_array_equal(seen[np.ix_(rows, rows)], expected)


def test_a_band_in_its_color_map_and_inverted(filled_workspace, graded):
    found = of(filled_workspace, graded["band"])
    e = found.event
    request = TileRequest(
        kind="band", band="r", parameters=AsinhStretch(-1.0, 2.0, 6.0), format="png"
    )
    gray = pixels(TileSource(filled_workspace).draw(e.catalog, e.cutout_index, request))[..., 0]
    table = np.frombuffer(bytes.fromhex(image_start()["palettes"]["heat"]), np.uint8).reshape(-1, 3)
    rows = ((np.arange(len(gray)) + 0.5) * SIDE_PX / len(gray)).astype(int)
    np.testing.assert_array_equal(pixels(found.png)[np.ix_(rows, rows)][..., :3], 255 - table[gray])


def test_what_has_changed_is_said(filled_workspace, graded):
    assert of(filled_workspace, graded["imported"]).changed == (
        "The event (imported from csv) does not say how the picture was drawn: this is the "
        "standard view.",
    )
    with open_database(filled_workspace).session() as session:
        session.get_one(Candidate, 3).cutout_sha256 = "0" * 64
        bo = grader_named(session, "Bo").id
        undo = (str(uuid4()), "undo", bo, 5, "abcx", AT)
        append_events(session, [NewEvent(*undo, undoes=graded["imported"])])
    (pixels_changed,) = of(filled_workspace, graded["color"]).changed
    assert pixels_changed.startswith("The pixels are not those that were imported")
    assert "This grade has been undone since." in of(filled_workspace, graded["imported"]).changed
    with open_database(filled_workspace).session() as session:
        session.get_one(Candidate, 1).cutout_index = 10**6
    gone = of(filled_workspace, graded["band"])
    assert gone.png == b""
    assert "cannot be drawn again" in gone.changed[0]


def test_the_command_writes_page_and_picture(filled_workspace, graded, tmp_path):
    lines = write_replay(filled_workspace, graded["color"], tmp_path / "seen.html")
    assert lines[-1] == SAME
    assert "Order: 1 of 2 of the grader there" in lines
    text = (tmp_path / "seen.html").read_text("utf-8")
    assert text.count("data:image/png;base64,") == 1
    write_replay(filled_workspace, graded["color"], tmp_path / "seen.png")
    assert pixels((tmp_path / "seen.png").read_bytes()).shape == (SIDE_PX, SIDE_PX, 4)
    with pytest.raises(BadInputError, match=r"ends in \.html or \.png"):
        write_replay(filled_workspace, graded["color"], tmp_path / "seen.gif")
    with pytest.raises(NotFoundError, match="no event"):
        write_replay(filled_workspace, "none", None)


def test_open_blind_sessions_are_not_told_of(filled_workspace, graded):
    context, ana = signed_in_as(AppContext.of(filled_workspace), "Ana")
    _, cy = signed_in_as(context, "Cy")
    with open_database(filled_workspace).session() as session:
        event = seen_event(session, graded["color"])
        check_may_see(session, event, ana.id, organizes=False)
        check_may_see(session, event, cy.id, organizes=True)
        for stranger in (cy.id, None):
            with pytest.raises(PolicyError, match="graded blind in night"):
                check_may_see(session, event, stranger, organizes=False)
        (night,) = session.query(LabelSession).all()
        close_session(session, night.id)
        check_may_see(session, event, cy.id, organizes=False)
        (entry,) = [one for one in history_of(session, 3) if one.kind == "grade"]
        assert entry.event == graded["color"]


def test_the_page_of_an_event(filled_workspace, graded):
    """Nobody is signed in although there are graders: what is graded blind is kept."""
    context = AppContext.of(filled_workspace)
    signed_in_as(context, "Cy")
    with serve_application(Application(routes(context, TileSource(filled_workspace)))) as url:
        status, headers, body = get(f"{url}/replays/{graded['imported']}")
        blind, _, sentence = get(f"{url}/replays/{graded['color']}")
        missing, _, _ = get(f"{url}/replays/none")
    assert status == 200
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; img-src data:")
    assert b"What Bo saw of" in body
    assert (blind, missing) == (403, 404)
    assert b"graded blind" in sentence
