"""SAMP with a real hub on the loopback and a second client, as TOPCAT would be."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from low_files import low_files
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient

from lensing_core.errors import BadInputError
from lensing_core.export.samp import Pointed, SampLink


@pytest.fixture
def lockfile(tmp_path):
    return tmp_path / "hub.samp"


@pytest.fixture
def hub(lockfile):
    server = SAMPHubServer(
        web_profile=False, mode="single", lockfile=str(lockfile), addr="127.0.0.1", timeout=0
    )
    with low_files():
        server.start()
        yield server
        if server.is_running:
            server.stop()


@pytest.fixture
def topcat(hub):
    """The other program, with what it has received."""
    client = SAMPIntegratedClient(name="topcat", addr="127.0.0.1")
    client.connect(hub)
    received: list[tuple[str, dict]] = []

    def keep(_key, _sender, message, fields, _extra) -> None:
        received.append((message, fields))

    for message in ("table.load.votable", "image.load.fits", "coord.pointAt.sky"):
        client.bind_receive_notification(message, keep)
    client.received = received
    yield client
    if client.is_connected:
        client.disconnect()


@pytest.fixture
def link(lockfile):
    made = SampLink(lockfile)
    yield made
    made.disconnect()


def wait(condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("nothing arrived")


def test_no_hub_is_a_state(link, tmp_path):
    assert not link.connected
    assert link.connect() is False
    assert link.others() == []
    with pytest.raises(BadInputError, match="not connected"):
        link.send_position(10, 20)


def test_tables_images_and_positions_go_out(link, topcat, tmp_path):
    assert link.connect()
    assert link.connect()  # again is harmless
    assert link.others() == ["topcat"]
    table, image = tmp_path / "a table.vot", tmp_path / "image.fits"
    assert link.send_table(table, "candidates", [5, 6]) == 1
    assert link.send_image(image, "J1") == 1
    assert link.send_position(150.25, -2.5) == 1
    wait(lambda: len(topcat.received) == 3)
    sent = dict(topcat.received)
    assert sent["table.load.votable"]["url"] == table.as_uri()
    assert sent["image.load.fits"] == {
        "url": image.as_uri(),
        "image-id": "lens-triage:image.fits",
        "name": "J1",
    }
    assert float(sent["coord.pointAt.sky"]["dec"]) == -2.5


def test_what_others_point_at_comes_in(link, topcat, tmp_path, caplog):
    heard: list[Pointed] = []
    stop = link.listen(heard.append)
    assert link.connect()
    table = tmp_path / "candidates-1.vot"
    link.send_table(table, "candidates", [50, 60, 70])

    def notify(message: str, **fields) -> None:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        topcat.notify_all({"samp.mtype": message, "samp.params": named})

    notify("table.highlight.row", table_id="lens-triage:candidates-1.vot", row="1")
    wait(lambda: heard)
    assert heard.pop() == Pointed(candidates=(60,))
    # a program that gives the table an id of its own still knows where it came from
    notify("table.select.rowList", table_id="x", url=table.as_uri(), row_list=["0", "2", "9"])
    wait(lambda: heard)
    assert heard.pop() == Pointed(candidates=(50, 70))
    topcat.call_all(
        "tag", {"samp.mtype": "coord.pointAt.sky", "samp.params": {"ra": "10.5", "dec": "-3"}}
    )
    wait(lambda: heard)
    assert heard.pop() == Pointed(position_deg=(10.5, -3.0))

    notify("table.highlight.row", table_id="somebody-else", row="1")
    notify("coord.pointAt.sky", ra="north", dec="-3")
    notify("coord.pointAt.sky", ra="1", dec="2")
    wait(lambda: heard)
    assert heard == [Pointed(position_deg=(1.0, 2.0))]
    assert "makes no sense" in caplog.text
    stop()
    notify("coord.pointAt.sky", ra="3", dec="4")
    time.sleep(0.3)
    assert len(heard) == 1


def test_a_hub_that_goes_away_is_noticed(link, hub):
    assert link.connect()
    hub.stop()
    assert not link.connected
    assert link.others() == []
    with pytest.raises(BadInputError, match="not connected"):
        link.send_position(1, 2)
