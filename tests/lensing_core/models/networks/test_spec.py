from __future__ import annotations

import json
import math

import pytest

from lensing_core.errors import BadInputError
from lensing_core.models.networks import MetadataField, NetworkSpec


def test_json_round_trip():
    spec = NetworkSpec(
        "resnet18",
        5,
        64,
        dropout=0.1,
        metadata=(
            MetadataField("psf_fwhm_arcsec", 0.7, 0.1),
            MetadataField("survey", categories=("des", "hsc")),
        ),
        pooling="mil",
        options={"patch_px": 32, "stride_px": 16, "small_stem": True},
    )
    again = NetworkSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.encoder_size_px == 32
    assert again.option("attention_dim") == 128


@pytest.mark.parametrize("name", ["ra", "dec_deg", "ra_deg", "galactic_latitude", "seed"])
def test_positions_and_unknown_fields_are_refused(name):
    with pytest.raises(BadInputError, match=name):
        MetadataField(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"in_bands": 0}, "at least one"),
        ({"dropout": 1.0}, "0 to 0.9"),
        ({"pooling": "max"}, "'mean' or 'mil'"),
        ({"options": {"smal_stem": True}}, "small_stem"),
        ({"options": {"prior": True}}, "prior"),
        ({"options": {"film_at": "head"}}, "film_at"),
        ({"metadata": (MetadataField("redshift"),) * 2}, "once"),
        ({"pooling": "mil", "options": {"patch_px": 32, "stride_px": 40}}, "stride_px"),
        ({"pooling": "mil", "options": {"patch_px": 128}}, "Patches of 128"),
        ({"backbone": "arc_aware", "pooling": "mil"}, "prior"),
    ],
)
def test_contradictions_are_refused(change, message):
    values = {"backbone": "resnet18", "in_bands": 3, "size_px": 64}
    with pytest.raises(BadInputError, match=message):
        NetworkSpec(**{**values, **change})


def test_unknown_key_of_a_stored_spec():
    stored = NetworkSpec("resnet18", 3, 64).to_json()
    with pytest.raises(BadInputError, match="bandz"):
        NetworkSpec.from_json({**stored, "bandz": 3})


def test_statistics_ignore_missing_values():
    column = MetadataField.from_values("depth_mag", [24.0, None, 26.0, math.nan])
    assert (column.mean, column.std) == (25.0, 1.0)
    assert MetadataField.from_values("redshift", [0.5, 0.5]).std == 1.0
    surveys = MetadataField.from_values("survey", ["hsc", "des", None, "hsc", math.nan])
    assert surveys.categories == ("des", "hsc")
    with pytest.raises(BadInputError, match="no row"):
        MetadataField.from_values("richness", [None, math.nan])
