"""No file stops an import: each bad one costs its row, with the reason."""

from __future__ import annotations

import gzip
import http.server
import os
import threading
import time
from multiprocessing import get_context

import h5py
import numpy as np
import pyarrow
import pytest
import treacherous
from astropy.io import fits
from PIL import Image
from pyarrow import parquet
from sqlalchemy import select
from treacherous import Treacherous

from lens_triage.training.jobs import ingest as ingesting
from lens_triage.training.jobs.ingest import preview, run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.runner.worker import work
from lens_triage.training.settings import IngestSettings
from lensing_core import supervised
from lensing_core.cutouts import CutoutStore
from lensing_core.disk import reserve
from lensing_core.errors import BadInputError, traceback_in
from lensing_core.ingest import first_object
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.isolation import IsolatedDecoder, look_apart, reading_helpers
from lensing_core.ingest.limits import Limits
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Quarantine, Run, RunLog
from lensing_core.supervised import HelperError

SIZE = 12
RNG = np.random.default_rng(5)


def plane(side=SIZE):
    return RNG.normal(size=(side, side)).astype("f4")


def write(path, *planes, names=("g",), **cards):
    hdus = [fits.PrimaryHDU()]
    for name, pixels in zip(names, planes, strict=True):
        hdu = fits.ImageHDU(pixels, name=name)
        hdu.header.update({"PIXSCALE": 0.168, "MAGZERO": 27.0, **cards})
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path, overwrite=True)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "images"
    made.mkdir()
    for name in "abc":
        write(made / f"{name}.fits", plane())
    return made


def table(folder, *files):
    lines = [f"{name.split('.')[0]}-{k},{name}" for k, name in enumerate(files)]
    (folder / "t.csv").write_text("id,file\n" + "\n".join(lines) + "\n")
    return folder / "t.csv"


def settings_of(path, **changes) -> IngestSettings:
    return IngestSettings(**{"catalog": "mine", "table": str(path), "survey": "hsc", **changes})


def ingest(workspace, settings):
    with open_database(workspace).session() as session:
        session.add(Run(id="r", kind="ingest", title="t", settings=settings.to_json()))
    return run(JobContext(workspace, "r"), settings)


def quarantine(workspace) -> dict[int, Quarantine]:
    with open_database(workspace).session() as session:
        return {q.row_number: q for q in session.scalars(select(Quarantine))}


# --- Readers that end or stall their process -------------------------------------------------


@pytest.mark.parametrize("in_buffer", [True, False])
def test_a_lost_reader_costs_its_row(tmp_path, in_buffer):
    names = ["a", "crash", "b", "raise", "stall", "memory", "c", "crash", "d"]
    rows = [RowRequest(k, name) for k, name in enumerate(names)]
    grid = Grid(9, 0.168, (27.0,))
    limits = Limits(memory_gb=1.5, file_seconds=0.6)
    buffer = PixelBuffer.of(grid, 1, len(rows), path=tmp_path / "scratch" if in_buffer else None)
    if buffer.path is not None:
        reserve(buffer.path, buffer.bytes_per_slot)
    pixels = buffer.open()
    with reading_helpers(1, limits) as helpers:
        decoder = IsolatedDecoder(helpers, Treacherous(), grid, limits)
        if in_buffer:
            decoded = decoder.into_buffer(rows, buffer, 0, 0)
        else:
            places = {k: k for k in range(len(rows))}
            decoded = decoder.into_memory(dict(enumerate(rows)), pixels, places)
    assert sorted(decoded.facts) == [0, 2, 6, 8]
    assert {k: problem.reason for k, problem in decoded.rejected.items()} == {
        1: "crashed_reader",
        3: "unreadable_file",
        4: "timed_out",
        5: "too_large",
        7: "crashed_reader",
    }
    for k in decoded.facts:
        np.testing.assert_array_equal(pixels.flux[k], k + 1)


# --- The first rows are like any other -------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: write(path, np.zeros((SIZE, SIZE), "f4")),
        lambda path: write(path, np.full((SIZE, SIZE), np.nan, "f4")),
        lambda path: write(path, plane(4)),
        lambda path: write(path, plane(), MAGZERO=-1000.0),
        lambda path: write(path, plane(), PIXSCALE=24.0),
        lambda path: write(path, plane(), CTYPE1=5, CTYPE2=7),
        lambda path: write(path, *(plane() for _ in "xyzuvw"), names=tuple("xyzuvw")),
        pytest.param(
            lambda path: write(path, *(plane() for _ in "xyzuvw"), names=tuple("xyzuvw")),
            id="bands named",
        ),
        lambda path: path.write_bytes(path.read_bytes()[:3000]),
        lambda path: path.write_bytes(b"SIMPLE  =                    T" + b" " * 4000),
        lambda path: path.write_bytes(b""),
    ],
)
def test_a_bad_first_image_is_quarantined(workspace, folder, spoil, request):
    spoil(folder / "a.fits")
    bands = ["g"] if "named" in request.node.name else []
    report = ingest(
        workspace, settings_of(table(folder, "a.fits", "b.fits", "c.fits"), bands=bands)
    )
    assert (report["ingested"], report["quarantined"]) == (2, 1)
    row = quarantine(workspace)[0]
    assert "a.fits" in row.message or "a.fits" in (row.source or "")
    assert row.message.endswith(".")


def test_an_odd_npz_among_rows(workspace, folder):
    for name in "abc":
        np.save(folder / f"{name}.npy", plane())
    np.savez(folder / "odd.npz", one=plane(), two=plane(), three=np.ones((9, 9, 9)))
    path = table(folder, "odd.npz", "a.npy", "b.npy", "odd.npz")
    report = ingest(workspace, settings_of(path, bands=["g"]))
    assert (report["ingested"], report["quarantined"]) == (2, 2)
    assert "odd.npz" in quarantine(workspace)[3].message


# --- Bounds before memory --------------------------------------------------------------------


def test_only_regular_files_below_the_images_folder(workspace, folder, tmp_path):
    write(tmp_path / "outside.fits", plane())
    os.mkfifo(folder / "pipe.fits")
    (folder / "folder.fits").mkdir()
    (folder / "link.fits").symlink_to(tmp_path / "outside.fits")
    (folder / "inner.fits").symlink_to(folder / "b.fits")
    names = [
        *("a.fits", "../outside.fits", str(tmp_path / "outside.fits"), "link.fits"),
        *("/dev/zero", "pipe.fits", "folder.fits", "inner.fits", str(folder / "c.fits")),
    ]
    path = table(folder, *names)
    report = ingest(workspace, settings_of(path))
    assert report["ingested"] == 3
    assert {k: q.reason for k, q in quarantine(workspace).items()} == {
        1: "outside_folder",
        2: "outside_folder",
        3: "outside_folder",
        4: "outside_folder",
        5: "not_a_file",
        6: "not_a_file",
    }
    found = ingest_more(workspace, settings_of(path, catalog="more", more_roots=[str(tmp_path)]))
    assert found["ingested"] == 6
    assert found["reasons"] == {"not_a_file": 2, "outside_folder": 1}


def ingest_more(workspace, settings):
    return run(JobContext(workspace, "r"), settings)


def test_a_picture_is_judged_by_its_header(workspace, folder):
    for name in "ab":
        Image.fromarray(RNG.integers(1, 255, (SIZE, SIZE, 3), dtype=np.uint8)).save(
            folder / f"{name}.png"
        )
    Image.new("1", (3000, 3000)).save(folder / "large.png")
    path = table(folder, "large.png", "a.png", "b.png")
    report = ingest(workspace, settings_of(path, pixel_scale_arcsec=0.2, image_mpx=4.0))
    assert report["reasons"] == {"too_large": 1}
    assert "3000 x 3000 pixels" in quarantine(workspace)[0].message


def test_a_small_file_that_declares_much(workspace, folder):
    content = bytearray((folder / "a.fits").read_bytes())
    for axis in (1, 2):
        card = f"NAXIS{axis}  = {SIZE:20d}".encode()
        content = content.replace(card, f"NAXIS{axis}  = {40000:20d}".encode())
    (folder / "a.fits").write_bytes(content)
    with gzip.open(folder / "bomb.fits", "wb", 9) as stream:
        stream.write(bytes(30 * 2**20))
    path = table(folder, "a.fits", "bomb.fits", "b.fits")
    report = ingest(workspace, settings_of(path, expanded_mb=20))
    assert report["reasons"] == {"too_large": 2}


@pytest.mark.parametrize("kind", ["external", "virtual", "link"])
def test_hdf5_takes_no_values_from_other_files(workspace, folder, tmp_path, kind):
    secret = plane().astype("f8")
    (tmp_path / "secret.bin").write_bytes(secret.tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["images"] = secret
    for name in ("a", "b"):
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file["images"] = plane()
    with h5py.File(folder / "bad.h5", "w") as file:
        if kind == "external":
            where = [(str(tmp_path / "secret.bin"), 0, secret.nbytes)]
            file.create_dataset("images", secret.shape, "f8", external=where)
        elif kind == "virtual":
            layout = h5py.VirtualLayout(secret.shape, "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "images", secret.shape)
            file.create_virtual_dataset("images", layout)
        else:
            file["images"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "images")
    path = table(folder, "bad.h5", "a.h5", "b.h5")
    report = ingest(workspace, settings_of(path, bands=["g"]))
    assert (report["ingested"], report["quarantined"]) == (2, 1)
    assert quarantine(workspace)[0].row_number == 0


# --- Tables ----------------------------------------------------------------------------------

_VOTABLE = """<?xml version="1.0"?>{doctype}
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>
<FIELD name="id" datatype="char" arraysize="*"/><DATA>{data}</DATA>
</TABLE></RESOURCE></VOTABLE>"""


@pytest.fixture
def server():
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    listening = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}", asked
    listening.shutdown()
    listening.server_close()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_votable_that_points_elsewhere_is_refused_unread(folder, server, encoding):
    address, asked = server
    for href in (f"{address}/data", f"file://{folder}/t.bin"):
        data = f"<BINARY><STREAM\n encoding='base64' href='{href}'/></BINARY>"
        text = _VOTABLE.format(doctype="", data=data)
        (folder / "t.vot").write_text(text, encoding=encoding)
        assert "STREAM href" in preview(settings_of(folder / "t.vot")).error
    assert asked == []


def test_xml_entities_are_off(folder):
    entity = '<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    data = "<TABLEDATA><TR><TD>&x;</TD></TR></TABLEDATA>"
    (folder / "t.vot").write_text(_VOTABLE.format(doctype=entity, data=data))
    assert "XML entities" in preview(settings_of(folder / "t.vot")).error


def test_a_compressed_table_of_nothing(folder):
    with gzip.open(folder / "t.csv.gz", "wb", 9) as stream:
        stream.write(b"id,file\n" + b"\n" * (80 * 2**20))
    began = time.monotonic()
    assert "100 times its size" in preview(settings_of(folder / "t.csv.gz")).error
    assert time.monotonic() - began < 30


def test_a_preview_has_a_limit_of_memory(folder):
    path = folder / "t.csv"
    path.write_text("id,file\n")
    os.truncate(path, 700 * 2**20)
    assert "memory_gb" in preview(settings_of(path, memory_gb=0.5)).error


# --- Bands without data ----------------------------------------------------------------------


def test_a_corrupt_band_keeps_its_reason(workspace, folder):
    names = ("g", "r")
    for name in "abc":
        for band in names:
            write(folder / f"{name}_{band}.fits", plane(), names=(band,))
    (folder / "b_r.fits").write_bytes((folder / "b_r.fits").read_bytes()[:6000])
    (folder / "t.csv").write_text("id\na\nb\nc\n")
    settings = settings_of(folder / "t.csv", pattern="{id}_{band}.fits")
    report = ingest(workspace, settings)
    assert report["ingested"] == 3
    assert report["missing_bands"] == {"r: unreadable_file": 1}
    with open_database(workspace).session() as session:
        rows = session.scalars(select(Candidate).order_by(Candidate.cutout_index)).all()
        noted = [row.observation.properties["ingest"].get("missing_bands") for row in rows]
    assert noted[0] is noted[2] is None
    assert noted[1]["r"]["reason"] == "unreadable_file"
    assert "b_r.fits" in noted[1]["r"]["message"]
    flux = CutoutStore(workspace.catalog_cutouts("mine")).read(1)
    assert np.isfinite(flux[0]).all()
    assert np.isnan(flux[1]).all()
    strict = replace_settings(settings, catalog="strict", missing_bands="quarantine")
    assert ingest_more(workspace, strict)["reasons"] == {"unreadable_file": 1}


def replace_settings(settings, **changes):
    return IngestSettings.from_json({**settings.to_json(), **changes})


@pytest.mark.parametrize("magic", [b"\x1f\x9d", b"\x1f\xa0", b"\x1f\x1e"])
def test_compressions_of_unknown_size_are_refused_unread(workspace, folder, magic):
    """CFITSIO expands them into memory, whatever a file is called."""
    (folder / "bad.fits").write_bytes(magic + b"\x90" + b"\0" * 9000)
    ingest(workspace, settings_of(table(folder, "a.fits", "bad.fits")))
    (row,) = quarantine(workspace).values()
    assert row.reason == "unsupported_format"
    assert "is compressed by" in row.message
    (folder / "t.csv").write_bytes(magic + b"\x90" + b"\0" * 9000)
    assert "is compressed by" in preview(settings_of(folder / "t.csv")).error


def test_a_table_larger_than_memory_is_refused_unread(folder, monkeypatch):
    # Not forked: what the tests' fork server has loaded for others counts as memory, too.
    monkeypatch.setattr(supervised, "helper_context", lambda _: get_context("spawn"))
    with (folder / "large.csv").open("wb") as stream:
        stream.write(b"id,ra\n")
        stream.truncate(2**30)  # takes no room on the disk
    began = time.monotonic()
    found = preview(settings_of(folder / "large.csv", memory_gb=0.5))
    assert "needs 1.0 GiB of memory or more; at most 0.5 are allowed" in found.error
    assert time.monotonic() - began < 20
    many = pyarrow.table({"id": pyarrow.array(np.zeros(70_000_000, dtype="i8"))})
    parquet.write_table(many, folder / "large.parquet", use_dictionary=False)
    assert (folder / "large.parquet").stat().st_size < 2**26
    found = preview(settings_of(folder / "large.parquet", memory_gb=0.5))
    assert "needs 0.5 GiB of memory or more" in found.error


# --- Faults of the program ---------------------------------------------------------------------


def test_a_fault_while_planning_is_logged_with_its_traceback(workspace, folder, monkeypatch):
    """One in a reader of images: it looks like a bad file, and ends the run if all fail so."""
    monkeypatch.setattr(ingesting, "look_apart", lambda function, *given, **_: function(*given))
    monkeypatch.setattr(first_object, "assemble", treacherous.fault)
    settings = settings_of(table(folder, "a.fits"))
    with open_database(workspace).session() as session:
        session.add(
            Run(id="r", kind="ingest", title="t", settings=settings.to_json(), status="running")
        )
    assert work(workspace, "r") == "failed"
    with open_database(workspace).session() as session:
        told = session.get_one(Run, "r").error
        log = session.scalars(select(RunLog.message).order_by(RunLog.id)).all()[-1]
    assert told.startswith("None of the first 1 images can be used:")
    assert "Traceback" not in told
    assert "treacherous.py" in log
    assert "ZeroDivisionError" in log


def test_a_fault_in_another_process_keeps_its_traceback():
    with pytest.raises(BadInputError, match="ZeroDivisionError") as found:
        look_apart(treacherous.fault, limits=Limits(), table="t.csv")
    assert "in fault" in traceback_in(found.value)
    with reading_helpers(1, Limits()) as helpers, pytest.raises(HelperError) as found:
        helpers.call(treacherous.fault)
    assert "in fault" in traceback_in(found.value)
