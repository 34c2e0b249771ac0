"""The hash that a model is held to: what changes it, and what does not."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.features import FeatureSchema, GridFeatures

SCHEMA = FeatureSchema("grid-1", ("a_g", "b_g", "g-r"), ("sigma", "", "mag"))
GEOMETRY = CutoutGeometry("hsc", ("g", "r"), 32, 0.168, "flux", (27.0,) * 2, (0.7,) * 2)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "grid-2"},
        {"names": ("a_g", "b_r", "g-r")},
        {"names": ("b_g", "a_g", "g-r")},
        {"units": ("sigma", "mag", "mag")},
        {"names": ("a_g", "b_g"), "units": ("sigma", "")},
        {"names": ("a_g, b_g", "g-r"), "units": ("sigma", "mag")},
    ],
)
def test_any_change_changes_the_hash_and_is_refused(change):
    other = replace(SCHEMA, **change)
    assert other.sha256 != SCHEMA.sha256
    with pytest.raises(ContractError, match="Train it again"):
        other.check(SCHEMA.to_json())


def test_the_hash_is_that_of_version_names_and_units():
    text = '["grid-1", ["a_g", "b_g", "g-r"], ["sigma", "", "mag"]]'
    assert SCHEMA.sha256 == hashlib.sha256(text.encode()).hexdigest()
    SCHEMA.check(json.loads(json.dumps(SCHEMA.to_json())))


def test_the_hash_is_the_same_in_other_processes():
    code = (
        "from lensing_core.cutouts import CutoutGeometry as G\n"
        "from lensing_core.features import GridFeatures as F\n"
        "g = G('hsc', ('g', 'r'), 32, 0.168, 'flux', (27.0,) * 2, (0.7,) * 2)\n"
        "print(F(g).schema.sha256)"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert found == [GridFeatures(GEOMETRY).schema.sha256] * 2


def test_refusal_says_what_was_stored_and_what_is_computed():
    with pytest.raises(ContractError) as refused:
        SCHEMA.check({"version": "old-7", "names": ["x"] * 5, "units": [""] * 5, "sha256": "0"})
    message = str(refused.value)
    assert "5 features of version old-7" in message
    assert "computes 3 of version grid-1" in message


def test_bands_make_the_schema_and_size_scale_and_calibration_do_not():
    def schema(**change) -> FeatureSchema:
        return GridFeatures(replace(GEOMETRY, **change)).schema

    plain = schema()
    assert schema(bands=("r", "g")).sha256 != plain.sha256
    assert schema(bands=("g", "i")).sha256 != plain.sha256
    # Rings are in arcsec, patches in fractions of the side: columns mean the same.
    same = schema(size_px=64, pixel_scale_arcsec=0.2, zero_points_mag=(30.0, 25.0))
    assert same.sha256 == plain.sha256


@pytest.mark.parametrize("bands", [("r",), ("g", "r"), ("g", "r", "i", "z", "y")])
def test_columns_count_as_the_bands_say(bands):
    n = len(bands)
    geometry = replace(GEOMETRY, bands=bands, zero_points_mag=(27.0,) * n, psf_fwhm_arcsec=(1,) * n)
    schema = GridFeatures(geometry).schema
    # 9 patches: mean and std by band, edges, contrast; 6 rings: 3 values by band, 2 by pair.
    assert len(schema) == 2 * 9 * n + 2 * 9 + 6 * (3 * n + 2 * (n - 1)) + n + 1
    assert len(set(schema.names)) == len(schema.units) == len(schema)
    assert {u for name, u in zip(schema.names, schema.units, strict=True) if "-" in name} == (
        {"mag"} if n > 1 else set()
    )
