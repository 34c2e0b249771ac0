"""Every command that writes, on disks that are full, read-only or damaged: one sentence."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from disks import fill, make_read_only, small_disk
from filling import fill_workspace

from lens_triage.app.cli import cli
from lens_triage.training.cli.main import run_cli
from lensing_core.store import database as databases
from lensing_core.store.failures import sentence_of
from lensing_core.workspace import Workspace

MEGABYTES = 24
_BESIDE = ("-wal", "-shm", ".in-use", ".opening")


@pytest.fixture(scope="module")
def original(tmp_path_factory, empty_database) -> Path:
    """A filled workspace, closed; with files to import beside it."""
    root = tmp_path_factory.mktemp("original")
    workspace = Workspace.create(root / "workspace")
    shutil.copyfile(empty_database, workspace.database)
    fill_workspace(workspace)
    close()
    images = root / "images"
    images.mkdir()
    header = fits.Header({"FILTER": "r", "MAGZERO": 27.0, "PIXSCALE": 0.168})
    for k in range(3):
        pixels = np.random.default_rng(k).normal(size=(40, 40)).astype("f4")
        fits.writeto(images / f"{k}.fits", pixels, header)
    (root / "grades.csv").write_text("object_id,grade,grader\ncosmos-00001,A,Ana\n")
    return root


def close() -> None:
    """End the use of all databases, as the end of a process does."""
    for opened in _opened:
        opened.engine.dispose()
    _opened.clear()
    databases._open.cache_clear()


_opened: list[databases.Database] = []


@pytest.fixture(autouse=True)
def _processes_of_their_own(monkeypatch) -> Iterator[None]:
    """Each command opens the database as a new process would."""
    from_url = databases.Database.from_url

    def opening(*args, **options):
        _opened.append(from_url(*args, **options))
        return _opened[-1]

    monkeypatch.setattr(databases.Database, "from_url", opening)
    close()
    yield
    close()


@pytest.fixture(scope="module")
def full(tmp_path_factory, original) -> Iterator[Path]:
    """A workspace on a disk without any room."""
    with small_disk(tmp_path_factory.mktemp("full") / "disk", MEGABYTES) as disk:
        shutil.copytree(original / "workspace", disk / "workspace")
        fill(disk)
        yield disk / "workspace"
        close()


@pytest.fixture(scope="module")
def read_only(tmp_path_factory, original) -> Iterator[Path]:
    """A workspace on a disk that takes no writes."""
    with small_disk(tmp_path_factory.mktemp("read-only") / "disk", MEGABYTES) as disk:
        shutil.copytree(original / "workspace", disk / "workspace")
        make_read_only(disk)
        yield disk / "workspace"
        close()


def command(name: str, root: Path, original: Path) -> list[str]:
    """The command line of a case."""
    beside = root.parent
    ingest = ["--catalog", "mine", "--images", str(original / "images"), "--survey", "hsc"]
    return {
        "init": ["init", str(beside / "new")],
        "ingest": ["ingest", str(root), *ingest, "--pixel-scale-arcsec", "0.168", "--bands", "r"],
        "simulate": [
            "simulate",
            str(root),
            "--catalog",
            "sims",
            "--n-objects",
            "5",
            "--bands",
            "r",
        ],
        "score": ["score", str(root), "--ensemble", "first", "--catalog", "cosmos"],
        "runs": ["runs", str(root)],
        "db backup": ["db", "backup", str(root)],
        "session list": ["session", "list", str(root)],
        "session create": ["session", "create", str(root), "--ensemble", "first", "--n", "5"],
        "labels import": ["labels", "import", str(root), str(original / "grades.csv")],
        "labels export": ["labels", "export", str(root), str(beside / "log.csv")],
        "labels consensus": ["labels", "consensus", str(root)],
        "export": ["export", str(root), "csv", str(beside / "list.csv")],
        "cancel": ["cancel", str(root), "2026"],
    }[name]


WRITING = (
    *("init", "ingest", "simulate", "score", "db backup", "session create", "labels import"),
    *("labels export", "export"),
)
READING = ("runs", "session list")


def run(arguments: list[str], monkeypatch, capsys) -> tuple[int, str, str]:
    """Run the program with a command line; its exit code and what it wrote."""
    monkeypatch.setattr(sys, "argv", ["lens-triage", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_cli(cli)
    written = capsys.readouterr()
    return int(ended.value.code or 0), written.out, written.err


def files_of(folder: Path) -> dict[str, bytes | str]:
    """Content of all files below a folder but those that come with any use of the database."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith(_BESIDE) and path.name != "ballast":
            is_database = path.suffix == ".sqlite"  # its pages move with any use
            found[str(path.relative_to(folder))] = dump(path) if is_database else path.read_bytes()
    return found


def dump(path: Path) -> str:
    """All that a database holds."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


def assert_refused(code: int, out: str, err: str) -> None:
    assert code in (1, 2), out + err
    lines = [line for line in (out + err).splitlines() if line.strip()]
    assert len(lines) == 1, lines
    assert lines[0].startswith("lens-triage: ")
    assert lines[0].rstrip().endswith((".", ")."))
    assert "Traceback" not in lines[0]
    assert any(word in lines[0] for word in ("space", "read-only", "writ", "free")), lines[0]


@pytest.mark.parametrize("name", WRITING)
def test_what_writes_to_a_full_disk_says_so(name, full, original, monkeypatch, capsys):
    before = files_of(full.parent)
    code, out, err = run(command(name, full, original), monkeypatch, capsys)
    assert_refused(code, out, err)
    close()
    assert files_of(full.parent) == before


@pytest.mark.parametrize("name", WRITING)
def test_what_writes_to_a_read_only_disk_says_so(name, read_only, original, monkeypatch, capsys):
    assert_refused(*run(command(name, read_only, original), monkeypatch, capsys))


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("state", ["full", "read_only"])
def test_what_reads_goes_on_or_says_why_not(name, state, original, request, monkeypatch, capsys):
    root = request.getfixturevalue(state)
    code, out, err = run(command(name, root, original), monkeypatch, capsys)
    if code:
        assert_refused(code, out, err)


def test_once_there_is_room_again_everything_goes_on(tmp_path, original, monkeypatch, capsys):
    with small_disk(tmp_path / "disk", 96) as disk:
        root = disk / "workspace"
        shutil.copytree(original / "workspace", root)
        ballast = fill(disk)
        for name in ("init", "labels import", "session create"):
            assert_refused(*run(command(name, root, original), monkeypatch, capsys))
            close()
        ballast.unlink()
        for name in ("init", "labels import", "session create", "db backup", "labels export"):
            code, out, err = run(command(name, root, original), monkeypatch, capsys)
            assert (code, err) == (0, ""), out + err
            close()
        assert len((disk / "log.csv").read_text().splitlines()) == 2
        with sqlite3.connect(root / "triage.sqlite") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT count(*) FROM label_event").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM label_session").fetchone() == (1,)
        connection.close()


@pytest.mark.parametrize("name", ["export", "runs", "session list", "labels export", "db backup"])
def test_a_damaged_database_is_one_sentence(name, tmp_path, original, monkeypatch, capsys):
    root = tmp_path / "workspace"
    shutil.copytree(original / "workspace", root)
    with (root / "triage.sqlite").open("rb+") as file:
        file.seek(4096)
        file.write(b"\xff" * (file.seek(0, 2) - 4096))
        file.seek(4096)
        file.write(b"\xff" * 4096 * 20)
    code, out, err = run(command(name, root, original), monkeypatch, capsys)
    lines = [line for line in (out + err).splitlines() if line.strip()]
    assert code in (1, 2)
    assert len(lines) == 1, lines
    assert "damaged" in lines[0]
    assert not (tmp_path / "list.csv").exists()
    assert not (tmp_path / "log.csv").exists()


@pytest.mark.parametrize("kind", ["cutouts", "png"])
def test_a_shard_that_is_cut_off_is_one_sentence(kind, tmp_path, original, monkeypatch, capsys):
    root = tmp_path / "workspace"
    shutil.copytree(original / "workspace", root)
    for shard in (root / "cutouts").glob("*/shard-?????.npy"):
        with shard.open("rb+") as file:
            file.truncate(1000)
    arguments = ["export", str(root), kind, str(tmp_path / "out")]
    code, out, err = run(arguments, monkeypatch, capsys)
    lines = [line for line in (out + err).splitlines() if line.strip()]
    assert (code, len(lines)) == (2, 1), lines
    assert "shard-" in lines[0]
    assert not (tmp_path / "out").exists()


def test_every_refusal_of_a_disk_is_known(full):
    with pytest.raises(OSError, match="No space") as error:
        (full / "new-file").write_bytes(b"\0" * 1_000_000)
    assert "no space is left on its disk" in str(sentence_of(error.value, Workspace(full)))
    (full / "new-file").unlink()
