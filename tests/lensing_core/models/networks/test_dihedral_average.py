from __future__ import annotations

import math

import pytest
import torch

from lensing_core.models.networks import (
    MetadataField,
    NetworkSpec,
    build_network,
    dihedral,
    dihedral_average,
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    spec = NetworkSpec("convnext_atto", 2, 40, metadata=(MetadataField("depth_mag", 24.0, 1.0),))
    made = build_network(spec).eval()
    for film in made.conditioning.films.values():
        torch.nn.init.normal_(film.scale_and_shift.weight)
    return made


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(5, 2, 40, 40, generator=generator), torch.tensor(
        [[24.0], [25.0], [math.nan], [23.0], [22.0]]
    )


def test_average_is_the_mean_over_orientations(network, batch):
    images, metadata = batch
    with torch.no_grad():
        averaged = dihedral_average(network, images, metadata)
        codes = torch.arange(8)
        for k in range(5):
            views = dihedral(images[k : k + 1].repeat(8, 1, 1, 1), codes)
            output = network(views, metadata[k : k + 1].repeat(8, 1))
            torch.testing.assert_close(averaged.logit[k], output.logit.mean())
            torch.testing.assert_close(averaged.embedding[k], output.embedding.mean(0))
            assert output.logit.std() > 1e-4


@pytest.mark.parametrize("code", range(1, 8))
def test_average_does_not_depend_on_orientation(network, batch, code):
    images, metadata = batch
    turned = dihedral(images, torch.full((5,), code))
    with torch.no_grad():
        expected = dihedral_average(network, images, metadata)
        found = dihedral_average(network, turned, metadata)
    torch.testing.assert_close(found.logit, expected.logit, atol=1e-5, rtol=0)


@pytest.mark.parametrize("at_once", [1, 11, 40])
def test_parts_give_the_same(network, batch, at_once):
    images, metadata = batch
    with torch.no_grad():
        whole = dihedral_average(network, images, metadata)
        parts = dihedral_average(network, images, metadata, at_once=at_once)
    torch.testing.assert_close(parts.logit, whole.logit, atol=1e-5, rtol=0)
