"""Blocks joined: one schema, one table, and models of the grid alone stay valid."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lensing_core.errors import BadInputError, ContractError
from lensing_core.features import BLOCKS, ClassicFeatures, GridFeatures, metadata_names


def test_columns_are_those_of_the_blocks_in_order(geometry, lens):
    features = ClassicFeatures(geometry, tuple(BLOCKS))
    metadata = {"redshift": [0.1 * k for k in range(8)]}
    table = features(lens, metadata)
    first = 0
    for name in BLOCKS:
        block = BLOCKS[name](geometry)
        part = table[:, first : first + len(block.schema)]
        np.testing.assert_allclose(part, block(lens, metadata), rtol=1e-6)
        first += len(block.schema)
    assert first == len(features.schema) == table.shape[1]
    assert len(set(features.schema.names)) == first
    assert "redshift" in metadata_names(features.names)
    assert metadata_names(("grid", "ridges")) == ()


def test_the_grid_alone_is_what_older_models_hold(geometry):
    alone = ClassicFeatures(geometry)
    assert alone.schema == GridFeatures(geometry).schema
    old = GridFeatures(geometry).schema.to_json()  # without the names of blocks
    assert ClassicFeatures.stored(geometry, old).names == ("grid",)
    # The hash that models of three bands were stored with.
    digest = "b69837fbfc40d248ea05a0eb8339844f040c122fd582dcf2c5c94ccfba11cda2"
    assert alone.schema.sha256 == digest


def test_what_is_stored_comes_back_or_is_refused(geometry):
    features = ClassicFeatures(geometry, ("ridges", "grid"))
    stored = json.loads(json.dumps(features.to_json()))
    assert ClassicFeatures.stored(geometry, stored) == features
    assert features.schema.version == "ridges-1+grid-1"
    with pytest.raises(ContractError, match="Train it again"):
        ClassicFeatures.stored(geometry, {**stored, "blocks": ["grid", "ridges"]})


@pytest.mark.parametrize("names", [(), ("grid", "grid"), ("grid", "texture")])
def test_blocks_that_do_not_exist_or_repeat_are_refused(geometry, names):
    with pytest.raises(BadInputError, match="name some of grid, segments"):
        ClassicFeatures(geometry, names)


def test_monotone_columns_are_found_in_the_joint_table(geometry):
    features = ClassicFeatures(geometry, tuple(BLOCKS))
    of = dict(zip(features.schema.names, features.monotone, strict=True))
    assert of["colour_consistency"] == of["arc_tangential_alignment"] == 1
    assert of["psf_fwhm_arcsec"] == -1
    assert of["patch00_mean_g"] == of["arc_length"] == 0
