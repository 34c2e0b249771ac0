"""Maps with a known answer: small networks trained to see an arc and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.attention import (
    AttentionMap,
    NoAttentionError,
    member_attention,
    network_attention,
    overlay,
)
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.files import StoredMember
from lensing_core.models.networks import LensNetwork, NetworkSpec, build_network

SIZE = 64
NARROW = {"channels": (16, 16, 32, 32), "stem_width": 8}
CORNERS = [(14, 14), (14, 46), (46, 14), (46, 46)]  # y, x


@pytest.fixture(autouse=True)
def _few_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def scene(at: tuple[float, float] | None, seed: int, size: int = SIZE) -> torch.Tensor:
    """Two bands (1, 2, y, x): noise, red blobs anywhere, and a blue arc at ``at``."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size].astype(float)
    image = rng.normal(0, 0.3, (2, size, size))
    for _ in range(3):
        cy, cx = rng.uniform(8, size - 8, 2)
        image[1] += 3 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 18)
    if at is not None:
        radius = np.hypot(y - at[0] - 5, x - at[1])
        image[0] += 4 * np.exp(-((radius - 5) ** 2) / 2) * (y < at[0] + 4)
    return torch.from_numpy(image[None].astype("f4"))


def centroid(values: np.ndarray) -> np.ndarray:
    """y and x of the center of what is drawn."""
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    return np.array([(y * values).sum(), (x * values).sum()]) / values.sum()


def trained(spec: NetworkSpec, steps: int = 40, rate: float = 2e-3) -> LensNetwork:
    """A small network trained to tell scenes with an arc from those without."""
    torch.manual_seed(0)
    network = build_network(spec).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    rng = np.random.default_rng(1)
    for step in range(steps):
        truth = torch.tensor([1.0, 0.0] * 8)
        batch = torch.cat(
            [
                scene(tuple(rng.uniform(10, SIZE - 14, 2)) if t else None, 1000 + 16 * step + k)
                for k, t in enumerate(truth)
            ]
        )
        loss = nn.functional.binary_cross_entropy_with_logits(network(batch).logit, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


@pytest.fixture(scope="module")
def convolutional() -> LensNetwork:
    return trained(NetworkSpec("resnet10t", 2, SIZE, options={"timm": NARROW}))


@pytest.fixture(scope="module")
def arc_aware() -> LensNetwork:
    options = {"dim": 16, "depth": 1, "heads": 1}
    return trained(NetworkSpec("arc_aware", 2, SIZE, options=options), 50, 5e-3)


@pytest.mark.parametrize("method", ["integrated_gradients", "grad_cam"])
def test_maps_follow_the_arc_and_not_the_background(convolutional, method) -> None:
    def strength(at: tuple[int, int], seed: int) -> np.ndarray:
        return network_attention(convolutional, scene(at, seed), method=method).strength()

    for at in CORNERS:
        strengths = [strength(at, seed) for seed in (1, 2)]
        for shown in strengths:
            assert np.abs(centroid(shown) - at).max() < 9  # cells of 8 px
            assert shown.max() == pytest.approx(1)
        overlap = np.corrcoef(strengths[0].ravel(), strengths[1].ravel())[0, 1]
        assert overlap > 0.8  # another background, nearly the same map
    moved = [strength(at, 1).ravel() for at in CORNERS]
    assert np.corrcoef(moved)[~np.eye(4, dtype=bool)].max() < 0.4


def test_pixels_add_up_to_the_logit_over_an_empty_sky(convolutional) -> None:
    image = scene((14, 46), 1)
    shown = network_attention(convolutional, image)
    assert shown.exact
    with torch.no_grad():
        logit, empty = convolutional(torch.cat([image, torch.zeros_like(image)])).logit.tolist()
    assert shown.logit == pytest.approx(logit, abs=1e-4)
    assert shown.empty == pytest.approx(empty, abs=1e-4)
    # smoothing loses what is spread beyond the edge
    assert shown.values.sum() == pytest.approx(logit - empty, abs=0.1 * abs(logit - empty))
    assert shown.total == pytest.approx(np.maximum(shown.values, 0).sum(), rel=1e-4)


def test_without_an_arc_little_is_drawn(convolutional) -> None:
    shown = network_attention(convolutional, scene(None, 3))
    assert shown.logit < 0
    assert shown.total < network_attention(convolutional, scene((14, 46), 3)).total / 3


def test_cells_of_the_last_layer_add_up_to_the_logit() -> None:
    torch.manual_seed(0)
    network = build_network(NetworkSpec("resnet10t", 2, 192)).eval()  # 6 cells of 32 px
    constant = float(network.lens_head.layers[0].bias.detach())
    shown = network_attention(network, scene((40, 40), 1, 192), method="grad_cam")
    assert shown.cell_px == 32
    assert shown.exact
    # Between cells the map is linear, so that at their centers it has their values.
    centers = 32 * np.arange(6)  # where kernels of odd size put them
    cells = shown.values[np.ix_(centers, centers)]
    assert cells.sum() == pytest.approx(shown.logit - constant, rel=1e-4)
    assert np.maximum(cells, 0).sum() == pytest.approx(shown.total, rel=1e-4)


@pytest.mark.parametrize("backbone", ["resnet10t", "convnext_atto", "efficientnet_b0"])
def test_cells_lie_where_the_network_puts_them(backbone) -> None:
    """The cell that reacts to a change of one place is the one drawn there."""
    torch.manual_seed(0)
    network = build_network(NetworkSpec(backbone, 1, 128)).eval()
    from lensing_core.models.attention import grad_cam as networks

    flat = torch.zeros(1, 1, 128, 128)
    name, (cells, _) = networks._layer(network, network.encoder, flat, None)
    centers = networks._cell_centers(network, network.encoder, name, flat, None)
    assert len(centers) == cells
    layer, seen = network.encoder.get_submodule(name), []
    handle = layer.register_forward_hook(lambda _m, _a, out: seen.append(out.detach()))
    with torch.no_grad():
        network(flat)
        for pixel in (40, 61, 90):
            image = flat.clone()
            image[..., pixel - 1 : pixel + 2, pixel - 1 : pixel + 2] = 5.0
            network(image)
    handle.remove()
    for pixel, features in zip((40, 61, 90), seen[1:], strict=True):
        change = (features - seen[0]).abs().sum(1)[0].numpy()
        change = np.where(change > change.max() / 2, change, 0)
        row = (change.sum(1) * centers).sum() / change.sum()
        assert abs(row - pixel) < 0.75 * (centers[1] - centers[0])


def test_a_member_that_averages_orientations_has_a_map_that_turns_with_the_image(
    convolutional,
) -> None:
    network, image = convolutional, scene((14, 46), 1)
    shown = network_attention(network, image, dihedral_averaging=True)
    mirrored = network_attention(network, image.flip(-1), dihedral_averaging=True)
    swapped = network_attention(network, image.transpose(-1, -2), dihedral_averaging=True)
    np.testing.assert_allclose(mirrored.values, shown.values[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(swapped.values, shown.values.T, atol=1e-5)
    single = network_attention(network, image)
    assert np.abs(single.values - shown.values).max() > np.abs(shown.values).max() / 20


def test_rollout_of_the_arc_aware_transformer_follows_the_arc(arc_aware) -> None:
    for at in CORNERS:
        shown = network_attention(arc_aware, scene(at, 1))
        assert shown.method == "rollout"
        assert shown.cell_px == 8
        assert np.nanmean(shown.values) == pytest.approx(1, abs=0.15)  # shares of an even one
        y, x = (int(v) for v in at)
        near = shown.values[y - 4 : y + 5, x - 4 : x + 5].mean()
        assert near > 1.3 * np.median(shown.values)


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_rollout_of_a_vision_transformer(pool) -> None:
    torch.manual_seed(0)
    options = {"timm": {"patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3,
                        "global_pool": pool, "class_token": pool == "token"}}  # fmt: skip
    network = build_network(NetworkSpec("vit_tiny_patch16_224", 2, 44, options=options)).eval()
    image = scene((20, 20), 1, 44)
    with torch.no_grad():
        plain = network(image)
        shown = network.forward_with_attention(image)
    tokens = 36 + (pool == "token")  # 44 px padded to 48
    assert [tuple(layer.shape) for layer in shown.layers] == [(1, 3, tokens, tokens)] * 2
    torch.testing.assert_close(shown.logit, plain.logit, atol=1e-5, rtol=1e-5)
    found = network_attention(network, image)
    assert found.values.shape == (44, 44)
    assert found.cell_px == 8
    assert np.mean(found.values) == pytest.approx(1, abs=0.1)


def test_mil_draws_the_weights_of_patches() -> None:
    torch.manual_seed(0)
    options = {"patch_px": 16, "stride_px": 8, "small_stem": True}
    network = build_network(NetworkSpec("resnet10t", 2, 64, pooling="mil", options=options)).eval()
    image = scene((14, 46), 1)
    image[..., :24, :] = torch.nan
    shown = network_attention(network, image)
    assert np.isnan(shown.values[:8]).all()  # only patches without data reach there
    assert shown.method == "mil"
    with torch.no_grad():
        weights = network(image).attention[0].numpy()
    assert shown.total == pytest.approx(weights.max() * (weights > 0).sum(), rel=1e-5)
    assert shown.values[-1, -1] == pytest.approx(weights[-1] * (weights > 0).sum(), rel=1e-5)
    with pytest.raises(NoAttentionError, match="no data"):
        network_attention(network, torch.full((1, 2, 64, 64), torch.nan))


def test_a_network_without_cells_has_no_grad_cam() -> None:
    torch.manual_seed(0)
    network = build_network(
        NetworkSpec("swin_tiny_patch4_window7_224", 2, 32, options={"timm": {"window_size": 1}})
    ).eval()
    assert not network.encoder.has_layers
    with pytest.raises(NoAttentionError, match="one cell"):
        network_attention(network, scene((14, 14), 1, 32), method="grad_cam")
    shown = network_attention(network, scene((14, 14), 1, 32))  # needs none
    assert shown.method == "integrated_gradients"
    with pytest.raises(NoAttentionError, match="no map by rollout"):
        network_attention(network, scene((14, 14), 1, 32), method="rollout")


def test_weak_evidence_is_drawn_faint() -> None:
    values = np.zeros((8, 8), dtype=np.float32)
    values[2, 3], values[5, 5] = 0.4, -2.0
    strong = AttentionMap("grad_cam", values * 10, 1, 4.0, 2.0)
    weak = AttentionMap("grad_cam", values, 1, 0.4, -2.0)
    assert strong.strength()[2, 3] == 1
    assert weak.strength()[2, 3] == pytest.approx(0.4)
    assert strong.strength()[5, 5] == 0  # what speaks against a lens is not drawn
    even = AttentionMap("rollout", np.ones((8, 8), dtype=np.float32), 1, 1.0, 0.0)
    assert even.strength().max() == 0
    assert even.end_of_scale() is None
    assert strong.end_of_scale() == pytest.approx(4)
    assert weak.end_of_scale() == pytest.approx(1)  # 0.4 is drawn with a strength of 0.4
    picture = overlay(strong, upside_down=True)
    assert tuple(picture[5, 3, :3]) == (253, 231, 36)  # the bright end of viridis
    assert picture[5, 3, 3] == 255
    assert picture[..., 3].sum() == 255


def test_a_larger_cutout_shows_what_the_member_does_not_see(convolutional) -> None:
    geometry = CutoutGeometry("hsc", ("g", "r"), 80, 0.168, "flux", (25.0, 25.0), (0.7, 0.7))
    contract = InputContract.of(replace(geometry, size_px=SIZE))
    member = DeepMember(contract, convolutional.spec, convolutional, ImageScaling((1.0, 1.0)))
    stored = StoredMember("network-1", member, {})
    cutout = np.zeros((2, 80, 80), dtype=np.float32)
    cutout[:, 8:72, 8:72] = np.sinh(scene((14, 46), 1)[0].numpy())
    found = member_attention(stored, cutout, geometry, "mine")
    direct = network_attention(convolutional, scene((14, 46), 1))
    assert np.isnan(found.values[:8]).all()
    np.testing.assert_allclose(found.values[8:72, 8:72], direct.values, atol=1e-3)
    assert found.strength()[0, 0] == 0
