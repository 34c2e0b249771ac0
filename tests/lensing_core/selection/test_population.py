"""Populations of lenses, purity, and files of selection functions."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from known_responses import GRADER, GRID, MACHINE, draw, response

from lensing_core.errors import BadInputError
from lensing_core.proportions import Proportion
from lensing_core.selection import (
    Completeness,
    Population,
    early_type_lenses,
    expected_found,
    load_selection_function,
    of_chain,
    of_step,
    purity,
    read_population,
    write_ecsv,
    write_fits,
)


@pytest.fixture(scope="module")
def measured():
    return of_step(draw(np.random.default_rng(1), 3000, machine=MACHINE), "machine", GRID)


def test_expected_lenses_are_those_of_the_known_response(measured):
    population = early_type_lenses(1000, min_arc_snr=20)
    expected = expected_found(measured.function, population)
    inside = measured.function.covers(population.theta_e_arcsec, population.arc_snr)
    c = response(MACHINE, population.theta_e_arcsec[inside], population.arc_snr[inside])
    assert expected.total == pytest.approx(1000)
    assert expected.covered == pytest.approx(population.number[inside].sum())
    assert expected.found == pytest.approx(population.number[inside] @ c, rel=0.05)
    assert expected.low < expected.found < expected.high <= expected.covered
    assert expected.missed == pytest.approx(expected.covered - expected.found)
    assert expected.completeness_low < expected.completeness < expected.completeness_high


def test_early_type_lenses_have_the_radii_of_the_literature():
    population = early_type_lenses(1, min_arc_snr=20)
    order = np.argsort(population.theta_e_arcsec)
    cumulative = np.cumsum(population.number[order])
    median = population.theta_e_arcsec[order][np.searchsorted(cumulative, 0.5)]
    assert 0.6 < median < 1.4  # Collett 2015, figure 2: most between half and two arcsec
    bright = population.number[population.arc_snr >= 40].sum()
    assert bright == pytest.approx(2 ** (-2.5 * 0.35), abs=0.02)
    with pytest.raises(BadInputError, match="above 0"):
        early_type_lenses(0)


def test_a_population_of_ones_own_is_a_table(measured, tmp_path):
    path = tmp_path / "mine.csv"
    Table({"theta_e_arcsec": [1.0, 2.0], "arc_snr": [30.0, 60.0], "number": [3.0, 1.0]}).write(path)
    population = read_population(path)
    assert population.total == 4
    expected = expected_found(measured.function, population)
    c = measured.function([1.0, 2.0], [30.0, 60.0]).value
    assert expected.found == pytest.approx(3 * c[0] + c[1])
    Table({"theta_e_arcsec": [1.0]}).write(path, overwrite=True)
    with pytest.raises(BadInputError, match="no column arc_snr"):
        read_population(path)
    Table({"theta_e_arcsec": [1.0], "arc_snr": [-3.0]}).write(path, overwrite=True)
    with pytest.raises(BadInputError, match="not above 0"):
        read_population(path)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_population(tmp_path / "nowhere.csv")
    far = Population(np.array([9.0]), np.array([30.0]), np.array([1.0]), "")
    with pytest.raises(BadInputError, match="where completeness is known"):
        expected_found(measured.function, far)


def test_purity_is_that_of_the_class_prior():
    mean = Completeness(*(np.array(v) for v in (0.7, 0.6, 0.8, 0.05)))
    found = purity(mean, [Proportion(10, 1000), Proportion(20, 100)], 1e-3)
    assert found.value == pytest.approx(1e-3 * 0.7 / (1e-3 * 0.7 + 0.999 * 0.01 * 0.2))
    assert found.low < found.value < found.high
    with pytest.raises(BadInputError, match="every step"):
        purity(mean, [Proportion(0, 0)], 1e-3)
    with pytest.raises(BadInputError, match="between 0 and 1"):
        purity(mean, [Proportion(1, 10)], 1.0)


@pytest.mark.parametrize("kind", ["ecsv", "fits"])
def test_a_file_gives_the_function_back(tmp_path, kind):
    measured = of_chain(
        draw(np.random.default_rng(2), 800, machine=MACHINE, grader=GRADER),
        ["machine", "grader"], GRID, notes={"catalog": "sky"},
    )  # fmt: skip
    path = tmp_path / f"combined.{kind}"
    (write_fits if kind == "fits" else write_ecsv)(measured, path)
    again = load_selection_function(path)
    assert again.notes["catalog"] == "sky"
    for name in ("value", "low", "high"):
        assert getattr(again(1.1, 25), name) == getattr(measured.function(1.1, 25), name)
    if kind == "fits":
        with fits.open(path) as hdus:
            table, covariance = Table(hdus["GRID"].data), hdus["COVARIANCE"].data
            assert hdus["COMPLETENESS"].shape == GRID.shape
    else:
        table = Table.read(path)
        covariance = np.array(table["covariance"])
        assert str(table["theta_e_arcsec"].unit) == "arcsec"
    assert covariance.shape == (25, 25)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(np.array(table["standard_error"]))
    assert table["injected"].sum() == measured.total


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.ecsv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BadInputError, match="no selection function"):
        load_selection_function(path)
    fits.PrimaryHDU().writeto(tmp_path / "other.fits")
    with pytest.raises(BadInputError, match="no selection function"):
        load_selection_function(tmp_path / "other.fits")
