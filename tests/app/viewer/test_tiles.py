"""The tile endpoint over HTTP: pictures, caching, and one sentence for each bad request."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from endpoints import get, serve_routes
from PIL import Image

from lens_triage.app.viewer import tile_source
from lens_triage.app.viewer.tiles import (
    TileSource,
    routes,
    tile_url,
)
from lensing_core.cutouts import CutoutGeometry, CutoutStore, CutoutWriter, cutout_sha256
from lensing_core.imaging import (
    AsinhStretch,
    catalog_noise,
    layer_noise,
    light_residual,
    render_band,
    render_rgb,
)
from lensing_core.workspace import Workspace

GEOMETRY = CutoutGeometry("test", ("g", "r", "i"), 40, 0.2, "flux", (25.0,) * 3, (0.8,) * 3)


def pixels(seed: int, n: int = 4, size: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    galaxy = 80 * np.exp(-(x**2 + y**2) / 18)
    return (galaxy + rng.normal(size=(n, 3, size, size))).astype(np.float32)


@pytest.fixture
def catalog(workspace: Workspace) -> CutoutStore:
    CutoutWriter(workspace.catalog_cutouts("one"), GEOMETRY).write_shard(0, pixels(1))
    return CutoutStore(workspace.catalog_cutouts("one"))


@pytest.fixture
def server(workspace: Workspace) -> Iterator[str]:
    """URL of a server with the endpoint alone."""
    with serve_routes(routes(TileSource(workspace))) as url:
        yield url


def picture(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(body)).convert("RGBA"))


def test_pictures_are_those_of_the_engine(server, catalog):
    noise = catalog_noise(catalog)
    for query, expected in {
        "": render_rgb(catalog.read(2), GEOMETRY, noise),
        "?bands=g,r,i&stretch=4&black=-2&q=3": render_rgb(
            catalog.read(2),
            GEOMETRY,
            noise,
            bands=("g", "r", "i"),
            parameters=AsinhStretch(-2, 4, 3),
        ),
        "?bands=i,,g&format=png": render_rgb(
            catalog.read(2), GEOMETRY, noise, bands=("i", "", "g")
        ),
        "?kind=band&band=r&curve=log": render_band(
            catalog.read(2), GEOMETRY, noise, "r", kind="log"
        ),
    }.items():
        status, headers, body = get(f"{server}/tiles/one/2{query}")
        assert status == 200
        assert headers["Content-Type"] == ("image/png" if "png" in query else "image/webp")
        np.testing.assert_array_equal(picture(body), expected)


def test_layers_are_those_of_the_engine_in_pictures_and_pixels(server, workspace):
    variance = np.full((4, 3, 40, 40), 4.0, dtype=np.float32)
    writer = CutoutWriter(workspace.catalog_cutouts("two"), GEOMETRY)
    writer.write_shard(0, pixels(1), variance=variance)
    store = CutoutStore(workspace.catalog_cutouts("two"))
    noise, cutout = catalog_noise(store), store.read(2)
    residual = light_residual(cutout, GEOMETRY, noise)
    expected = {
        "image": cutout,
        "residual": residual,
        "snr": (cutout - noise.level[:, None, None].astype("f4")) / 2,
        "residual-snr": residual / 2,
    }
    for layer, values in expected.items():
        status, headers, body = get(f"{server}/pixels/two/2?layer={layer}")
        assert status == 200
        assert headers["Content-Type"] == "application/octet-stream"
        found = np.frombuffer(body, "<f4").reshape(GEOMETRY.shape)
        np.testing.assert_allclose(found, values, rtol=1e-5, atol=1e-5)
        drawn = picture(get(f"{server}/tiles/two/2?kind=band&band=r&layer={layer}")[2])
        scaled = layer_noise(layer, noise)
        np.testing.assert_array_equal(drawn, render_band(found, GEOMETRY, scaled, "r"))
        info = json.loads(get(f"{server}/tiles/two/2/info?layer={layer}")[2])
        assert info["noise_from"] == "variance"
    assert picture(get(f"{server}/tiles/two/2?layer=residual")[2]).shape == (40, 40, 4)


def test_a_version_makes_pixels_immutable(server, catalog):
    digest = cutout_sha256(catalog.read(1))
    url = f"{server}/pixels/one/1?v={digest[:12]}&r=1"
    status, headers, body = get(url)
    assert (status, body) == (200, catalog.read(1).astype("<f4").tobytes())
    assert "immutable" in headers["Cache-Control"]
    assert get(url, **{"If-None-Match": headers["Etag"]})[0] == 304
    assert get(f"{server}/pixels/one/1?v=000000000000")[0] == 404


def test_residuals_are_kept_up_to_a_number_of_bytes(catalog, monkeypatch):
    made = []

    def residual(cutout, geometry, noise):
        made.append(float(cutout[0, 0, 0]))
        return cutout.copy()

    monkeypatch.setattr(tile_source, "light_residual", residual)
    one = catalog.read(0).nbytes
    kept = tile_source._Residuals(2 * one)
    noise = catalog_noise(catalog)
    for index in (0, 1, 0, 1, 2, 1, 0):
        found = kept.get(("one", (0, 0), index), catalog.read(index), GEOMETRY, noise)
        np.testing.assert_array_equal(found, catalog.read(index))
        assert kept._bytes <= 2 * one
    assert len(made) == 4  # 0, 1, 2, and 0 again, which 2 had put out


def test_size_shrinks(server, catalog):
    assert picture(get(f"{server}/tiles/one/0?size=16")[2]).shape == (16, 16, 4)
    assert picture(get(f"{server}/tiles/one/0?size=512")[2]).shape == (40, 40, 4)


def test_a_version_makes_a_picture_immutable(server, catalog):
    digest = cutout_sha256(catalog.read(1))
    status, headers, body = get(f"{server}/{tile_url('one', 1, digest)}")
    assert status == 200
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert get(f"{server}/tiles/one/1")[1]["Cache-Control"] == "no-cache"
    status, _, empty = get(
        f"{server}/tiles/one/1?v={digest[:12]}&r=1", **{"If-None-Match": headers["Etag"]}
    )
    assert (status, empty) == (304, b"")
    assert body
    other = get(f"{server}/tiles/one/1?stretch=3")[1]["Etag"]
    assert other != headers["Etag"]


def test_a_changed_cutout_is_not_served_under_its_old_version(server, catalog, workspace):
    digest = cutout_sha256(catalog.read(1))
    url = f"{server}/{tile_url('one', 1, digest)}"
    assert get(url)[0] == 200
    shutil.rmtree(workspace.catalog_cutouts("one"))
    assert get(url)[0] == 404
    writer = CutoutWriter(workspace.catalog_cutouts("one"), GEOMETRY)
    assert b"no cutouts yet" in get(url)[2]
    writer.write_shard(0, pixels(2))
    status, headers, body = get(url)
    assert status == 404
    assert b"has changed since this page was loaded" in body
    assert headers["Cache-Control"] == "no-store"
    assert get(f"{server}/tiles/one/1")[0] == 200


def test_shards_that_come_later_are_seen(server, catalog, workspace):
    assert get(f"{server}/tiles/one/5")[0] == 404
    CutoutWriter(workspace.catalog_cutouts("one"), GEOMETRY).write_shard(1, pixels(3))
    assert get(f"{server}/tiles/one/5")[0] == 200


def test_info(server, catalog, workspace):
    damaged = pixels(5)
    damaged[0, 2] = np.nan
    damaged[0, 0, :10] = np.nan
    CutoutWriter(workspace.catalog_cutouts("two"), GEOMETRY).write_shard(0, damaged)
    status, headers, body = get(f"{server}/tiles/two/0/info")
    found = json.loads(body)
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert found["known_fraction"] == {"g": 0.75, "r": 1.0, "i": 0.0}
    assert found["rgb_bands"] == ["i", "r", "g"]
    assert found["sky_sigma"]["r"] == pytest.approx(1, abs=0.05)
    assert found["zero_point_mag"] == dict.fromkeys("gri", 25.0)
    assert found["psf_fwhm_arcsec"] == dict.fromkeys("gri", 0.8)
    assert found["noise_from"] == "sky"
    assert found["auto"]["black"] == pytest.approx(-0.7, abs=0.2)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("one/4", 404, "there are 4, counted from 0"),
        ("one/-1", 400, "give its number"),
        ("one/x", 400, "give its number"),
        ("none/0", 404, "no catalog 'none'"),
        ("../0", 404, None),
        ("%2e%2e%2f%2e%2e/0", 404, "no catalog"),
        ("..%5c..%5cone/0", 404, "no catalog"),
        ("ONE/0", 404, "no catalog"),
        ("one/0?layer=depth", 400, "layer 'depth': choose one of image, residual, snr"),
        ("one/0?kind=cube", 400, "kind 'cube': choose one of rgb, band"),
        ("one/0?kind=band", 400, "name the band"),
        ("one/0?band=g", 400, "kind=band"),
        ("one/0?kind=band&band=z", 400, "no band 'z' in this catalog; it has g, r, i"),
        ("one/0?bands=g,r", 400, "name three"),
        ("one/0?bands=g,r,z", 400, "no band 'z'"),
        ("one/0?curve=cubic", 400, "curve 'cubic'"),
        ("one/0?stretch=wide", 400, "stretch 'wide': give a number"),
        ("one/0?stretch=nan", 400, "stretch nan"),
        ("one/0?stretch=0", 400, "stretch 0.0: give a number from 0.001"),
        ("one/0?stretch=3&q=1e9", 400, "q 1000000000.0"),
        ("one/0?size=4", 400, "from 8 to 4096"),
        ("one/0?size=1e3", 400, "whole number"),
        ("one/0?format=gif", 400, "choose one of webp, png"),
        ("one/0?v=XYZ", 400, "hexadecimal"),
        ("one/0?size=64&size=64", 400, "size: give it once"),
        ("one/0?strech=3", 400, "Unknown parameter 'strech'"),
    ],
)
def test_bad_requests_get_one_plain_sentence(server, catalog, path, status, words):
    found, headers, body = get(f"{server}/tiles/{path}")
    assert found == status
    if words is not None:
        text = body.decode()
        assert words in text
        assert "\n" not in text
        assert "Traceback" not in text
        assert headers["Content-Type"].startswith("text/plain")
        assert headers["Cache-Control"] == "no-store"
