"""Priorities against closed forms, and instruments with their sources."""

from __future__ import annotations

import pytest

from lensing_core.errors import BadInputError
from lensing_core.followup.instruments import OWN, find_instrument, read_instruments
from lensing_core.followup.priority import (
    ScienceCriteria,
    ScienceWeights,
    brightness_value,
    radius_value,
    redshift_value,
    science_value,
)
from lensing_core.followup.sites import find_site


def test_science_value_is_a_weighted_mean():
    weights = ScienceWeights(1, 2, 0, 0, 1)
    assert science_value(ScienceCriteria(1.0, 0.5, 0.0, 0.0, 0.0), weights) == pytest.approx(0.5)
    assert science_value(ScienceCriteria(), weights) == 0.5
    assert science_value(ScienceCriteria(), ScienceWeights(0, 0, 0, 0, 0)) == 1.0
    better = science_value(ScienceCriteria(new=1.0), ScienceWeights())
    assert better > science_value(ScienceCriteria(new=0.0), ScienceWeights())
    with pytest.raises(BadInputError, match="Weight new"):
        ScienceWeights(new=-1)


def test_criteria():
    assert [brightness_value(m, 23) for m in (21, 22, 23, 24, 26)] == [1, 1, 0.5, 0, 0]
    assert brightness_value(None, 23) is None
    assert brightness_value(22, None) is None
    assert radius_value(2.0) == 0.5
    assert radius_value(None) is None
    assert [redshift_value(0.5, None), redshift_value(None, 0.5), redshift_value(None, None)] == [
        1.0,
        0.5,
        0.0,
    ]


def test_every_instrument_has_a_source_and_a_site():
    known = read_instruments()
    assert len(known) >= 6
    for instrument in known.values():
        assert instrument.source
        find_site(instrument.site)
    muse = known["muse"]
    assert muse.highest_z() == pytest.approx(930 / 372.8 - 1)
    assert muse.holds(59)
    assert not muse.holds(61)
    assert not known["xshooter"].holds(12)


def test_a_workspace_adds_and_replaces(workspace):
    path = workspace.root / OWN
    path.write_text(
        '[muse]\nname = "MUSE, ours"\nsite = "paranal"\nkind = "ifu"\nfield_arcsec = [60, 60]\n'
        'wavelength_nm = [480, 930]\nlimit_mag = 24\nsource = "our ETC run"\n'
    )
    assert find_instrument("muse", workspace).limit_mag == 24
    assert "fors2" in read_instruments(workspace)
    for entry, sentence in (
        ('name = "x"', "site is missing"),
        ('speed = 3', "speed is unknown"),
        ('name = "x"\nsite = "keck"\nkind = "spade"\nfield_arcsec = [1, 1]\nwavelength_nm = [1, 2]'
         '\nsource = "x"', "kind 'spade'"),
        ('name = "x"\nsite = "keck"\nkind = "ifu"\nfield_arcsec = [1]\nwavelength_nm = [1, 2]'
         '\nsource = "x"', "field_arcsec"),
        ('name = "x"\nsite = "keck"\nkind = "ifu"\nfield_arcsec = [1, 1]\nwavelength_nm = [3, 2]'
         '\nsource = "x"', "give the least"),
    ):  # fmt: skip
        path.write_text(f"[mine]\n{entry}\n")
        with pytest.raises(BadInputError, match=r"\[mine\]"):
            read_instruments(workspace)
        with pytest.raises(BadInputError, match=sentence):
            read_instruments(workspace)
    path.write_text("[mine")
    with pytest.raises(BadInputError, match="no TOML"):
        read_instruments(workspace)
    path.unlink()
    with pytest.raises(BadInputError, match="fors2"):
        find_instrument("sextant", workspace)
