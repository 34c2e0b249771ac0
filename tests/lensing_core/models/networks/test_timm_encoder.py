from __future__ import annotations

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file

from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.networks import (
    NetworkSpec,
    PretrainedUnavailableError,
    build_network,
)
from lensing_core.models.networks.timm_encoder import adapt_first_convolution


def close(found: torch.Tensor, expected: torch.Tensor, atol: float = 1e-5) -> None:
    """Fail with the largest difference unless all entries agree."""
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


@pytest.fixture
def weights(tmp_path):
    """Files of weights in the form that timm publishes, by name of the backbone."""

    def make(name):
        torch.manual_seed(11)
        net = timm.create_model(name)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
        save_file(net.state_dict(), tmp_path / f"{name}.safetensors")
        return net.eval(), tmp_path / f"{name}.safetensors"

    return make


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 7])
def test_gray_images_activate_an_adapted_convolution_alike(bands):
    torch.manual_seed(0)
    weight = torch.randn(8, 3, 5, 5)
    gray = torch.randn(2, 1, 16, 16)
    expected = torch.nn.functional.conv2d(gray.repeat(1, 3, 1, 1), weight)
    adapted = adapt_first_convolution(weight, bands)
    assert adapted.shape == (8, bands, 5, 5)
    found = torch.nn.functional.conv2d(gray.repeat(1, bands, 1, 1), adapted)
    close(found, expected, 1e-4)


def test_three_bands_keep_their_weights():
    weight = torch.randn(4, 3, 3, 3)
    assert torch.equal(adapt_first_convolution(weight, 3), weight)
    with pytest.raises(BadInputError, match="RGB"):
        adapt_first_convolution(torch.randn(4, 5, 3, 3), 3)


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "mobilenetv3_small_100"])
@pytest.mark.parametrize("bands", [1, 3, 5])
def test_pretrained_features_of_gray_images_survive_the_bands(name, bands, weights):
    source, path = weights(name)
    network = build_network(NetworkSpec(name, bands, 64), pretrained=True, weights_file=path).eval()
    gray = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        features = source.forward_features(gray.repeat(1, 3, 1, 1))
        expected = source.forward_head(features, pre_logits=True).flatten(1)
        found = network.embed(gray.repeat(1, bands, 1, 1))
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


def test_pretrained_transformer_takes_another_size(weights):
    source, path = weights("vit_small_patch16_224")
    spec = NetworkSpec("vit_small_patch16_224", 4, 64)
    network = build_network(spec, pretrained=True, weights_file=path).eval()
    block = network.encoder.net.blocks[3].mlp.fc1.weight
    assert torch.equal(block, source.blocks[3].mlp.fc1.weight)
    assert network.encoder.net.pos_embed.shape == (1, 17, 384)
    assert network(torch.randn(1, 4, 64, 64)).logit.isfinite().all()


def test_unavailable_weights_are_said_and_nothing_is_built(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(PretrainedUnavailableError, match=r"convnext_atto.*from scratch"):
        build_network(NetworkSpec("convnext_atto", 5, 64), pretrained=True)
    with pytest.raises(PretrainedUnavailableError, match="arc_aware"):
        build_network(NetworkSpec("arc_aware", 5, 64), pretrained=True)


def test_a_backbone_that_nobody_pretrained():
    with pytest.raises(PretrainedUnavailableError, match="botnet50ts_256"):
        build_network(NetworkSpec("botnet50ts_256", 3, 256), pretrained=True)


def test_files_that_are_not_the_weights(weights, tmp_path):
    _, path = weights("convnext_atto")
    with pytest.raises(PretrainedUnavailableError, match=r"has no .* of resnet18"):
        build_network(NetworkSpec("resnet18", 3, 64), weights_file=path)
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    with pytest.raises(PretrainedUnavailableError, match="broken"):
        build_network(NetworkSpec("resnet18", 3, 64), weights_file=tmp_path / "broken.safetensors")
    with pytest.raises(PretrainedUnavailableError, match="absent"):
        build_network(NetworkSpec("resnet18", 3, 64), weights_file=tmp_path / "absent.safetensors")


def test_unknown_backbone_names_near_ones():
    with pytest.raises(BadInputError, match="resnet18"):
        build_network(NetworkSpec("resnet-18", 3, 64))


@pytest.mark.parametrize(
    ("backbone", "size_px", "options"),
    [
        ("maxvit_nano_rw_256", 65, {}),
        ("resnet18", 64, {"timm": {"patch_size": 4}}),
        ("resnet18", 64, {"timm": {"num_classes": 4}}),
        ("convnext_atto", 64, {"small_stem": True}),
    ],
)
def test_what_a_backbone_does_not_take(backbone, size_px, options):
    with pytest.raises(BadInputError, match=backbone):
        build_network(NetworkSpec(backbone, 3, size_px, options=options))


def test_small_stem_doubles_the_resolution():
    pixels = torch.randn(1, 3, 64, 64)
    sizes = {
        small: build_network(NetworkSpec("resnet18", 3, 64, options={"small_stem": small}))
        .encoder.net.forward_features(pixels)
        .shape[-2:]
        for small in (False, True)
    }
    assert sizes == {False: (2, 2), True: (4, 4)}


def test_convolutional_backbones_take_other_sizes_and_transformers_refuse():
    network = build_network(NetworkSpec("convnext_atto", 2, 64)).eval()
    assert network(torch.randn(1, 2, 96, 96)).logit.shape == (1,)
    network = build_network(
        NetworkSpec("vit_small_patch16_224", 2, 40, options={"timm": {"patch_size": 8, "depth": 2}})
    ).eval()
    assert network.encoder.net.pos_embed.shape == (1, 26, 384)
    assert network(torch.randn(1, 2, 40, 40)).logit.shape == (1,)
    with pytest.raises(ContractError, match="40 x 40"):
        network(torch.randn(1, 2, 48, 48))


def test_padding_to_whole_patches_is_centered():
    options = {"timm": {"patch_size": 8, "depth": 1}}
    torch.manual_seed(0)
    odd = build_network(NetworkSpec("vit_small_patch16_224", 1, 36, options=options)).eval()
    torch.manual_seed(0)
    whole = build_network(NetworkSpec("vit_small_patch16_224", 1, 40, options=options)).eval()
    pixels = torch.randn(2, 1, 36, 36)
    padded = torch.nn.functional.pad(pixels, (2, 2, 2, 2))
    assert torch.equal(odd(pixels).logit, whole(padded).logit)
