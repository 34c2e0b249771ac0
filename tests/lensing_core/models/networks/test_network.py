"""What every network must do, whatever its backbone."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.networks import (
    TESTED_BACKBONES,
    LensNetwork,
    MetadataField,
    NetworkSpec,
    build_network,
)


def close(found: torch.Tensor, expected: torch.Tensor, atol: float = 1e-5) -> None:
    """Fail with the largest difference unless all entries agree."""
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


LARGE = {"vit_base_patch16_224", "swin_tiny_patch4_window7_224", "convnext_tiny", "resnet34"}
BACKBONES = [
    pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in TESTED_BACKBONES
]
METADATA = (
    MetadataField("psf_fwhm_arcsec", 0.7, 0.1),
    MetadataField("survey", categories=("des", "hsc")),
)
MIL = NetworkSpec(
    "resnet18", 2, 48, pooling="mil", options={"patch_px": 16, "stride_px": 16, "small_stem": True}
)
ARC = NetworkSpec("arc_aware", 3, 40, options={"dim": 48, "depth": 2, "heads": 3})
ATTO = NetworkSpec("convnext_atto", 3, 32)


@pytest.fixture(autouse=True)
def _few_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(spec: NetworkSpec, seed: int = 0) -> LensNetwork:
    torch.manual_seed(seed)
    return build_network(spec).eval()


def images(spec: NetworkSpec, n: int = 4, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, spec.in_bands, spec.size_px, spec.size_px, generator=generator)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize(("bands", "size_px"), [(1, 64), (5, 70)])
def test_every_backbone_learns_from_any_bands_and_sizes(backbone, bands, size_px):
    spec = NetworkSpec(backbone, bands, size_px, metadata=METADATA, options={"film_at": "stages"})
    network = build(spec).train()
    pixels = images(spec, 3)
    output = network(pixels, torch.tensor([[0.8, 0.0], [math.nan, 1.0], [0.6, math.nan]]))
    assert output.logit.shape == (3,)
    assert output.embedding.shape == (3, network.embedding_dim)
    labels = torch.tensor([0.0, 1.0, 0.0])
    torch.nn.functional.binary_cross_entropy_with_logits(output.logit, labels).backward()
    first = next(p for p in network.encoder.parameters() if p.dim() == 4)
    assert first.shape[1] == bands
    for parameter in (first, *network.lens_head.parameters()):
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().sum() > 0
    # Modulations start at 0; their gradient must not.
    touched = [
        f.scale_and_shift.bias.grad.abs().sum() > 0 for f in network.conditioning.films.values()
    ]
    assert touched
    assert all(touched)


@pytest.mark.parametrize("spec", [ATTO, ARC, MIL], ids=lambda s: f"{s.backbone}-{s.pooling}")
class TestAnyNetwork:
    def test_output_does_not_depend_on_the_batch(self, spec):
        network, pixels = build(spec), images(spec)
        with torch.inference_mode():
            together = network(pixels)
            alone = torch.cat([network(pixels[k : k + 1]).logit for k in range(4)])
        close(together.logit, alone, 1e-4)
        assert together.logit.std() > 1e-4

    def test_same_seed_same_network(self, spec):
        pixels = images(spec)
        first, second, other = (build(spec, s)(pixels).logit for s in (3, 3, 4))
        assert torch.equal(first, second)
        assert not torch.equal(first, other)

    def test_state_round_trip_through_safetensors(self, spec, tmp_path):
        spec = NetworkSpec.from_json({**spec.to_json(), "metadata": [METADATA[0].to_json()]})
        network, pixels = build(spec, 0), images(spec)
        save_file(network.state_dict(), tmp_path / "w.safetensors")
        other = build(spec, 1)
        assert not torch.equal(other(pixels).logit, network(pixels).logit)
        other.load_state_dict(load_file(tmp_path / "w.safetensors"))
        assert torch.equal(other(pixels).logit, network(pixels).logit)

    def test_inference_leaves_the_state_alone(self, spec):
        network = build(spec)
        before = {k: v.clone() for k, v in network.state_dict().items()}
        output = network(images(spec))
        network.mc_logits(output.embedding, 3)
        assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())

    def test_bfloat16_autocast_stays_near_float32(self, spec):
        network, pixels = build(spec), images(spec, 16)
        with torch.inference_mode():
            exact = network(pixels)
            with torch.autocast("cpu", torch.bfloat16):
                rounded = network(pixels)
        assert rounded.logit.dtype == rounded.embedding.dtype == torch.float32
        assert not torch.equal(rounded.logit, exact.logit)
        scale = exact.embedding.abs().max()
        assert (rounded.embedding - exact.embedding).abs().max() < 0.05 * scale

    def test_no_data_counts_as_sky(self, spec):
        network, pixels = build(spec), images(spec)
        pixels[:, :, :3, 5:9] = 0.0
        holes = pixels.clone()
        holes[:, :, :3, 5:9] = math.nan
        assert torch.equal(network(pixels).logit, network(holes).logit)
        assert network(torch.full_like(pixels, math.nan)).logit.isfinite().all()

    def test_embed_and_head_are_forward(self, spec):
        network, pixels = build(spec), images(spec)
        output = network(pixels)
        assert torch.equal(network.embed(pixels), output.embedding)
        assert torch.equal(network.head(output.embedding), output.logit)

    def test_wrong_bands_and_needless_metadata_break_the_contract(self, spec):
        network, pixels = build(spec), images(spec)
        with pytest.raises(ContractError, match="takes"):
            network(torch.cat([pixels, pixels], dim=1))
        with pytest.raises(ContractError, match="takes none"):
            network(pixels, torch.zeros(4, 1))


def test_hidden_layer_of_the_head():
    spec = NetworkSpec("convnext_atto", 3, 32, options={"head_hidden": 7})
    network = build(spec)
    assert [layer.weight.shape for layer in network.lens_head.layers] == [(7, 320), (1, 7)]
    assert network.mc_logits(network.embed(images(spec)), 5).std(0).min() > 0


def test_dropout_sits_in_the_head_alone():
    network = build(ATTO).train()
    pixels = images(ATTO)
    assert torch.equal(network.embed(pixels), network.embed(pixels))
    embedding = network.embed(pixels)
    assert not torch.equal(network.head(embedding), network.head(embedding))


class TestMonteCarloDropout:
    def test_moments_are_those_of_inverted_dropout(self):
        spec = NetworkSpec("convnext_atto", 3, 32, dropout=0.3)
        network = build(spec)
        embedding = network.embed(images(spec))
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            samples = network.mc_logits(embedding, 8000, generator)
            weight = network.lens_head.layers[0].weight
            # Var of sum_k m_k e_k w_k with m_k = Bernoulli(1 - p) / (1 - p).
            variance = (0.3 / 0.7) * (embedding * weight).square().sum(1)
            mean = network.head(embedding)
        assert samples.var(0) == pytest.approx(variance, rel=0.08)
        assert (samples.mean(0) - mean).abs().max() < 5 * (variance.max() / 8000).sqrt()

    def test_samples_follow_the_generator_and_not_the_batch(self):
        network = build(ATTO)
        embedding = network.embed(images(ATTO))
        whole, part = (
            network.mc_logits(rows, 6, torch.Generator().manual_seed(2))
            for rows in (embedding, embedding[1:3])
        )
        assert whole.shape == (6, 4)
        close(whole[:, 1:3], part, 1e-5)
        other = network.mc_logits(embedding, 6, torch.Generator().manual_seed(3))
        assert not torch.equal(whole, other)

    def test_without_dropout_there_is_no_spread(self):
        spec = NetworkSpec("convnext_atto", 3, 32, dropout=0.0)
        network = build(spec)
        assert network.mc_logits(network.embed(images(spec)), 3).std(0).max() == 0


class TestMultipleInstances:
    def test_weights_cover_patches_with_data(self):
        network, pixels = build(MIL), images(MIL)
        pixels[0, :, :16, :32] = math.nan
        pixels[1] = math.nan
        output = network(pixels)
        assert output.attention.shape == (4, 9)
        assert (output.attention[0] == 0).tolist() == [True, True] + [False] * 7
        close(output.attention.sum(1), torch.tensor([1.0, 0.0, 1.0, 1.0]))
        assert (output.embedding[1] == 0).all()
        assert network.forward_with_attention(pixels).attention.equal(output.attention)

    def test_order_of_patches_does_not_matter(self):
        network, pixels = build(MIL), images(MIL)
        tiles = pixels.unflatten(3, (3, 16)).unflatten(2, (3, 16))
        shuffled = tiles[:, :, [2, 0, 1]][:, :, :, :, [1, 2, 0]].flatten(4, 5).flatten(2, 3)
        assert not torch.equal(shuffled, pixels)
        first, second = network(pixels), network(shuffled)
        close(second.embedding, first.embedding, 1e-5)
        weights = first.attention.unflatten(1, (3, 3))[:, [2, 0, 1]][:, :, [1, 2, 0]].flatten(1)
        close(second.attention, weights, 1e-6)

    def test_many_patches_pass_in_parts(self, monkeypatch):
        network, pixels = build(MIL), images(MIL)
        with torch.no_grad():
            whole = network(pixels).embedding
            monkeypatch.setattr("lensing_core.models.networks.network._PATCHES_AT_ONCE", 5)
            close(network(pixels).embedding, whole, 1e-5)

    def test_empty_patches_stay_out_of_batch_statistics(self):
        pixels = images(MIL, 2)
        pixels[:, :, 16:] = math.nan
        network = build(MIL).train()
        network(pixels)
        seen = network.encoder.net.bn1.running_mean
        reference = build(MIL).train()
        reference(pixels[:, :, :16, :].contiguous())
        close(seen, reference.encoder.net.bn1.running_mean, 1e-6)

    def test_arc_aware_patches_need_the_prior_off(self):
        spec = NetworkSpec(
            "arc_aware",
            1,
            48,
            pooling="mil",
            options={
                "prior": False,
                "dim": 24,
                "depth": 1,
                "heads": 2,
                "patch_px": 24,
                "stride_px": 12,
            },
        )
        assert build(spec)(images(spec)).attention.shape == (4, 9)


def test_a_copy_is_independent():
    """Averages of weights are kept in a deep copy: its modulation must be its own."""
    spec = NetworkSpec("resnet18", 3, 32, metadata=METADATA[:1], options={"film_at": "stages"})
    network = build(spec)
    twin = copy.deepcopy(network)
    with torch.no_grad():
        for film in twin.conditioning.films.values():
            film.scale_and_shift.bias.fill_(0.3)
    pixels = images(spec)
    plain = build(NetworkSpec("resnet18", 3, 32))(pixels).logit
    assert torch.equal(network(pixels).logit, plain)
    assert not torch.allclose(twin(pixels).logit, plain)


def test_networks_without_attention_say_so():
    with pytest.raises(BadInputError, match="no attention"):
        build(ATTO).forward_with_attention(images(ATTO))
