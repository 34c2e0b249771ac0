from __future__ import annotations

import math

import pytest
import torch

from lensing_core.errors import BadInputError
from lensing_core.models.networks import NetworkSpec, attention_rollout, build_network
from lensing_core.models.networks.arc_aware import ArcAwareEncoder, pad_to_tokens
from lensing_core.models.networks.token_geometry import (
    PAIR_FEATURES,
    grid_pair_features,
    grid_positions,
    pair_features,
    token_positions,
)


def close(found: torch.Tensor, expected: torch.Tensor, atol: float = 1e-5) -> None:
    """Fail with the largest difference unless all entries agree."""
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


SMALL = {"dim": 48, "depth": 2, "heads": 3}
TURNS = {
    "90": lambda grid: grid.rot90(1, (0, 1)),
    "180": lambda grid: grid.rot90(2, (0, 1)),
    "270": lambda grid: grid.rot90(3, (0, 1)),
    "left-right": lambda grid: grid.flip(1),
    "up-down": lambda grid: grid.flip(0),
    "diagonal": lambda grid: grid.T,
}


def spread(encoder, seed=0):
    """Give the prior weights, as training would."""
    torch.manual_seed(seed)
    torch.nn.init.normal_(encoder.prior.out.weight)
    torch.nn.init.normal_(encoder.prior.out.bias)
    return encoder


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("size_px", [40, 64, 68])
def test_geometry_and_bias_turn_with_the_token_grid(size_px, turn):
    encoder = spread(ArcAwareEncoder(1, **SMALL))
    tokens = -(-size_px // 8)
    order = TURNS[turn](torch.arange(tokens**2).reshape(tokens, tokens)).flatten()
    features = grid_pair_features(size_px, size_px, 8, torch.device("cpu"))
    close(features[order][:, order], features, 1e-5)
    for bias in encoder.attention_bias(size_px, size_px, torch.device("cpu")):
        assert bias.std() > 0.1
        close(bias[:, order][:, :, order], bias.detach(), 1e-4)


def test_geometry_of_pairs_in_closed_form():
    # A token 16 px right of the center, and one 16 px above it (y grows downwards in an array).
    features = pair_features(torch.tensor([[16.0, 0.0], [0.0, 16.0], [32.0, 0.0], [0.0, 0.0]]))
    found = dict(zip(PAIR_FEATURES, features.permute(2, 0, 1), strict=True))
    close(found["log(1 + r_i)"][:3, 1], torch.log(torch.tensor([3.0, 3.0, 5.0])))
    close(found["log(1 + r_j)"][1, :3], torch.log(torch.tensor([3.0, 3.0, 5.0])))
    assert found["cos of the angle between the radii"][0, :3].tolist() == [1.0, 0.0, 1.0]
    # Seen from the first, the second lies half along the tangent and half inwards.
    assert found["squared tangential part of the separation at i"][0, 1] == pytest.approx(0.5)
    assert found["outward part of the separation at i"][0, 1] == pytest.approx(-math.sqrt(0.5))
    # The third lies straight outwards: nothing tangential, difference 2 over 1 + 2.
    assert found["squared tangential part of the separation at i"][0, 2] == pytest.approx(0)
    assert found["outward part of the separation at i"][0, 2] == pytest.approx(1)
    assert found["r_j - r_i, by 1 + d"][0, 2] == pytest.approx(2 / 3)
    assert found["log(1 + d)"][0, 2] == pytest.approx(math.log(3))
    # At the center and on the diagonal directions do not exist.
    assert found["squared tangential part of the separation at i"][3].abs().max() == 0
    assert found["outward part of the separation at i"].diagonal().abs().max() == 0
    assert features.isfinite().all()


@pytest.mark.parametrize("angle", [0.3, 1.1, 2.7])
def test_geometry_is_free_of_direction(angle):
    torch.manual_seed(0)
    positions = 20 * torch.randn(12, 2)
    c, s = math.cos(angle), math.sin(angle)
    turned = positions @ torch.tensor([[c, s], [-s, c]])
    mirrored = turned * torch.tensor([1.0, -1.0])
    expected = pair_features(positions)
    close(pair_features(turned), expected, 1e-4)
    close(pair_features(mirrored), expected, 1e-4)


@pytest.mark.parametrize("size_px", [64, 65, 68, 70, 71])
def test_tokens_are_where_the_stem_looks(size_px):
    """The centroid of what a token responds to is the position that the prior is told."""
    encoder = ArcAwareEncoder(1, **SMALL).eval()
    for module in encoder.stem:
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.constant_(module.weight, 1.0)
    pixels = torch.zeros(1, 1, size_px, size_px, requires_grad=True)
    positions = token_positions(size_px, 8)
    k = len(positions) // 2
    convolutions = torch.nn.Sequential(*(m for m in encoder.stem if isinstance(m, torch.nn.Conv2d)))
    convolutions(pad_to_tokens(pixels, 8))[0, 0, k, k].backward()
    weight = pixels.grad[0, 0].sum(0)
    axis = torch.arange(size_px) - (size_px - 1) / 2
    centroid = (weight * axis).sum() / weight.sum()
    assert float(centroid) == pytest.approx(float(positions[k]), abs=1e-4)
    assert float(positions.mean()) == (0.5 if size_px % 2 else 0.0)


def test_size_is_about_three_million_parameters():
    encoder = ArcAwareEncoder(5)
    assert 2.8e6 < sum(p.numel() for p in encoder.parameters()) < 3.3e6


def test_ablation_differs_by_the_bias_alone():
    def build(prior):
        torch.manual_seed(4)
        spec = NetworkSpec("arc_aware", 3, 48, options={**SMALL, "prior": prior})
        return build_network(spec).eval()

    with_prior, without = build(True), build(False)
    extra = set(with_prior.state_dict()) - set(without.state_dict())
    assert {name.split(".")[1] for name in extra} == {"prior"}
    assert len(extra) == 4
    for name, value in without.encoder.state_dict().items():
        assert torch.equal(value, with_prior.encoder.state_dict()[name])
    with_prior.lens_head.load_state_dict(without.lens_head.state_dict())
    pixels = torch.randn(2, 3, 48, 48)
    with torch.no_grad():
        close(with_prior(pixels).logit, without(pixels).logit, 1e-6)
        spread(with_prior.encoder)
        assert not torch.allclose(with_prior(pixels).logit, without(pixels).logit, atol=1e-4)


def test_prior_learns():
    network = build_network(NetworkSpec("arc_aware", 1, 48, options=SMALL))
    network(torch.randn(4, 1, 48, 48)).logit.square().sum().backward()
    assert network.encoder.prior.out.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("prior", [True, False])
def test_attention_maps_are_those_of_the_forward_pass(prior):
    torch.manual_seed(0)
    spec = NetworkSpec("arc_aware", 2, 56, options={**SMALL, "prior": prior})
    network = build_network(spec).eval()
    if prior:
        spread(network.encoder)
    pixels = torch.randn(3, 2, 56, 56)
    with torch.no_grad():
        shown = network.forward_with_attention(pixels)
        close(shown.logit, network(pixels).logit, 1e-5)
    assert [layer.shape for layer in shown.layers] == [(3, 3, 49, 49)] * 2
    for layer in shown.layers:
        close(layer.sum(3), torch.ones(3, 3, 49), 1e-5)
    rollout = attention_rollout(shown.layers)
    assert rollout.shape == (3, 49)
    close(rollout.sum(1), torch.ones(3), 1e-5)


def test_rollout_in_closed_form():
    """One layer that looks at token 0 alone: half stays, half moves there."""
    layer = torch.zeros(1, 2, 4, 4)
    layer[..., 0] = 1.0
    close(attention_rollout((layer,))[0], torch.tensor([0.625, *[0.125] * 3]))
    twice = attention_rollout((layer, layer))[0]
    close(twice, torch.tensor([0.8125, *[0.0625] * 3]))


@pytest.mark.parametrize(("stride", "tokens"), [(4, 81), (8, 25), (16, 9)])
def test_strides_and_oblong_images(stride, tokens):
    encoder = ArcAwareEncoder(2, stride=stride, **SMALL).eval()
    layers = []
    assert encoder(torch.randn(1, 2, 36, 36), layers=layers).shape == (1, 48)
    assert layers[0].shape[-1] == tokens
    assert encoder(torch.randn(1, 2, 40, 24)).isfinite().all()
    assert grid_positions(40, 24, 8)[1].tolist() == [0.0, -16.0]


def test_geometry_kept_from_inference_serves_training():
    """Validation runs first, in inference mode; training then needs gradients of the bias."""
    grid_pair_features.cache_clear()
    network = build_network(NetworkSpec("arc_aware", 1, 40, options=SMALL))
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 1, 40, 40))
    network.train()(torch.randn(2, 1, 40, 40)).logit.sum().backward()
    assert network.encoder.prior.out.weight.grad is not None


def test_bad_options_and_too_many_tokens():
    for options, message in (
        ({"dim": 50, "heads": 4}, "multiple"),
        ({"stride": 6}, "stride 6"),
        ({"depth": 0}, "layer"),
    ):
        with pytest.raises(BadInputError, match=message):
            build_network(NetworkSpec("arc_aware", 1, 64, options=options))
    with pytest.raises(BadInputError, match="2500 tokens"):
        build_network(NetworkSpec("arc_aware", 1, 400, options=SMALL))
    network = build_network(NetworkSpec("arc_aware", 1, 64, options=SMALL))
    with pytest.raises(BadInputError, match="2500 tokens"):
        network(torch.zeros(1, 1, 400, 400))
