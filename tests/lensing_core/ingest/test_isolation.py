"""Reading in helper processes: a lost helper costs one row, and is told of the right file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from imports_of_files import BANDS, SIZE, settings_of, write_fits

from lens_triage.training.jobs.ingest import request_of
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.ingest import isolation, positions_only
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.isolation import IsolatedDecoder, look_apart
from lensing_core.ingest.object_tables import TABLE
from lensing_core.ingest.pixel_buffers import PixelBuffer
from lensing_core.ingest.planning import ImportPlan, make_plan
from lensing_core.ingest.positions_only import read_positions
from lensing_core.supervised import HelperLost

N = 6


class InThisProcess:
    """Stands in for helper processes: calls happen here, and some rows end or stall them."""

    def __init__(self, deadly: dict[int, str], *, recovers: bool = False) -> None:
        self.deadly, self.recovers = dict(deadly), recovers

    def call(self, function: Callable[..., Any], *arguments: Any, seconds: Any) -> Any:
        rows = arguments[3]
        for k in rows:
            if k in self.deadly:
                why = self.deadly.pop(k) if self.recovers else self.deadly[k]
                raise HelperLost(why, str(k), f"o{k}.fits", "it ended")  # type: ignore[arg-type]
        return function(*arguments)


@pytest.fixture
def plan(tmp_path) -> ImportPlan:
    for k in range(N):
        write_fits(tmp_path / f"o{k}.fits", np.full((3, SIZE, SIZE), k + 1.0))
    (tmp_path / "objects.csv").write_text("id\n" + "".join(f"o{k}\n" for k in range(N)))
    return make_plan(request_of(settings_of(tmp_path)))


def rows() -> dict[int, RowRequest]:
    return {k: RowRequest(k, f"o{k}") for k in range(N)}


def decoder_of(plan: ImportPlan, helpers: InThisProcess) -> IsolatedDecoder:
    return IsolatedDecoder(helpers, plan.source, plan.grid, plan.request.limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(("why", "reason"), [("died", "crashed_reader"), ("time", "timed_out")])
def test_only_the_row_that_ends_its_helper_is_rejected(plan, why, reason):
    pixels = PixelBuffer.of(plan.grid, len(BANDS), N).open()
    places = {k: N - 1 - k for k in range(N)}
    decoded = decoder_of(plan, InThisProcess({2: why})).into_memory(rows(), pixels, places)
    assert sorted(decoded.facts) == [0, 1, 3, 4, 5]
    assert list(decoded.rejected) == [2]
    assert (decoded.rejected[2].reason, decoded.rejected[2].source) == (reason, "o2.fits")
    assert [pixels.flux[N - 1 - k, 0, 0, 0] for k in decoded.facts] == [1, 2, 4, 5, 6]


def test_a_helper_that_was_killed_from_outside_costs_no_row(plan, tmp_path):
    helpers = InThisProcess({1: "died", 4: "died"}, recovers=True)
    buffer = PixelBuffer.of(plan.grid, len(BANDS), N + 1, slots=2)
    scratch = tmp_path / "scratch"
    scratch.write_bytes(bytes(2 * buffer.bytes_per_slot))
    buffer = isolation.PixelBuffer(**{**vars(buffer), "path": scratch})
    decoded = decoder_of(plan, helpers).into_buffer(list(rows().values()), buffer, 1, 1)
    assert sorted(decoded.facts) == list(range(N))
    assert decoded.rejected == {}
    assert buffer.open(1).flux[1:, 0, 0, 0].tolist() == [1, 2, 3, 4, 5, 6]


def test_positions_are_each_read_once_and_rows_without_one_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(positions_only, "look_apart", lambda read, request, **_: read(request))
    request = request_of(settings_of(tmp_path))
    table = tmp_path / "objects.csv"
    table.write_text("id,ra,dec\na,10,1\nb,10,1\nc,999,1\nd,11,2\n")
    listed = read_positions(request)
    assert listed.position_deg.tolist() == [[10, 1], [11, 2]]
    assert (listed.n_rows, listed.n_without) == (4, 1)
    table.write_text("id,ra,dec\nc,999,1\n")
    with pytest.raises(BadInputError, match=r"No row of .* has a position"):
        read_positions(request)


class Losing:
    """Stands in for helper processes that are lost, each time for the next of some reasons."""

    def __init__(self, losses: list[HelperLost]) -> None:
        self.losses, self.left_out = losses, []

    def __enter__(self) -> Losing:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def call(self, function: Callable[..., Any], *arguments: Any, seconds: Any) -> Any:
        self.left_out = sorted(arguments[1])
        if self.losses:
            raise self.losses.pop(0)
        return function(*arguments)


@pytest.fixture
def look(tmp_path, monkeypatch):
    """A function that looks with helpers that are lost so; returns the files left out as well."""
    limits = request_of(settings_of(tmp_path)).limits

    def run(function: Callable[..., Any], *losses: HelperLost) -> tuple[Any, list[str]]:
        helpers = Losing(list(losses))
        monkeypatch.setattr(isolation, "reading_helpers", lambda *_: helpers)
        return look_apart(function, 7, limits=limits, table="t.csv"), helpers.left_out

    return run


def test_a_file_that_ends_the_look_is_left_out(look):
    lost = [HelperLost("died", "images", f"{name}.fits", "it ended") for name in "ab"]
    assert look(lambda n: n + 1, *lost) == (8, ["a.fits", "b.fits"])


@pytest.mark.parametrize(
    ("why", "item", "file", "message"),
    [
        ("time", TABLE, "", r"t\.csv: looking at it took more than .* table_seconds"),
        ("died", TABLE, "part.fits", r"t\.csv: looking at it ended the process .*\(it ended\)"),
        ("died", "", "", r"lost at its start \(it ended\); the machine may be busy"),
        ("time", "", "", r"lost at its start \(it ended\); the machine may be busy"),
    ],
)
def test_a_table_that_ends_the_look_cannot_be_read(look, why, item, file, message):
    with pytest.raises(BadInputError, match=message):
        look(lambda n: n, HelperLost(why, item, file, "it ended"))


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (NotFoundError("There is no survey."), NotFoundError, "There is no survey"),
        (MemoryError(), BadInputError, "needs more than the .* setting memory_gb"),
        (ZeroDivisionError("by zero"), BadInputError, "ZeroDivisionError: by zero. The log has"),
    ],
)
def test_what_goes_wrong_in_the_look_is_one_sentence(look, error, kind, message):
    def fail(_: int) -> None:
        raise error

    with pytest.raises(kind, match=message):
        look(fail)
