"""The endpoint that explains members: real members over HTTP, one sentence for what is amiss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
import torch
from endpoints import get, serve_routes
from PIL import Image

from lens_triage.app.context import AppContext
from lens_triage.app.review.attention import (
    MOST_FEATURES,
    routes,
)
from lens_triage.app.viewer.tile_source import TileSource
from lensing_core.cutouts import CutoutGeometry, CutoutStore, CutoutWriter, cutout_sha256
from lensing_core.features import ClassicFeatures, compute_features
from lensing_core.models.attention import member_attention
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.files import load_member, save_member
from lensing_core.models.networks import NetworkSpec, build_network
from lensing_core.models.outputs import OutputWriter
from lensing_core.workspace import Workspace

SIZE, N = 40, 60
GEOMETRY = CutoutGeometry("test", ("g", "r"), SIZE, 0.2, "flux", (25.0,) * 2, (0.8,) * 2)


def pixels() -> np.ndarray:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    width = rng.uniform(2, 6, (N, 1, 1, 1))
    galaxy = 80 * np.exp(-(x**2 + y**2) / (2 * width**2))
    return (galaxy + rng.normal(size=(N, 2, SIZE, SIZE))).astype(np.float32)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A catalog, a network and trees, with the outputs of the trees stored."""
    workspace = Workspace.create(tmp_path_factory.mktemp("explained") / "workspace")
    flux = pixels()
    CutoutWriter(workspace.catalog_cutouts("one"), GEOMETRY).write_shard(0, flux)
    torch.manual_seed(0)
    spec = NetworkSpec("resnet10t", 2, SIZE, options={"timm": {"channels": (8, 8, 16, 16)}})
    contract = InputContract.of(GEOMETRY)
    network = DeepMember(contract, spec, build_network(spec), ImageScaling((1.0, 1.0)))
    save_member(workspace, "network-1", network, {})
    features = ClassicFeatures(GEOMETRY)
    table = compute_features(features, flux)
    labels = (flux.max(axis=(1, 2, 3)) > np.median(flux.max(axis=(1, 2, 3)))).astype(int)
    booster = train_trees(
        (table, labels),
        (table, labels),
        names=features.schema.names,
        learning_rate=0.2,
        leaves=4,
        rounds=8,
        patience=8,
        seed=0,
        threads=1,
    )
    trees = ClassicMember(contract, booster, features.to_json())
    save_member(workspace, "trees-1", trees, {})
    output = trees.predictor(GEOMETRY, "one")(flux)
    OutputWriter(workspace, "trees-1", "one", N).write(0, output)
    return workspace


@pytest.fixture(scope="module")
def server(filled: Workspace) -> Iterator[str]:
    """URL of a server with the endpoint alone."""
    with serve_routes(routes(AppContext.of(filled), TileSource(filled))) as url:
        yield f"{url}/attention"


def test_the_picture_is_the_map_upside_down(filled, server) -> None:
    store = CutoutStore(filled.catalog_cutouts("one"))
    sha = cutout_sha256(store.read(3))
    status, headers, body = get(f"{server}/network-1/one/3?v={sha[:12]}")
    assert status == 200
    assert "immutable" in headers["Cache-Control"]
    picture = np.asarray(Image.open(BytesIO(body)))
    expected = member_attention(load_member(filled, "network-1"), store.read(3), GEOMETRY, "one")
    alpha = np.round(expected.strength()[::-1] * 255)
    assert np.abs(picture[..., 3].astype(float) - alpha).max() <= 1
    assert picture.shape == (SIZE, SIZE, 4)
    status, _, body = get(f"{server}/network-1/one/3/info")
    info = json.loads(body)
    assert (status, info["kind"], info["method"]) == (
        200,
        "map",
        "integrated_gradients",
    )
    assert [name for name, _ in info["methods"]] == ["integrated_gradients", "grad_cam"]
    assert info["logit"] == pytest.approx(expected.logit, abs=1e-5)
    scale, end = info["scale"], expected.end_of_scale()
    assert end is not None
    assert float(scale["high"]) == pytest.approx(end, rel=0.06)
    assert scale["colors"][0] == "#440154"  # of viridis
    rows, columns = np.nonzero(expected.strength()[::-1] == 1)
    shown = picture[rows[0], columns[0], :3] if len(rows) else None
    assert shown is None or "#" + bytes(shown).hex() == scale["colors"][-1]


def test_trees_are_explained_by_features_that_add_up(filled, server) -> None:
    status, _, body = get(f"{server}/trees-1/one/3/info")
    info = json.loads(body)
    assert (status, info["kind"]) == (200, "features")
    total = info["base"] + info["rest"] + sum(row["log_odds"] for row in info["rows"])
    assert total == pytest.approx(info["logit"], abs=1e-6)
    assert len(info["rows"]) == MOST_FEATURES
    sizes = [abs(row["log_odds"]) for row in info["rows"]]
    assert sizes == sorted(sizes, reverse=True)
    status, _, body = get(f"{server}/trees-1/one/3")
    assert status == 404


def test_what_cannot_be_explained_is_said(filled, server) -> None:
    CutoutWriter(filled.catalog_cutouts("two"), GEOMETRY).write_shard(0, pixels()[:2])
    status, headers, body = get(f"{server}/trees-1/two/0/info")
    assert status == 200
    assert json.loads(body)["kind"] == "none"
    assert "score the catalog" in json.loads(body)["sentence"]
    assert headers["Cache-Control"] == "no-cache"  # it may be scored tomorrow


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("no-such/one/0/info", 404, "no model"),
        ("network-1/none/0/info", 404, "no catalog"),
        ("network-1/one/9999/info", 404, ""),
        ("network-1/one/x/info", 400, "give its number"),
        ("network-1/one/0?v=zz", 400, "hexadecimal"),
        ("network-1/one/0?method=magic", 400, "grad_cam"),
        ("network-1/one/0?v=00000000", 404, "reload"),
        ("..%2Fmodels/one/0/info", 400, "Model"),
    ],
)
def test_bad_requests_get_one_sentence(server, path, status, message) -> None:
    found, headers, body = get(f"{server}/{path}")
    assert found == status
    assert message in body.decode()
    assert "Traceback" not in body.decode()
    assert headers["Cache-Control"] == "no-store"
