from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.networks import (
    MetadataField,
    NetworkSpec,
    build_network,
    encode_metadata,
)


def close(found: torch.Tensor, expected: torch.Tensor, atol: float = 1e-5) -> None:
    """Fail with the largest difference unless all entries agree."""
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


FIELDS = (
    MetadataField("psf_fwhm_arcsec", 0.7, 0.1),
    MetadataField("survey", categories=("des", "hsc")),
    MetadataField("redshift", 0.5, 0.2),
)
ARC = {"dim": 24, "depth": 1, "heads": 2}
PLACES = [
    ("convnext_atto", {"film_at": "embedding"}),
    ("resnet18", {"film_at": "stages"}),
    ("vit_small_patch16_224", {"film_at": "stages"}),
    ("arc_aware", {**ARC, "film_at": "stages"}),
    ("arc_aware", {**ARC, "film_at": "embedding"}),
]


def pair(backbone, options):
    """The same seed with and without metadata."""
    plain_options = {k: v for k, v in options.items() if k != "film_at"}
    torch.manual_seed(0)
    plain = build_network(NetworkSpec(backbone, 3, 32, options=plain_options)).eval()
    torch.manual_seed(0)
    spec = NetworkSpec(backbone, 3, 32, metadata=FIELDS, options=options)
    return plain, build_network(spec).eval()


def wake(network, seed=0):
    """Give the modulations weights, as training would."""
    torch.manual_seed(seed)
    for film in network.conditioning.films.values():
        torch.nn.init.normal_(film.scale_and_shift.weight, std=0.3)


@pytest.mark.parametrize(("backbone", "options"), PLACES)
def test_untrained_conditioning_changes_nothing(backbone, options):
    plain, conditioned = pair(backbone, options)
    pixels = torch.randn(2, 3, 32, 32)
    metadata = torch.tensor([[0.9, 1.0, math.nan], [0.5, math.nan, 2.0]])
    with torch.no_grad():
        expected = plain(pixels).logit
        assert torch.equal(conditioned(pixels).logit, expected)
        assert torch.equal(conditioned(pixels, metadata).logit, expected)
        wake(conditioned)
        assert not torch.allclose(conditioned(pixels, metadata).logit, expected)


@pytest.mark.parametrize(("backbone", "options"), PLACES)
def test_each_field_acts_on_its_own_object(backbone, options):
    _, network = pair(backbone, options)
    wake(network)
    pixels = torch.randn(3, 3, 32, 32)
    metadata = torch.tensor([[0.7, 0.0, 0.5]]).repeat(3, 1)
    with torch.no_grad():
        before = network(pixels, metadata).logit
        for column, value in ((0, 0.9), (1, 1.0), (2, 1.1), (0, math.nan), (1, math.nan)):
            changed = metadata.clone()
            changed[1, column] = value
            after = network(pixels, changed).logit
            assert abs(after[1] - before[1]) > 1e-5
            close(after[[0, 2]], before[[0, 2]], 1e-5)


def test_missing_is_not_the_mean_and_none_is_all_missing():
    _, network = pair(*PLACES[0])
    wake(network)
    pixels = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        missing = network(pixels, torch.full((1, 3), math.nan)).logit
        mean = network(pixels, torch.tensor([[0.7, math.nan, 0.5]])).logit
        assert torch.equal(network(pixels).logit, missing)
        assert not torch.allclose(mean, missing)
        unknown = network(pixels, torch.tensor([[math.nan, 2.0, math.inf]])).logit
        assert torch.equal(unknown, missing)


def test_gradients_with_missing_values_are_finite():
    _, network = pair(*PLACES[0])
    wake(network)
    metadata = torch.tensor([[math.nan, math.nan, math.nan], [0.7, 1.0, 0.5]])
    network(torch.randn(2, 3, 32, 32), metadata).logit.sum().backward()
    gradients = [p.grad for p in network.conditioning.parameters()]
    assert all(g is not None and g.isfinite().all() for g in gradients)
    assert network.conditioning.encoder.missing_value.grad.abs().min() > 0


def test_standardized_values_only_matter():
    """Another unit of the same quantity, with its statistics, gives the same network."""
    torch.manual_seed(0)
    small = build_network(
        NetworkSpec("convnext_atto", 1, 32, metadata=(MetadataField("depth_mag", 24.0, 0.5),))
    ).eval()
    wide = build_network(
        NetworkSpec("convnext_atto", 1, 32, metadata=(MetadataField("depth_mag", 240.0, 5.0),))
    ).eval()
    wide.load_state_dict(small.state_dict())
    wake(small)
    wake(wide)
    pixels = torch.randn(2, 1, 32, 32)
    first = small(pixels, torch.tensor([[24.5], [23.0]])).logit
    second = wide(pixels, torch.tensor([[245.0], [230.0]])).logit
    close(first, second, 1e-5)


def test_encoding_a_table():
    encoded = encode_metadata(
        FIELDS, {"survey": ["hsc", "kids", None], "psf_fwhm_arcsec": [0.6, None, math.nan]}
    )
    assert encoded.dtype == np.float32
    expected = [[0.6, 1, math.nan], [math.nan] * 3, [math.nan] * 3]
    np.testing.assert_allclose(encoded, np.float32(expected))
    with pytest.raises(BadInputError, match="rows"):
        encode_metadata(FIELDS, {"redshift": [1.0], "survey": ["hsc", "hsc"]})
    with pytest.raises(BadInputError, match="redshift is not numeric"):
        encode_metadata(FIELDS, {"redshift": ["high"]})


def test_wrong_width_breaks_the_contract():
    _, network = pair(*PLACES[0])
    with pytest.raises(ContractError, match="takes"):
        network(torch.zeros(2, 3, 32, 32), torch.zeros(2, 2))
    with pytest.raises(ContractError, match="takes"):
        network(torch.zeros(2, 3, 32, 32), torch.zeros(1, 3))


def test_patches_follow_the_metadata_of_their_object():
    options = {"film_at": "stages", "patch_px": 16, "stride_px": 16, "small_stem": True}
    spec = NetworkSpec("resnet18", 2, 32, metadata=FIELDS[:1], pooling="mil", options=options)
    torch.manual_seed(0)
    network = build_network(spec).eval()
    wake(network)
    pixels = torch.randn(1, 2, 32, 32).repeat(3, 1, 1, 1)
    pixels[0, :, :16] = math.nan
    metadata = torch.tensor([[0.7], [0.7], [0.9]])
    with torch.no_grad():
        found = network(pixels, metadata)
        for k in range(3):
            alone = network(pixels[k : k + 1], metadata[k : k + 1])
            close(found.embedding[k], alone.embedding[0], 1e-4)
    assert (found.embedding[1] - found.embedding[2]).abs().max() > 1e-3


def test_survey_alone():
    spec = NetworkSpec("convnext_atto", 1, 32, metadata=FIELDS[1:2])
    torch.manual_seed(0)
    network = build_network(spec).eval()
    wake(network)
    pixels = torch.randn(1, 1, 32, 32).repeat(3, 1, 1, 1)
    with torch.no_grad():
        logits = network(pixels, torch.tensor([[0.0], [1.0], [math.nan]])).logit
    assert (logits[:, None] - logits + torch.eye(3)).abs().min() > 1e-5
