"""From a cluster's file to the files of its mass, and published masses read back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from lensing_core.cluster_model import model_cluster, read_cluster, write_models
from lensing_core.cluster_model.curves import einstein_radius
from lensing_core.cluster_model.planes import LensPlane, cosmology_of
from lensing_core.cluster_model.published import deflection_of_kappa
from lensing_core.errors import BadInputError

from .conftest import Known

FIELDS = """name = "Known"
z_lens = 0.4
z_source = 2.0
images = "images.ecsv"
reference_mag = 19.5
starts = 1
pixel_arcsec = 1.0
"""


@pytest.fixture
def folder(tmp_path: Path, known: Known) -> Path:
    """A folder with the tables of the known cluster."""
    ra, dec = known.plane.to_sky([m.x for m in known.members], [m.y for m in known.members])
    Table(
        {"name": [m.name for m in known.members], "ra": ra, "dec": dec,
         "mag": [m.magnitude for m in known.members]}
    ).write(tmp_path / "members.ecsv", format="ascii.ecsv")  # fmt: skip
    rows = [(f, i) for f in known.families[:2] for i in f.images]
    ra, dec = known.plane.to_sky([i.x for _, i in rows], [i.y for _, i in rows])
    table = Table(
        {"family": [f.name for f, _ in rows], "name": [i.name for _, i in rows], "ra": ra,
         "dec": dec, "z": [f.z for f, _ in rows]}
    )  # fmt: skip
    table.meta["z_lens"] = 0.4
    table.meta["model"] = "light_traces_mass"
    table.meta["members"] = "members.ecsv"
    table.write(tmp_path / "images.ecsv", format="ascii.ecsv")
    return tmp_path


def stated(folder: Path, text: str) -> Path:
    path = folder / "cluster.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_hybrid_is_the_mean_of_two_models_with_their_spread(folder: Path, known: Known) -> None:
    held_out = known.families[0].images[1].name
    text = FIELDS + f'members = "members.ecsv"\nmodel = "hybrid"\nhold_out = ["{held_out}"]\n'
    models = model_cluster(read_cluster(stated(folder, text)))
    out = folder / "out"
    files = write_models(models, out)

    assert sorted(files) == sorted(path.name for path in out.iterdir())
    report = json.loads((out / "report.json").read_text())
    first, second = report["models"]
    assert [first["model"], second["model"]] == ["parametric", "light_traces_mass"]
    assert first["weight"] + second["weight"] == pytest.approx(1)
    assert first["rms_held_out_arcsec"] < second["rms_held_out_arcsec"]
    assert first["weight"] > second["weight"]
    truth = einstein_radius(known.lens, models.ratio)
    assert report["theta_e_arcsec"] == pytest.approx(truth, rel=0.05)
    assert 0 < first["theta_e_error_arcsec"] < 2

    maps = {p.stem: fits.getdata(p) for p in out.glob("*.fits")}
    mean = sum(part["weight"] * maps[f"kappa_{part['model']}"] for part in (first, second))
    assert maps["kappa"] == pytest.approx(mean, abs=1e-4)
    apart = np.abs(maps["kappa_parametric"] - maps["kappa_light_traces_mass"])
    expected = apart * math.sqrt(first["weight"] * second["weight"])
    assert maps["kappa_spread"] == pytest.approx(expected, abs=1e-4)
    assert "Einstein radius" in (out / "report.txt").read_text()
    assert (out / "curves.reg").read_text().count("polygon(") >= 2

    # What was written is read again as a published mass, with the same images.
    text = FIELDS + '[published]\ndeflection_x = "out/deflection_x.fits"\n'
    text += 'deflection_y = "out/deflection_y.fits"\n'
    again = model_cluster(
        read_cluster(stated(folder, text.replace("starts", "center = [40, -1.5]\nstarts")))
    )
    assert again.best.theta_e_arcsec == pytest.approx(report["theta_e_arcsec"], rel=0.01)
    assert again.best.kind == "published"


def test_ecsv_with_meta_is_a_cluster(folder: Path, known: Known) -> None:
    given = read_cluster(folder / "images.ecsv")
    assert given.kind == "light_traces_mass"
    assert [f.z for f in given.families] == [f.z for f in known.families[:2]]
    assert given.plane.ra_deg == pytest.approx(40.0)
    assert given.families[0].images[0].x == pytest.approx(known.families[0].images[0].x, abs=1e-3)
    assert given.z_source == pytest.approx(1.95)


def test_lenstool_file(folder: Path, known: Known) -> None:
    """σ_0² is 3/2 v_disp²: θ_E of a round dPIE is 6π (v/c)² s/(s−a) [√(a²+θ²)−a−√(s²+θ²)+s]/θ."""
    (folder / "best.par").write_text(
        "runmode\n\treference 3 40.0 -1.5\n\tend\npotentiel O1\n\tprofil 81\n\tx_centre 3.0\n"
        "\ty_centre 0.0\n\tellipticite 0.0\n\tangle_pos 0.0\n\tcore_radius 4.0\n"
        "\tcut_radius 300.0\n\tv_disp 900.0\n\tz_lens 0.4\n\tend\n"
        "cosmologie\n\tH0 70.0\n\tomegaM 0.3\n\tomegaX 0.7\n\tend\nfini\n",
        encoding="utf-8",
    )
    text = 'z_source = 2.0\npixel_arcsec = 2\n[published]\nlenstool = "best.par"\n'
    models = model_cluster(read_cluster(stated(folder, text)))
    plane = LensPlane(0.4, 40.0, -1.5, cosmology_of({}))
    b = 6 * math.pi * (900 / 299792.458) ** 2 * 206264.806 * 300 / 296 * float(plane.ratio(2.0))
    theta = einstein_radius(models.best.lens, models.ratio, center=(3.0, 0.0))
    pull = (math.hypot(4, theta) - 4 - math.hypot(300, theta) + 300) / theta
    assert theta == pytest.approx(b * pull, rel=2e-3)


def test_glafic_file(folder: Path) -> None:
    (folder / "model.input").write_text(
        "omega 0.3\ngalfile gal.dat\nlens sie 0.4 700.0 0.0 0.0 0.0 0.0 0.0 0.0\n"
        "lens gals 0.4 200.0 0.0 0.0 0.0 0.0 8.0 0.5\nlens pert 0.4 2.0 0.0 0.0 0.0 0.0 0.0 0.05\n",
        encoding="utf-8",
    )
    (folder / "gal.dat").write_text("30.0 0.0 1.0 0.2 40.0\n", encoding="utf-8")
    text = (
        'z_lens = 0.4\ncenter = [40, -1.5]\nz_source = 2.0\n[published]\nglafic = "model.input"\n'
    )
    given = read_cluster(stated(folder, text))
    assert given.published is not None
    sphere = 4 * math.pi * (700 / 299792.458) ** 2 * 206264.806 * float(given.plane.ratio(2.0))
    # A mass sheet of κ enlarges θ_E to θ_E / (1 − κ); the galaxy outside adds nothing to the mean.
    found = einstein_radius(given.published, float(given.plane.ratio(2.0)))
    assert found == pytest.approx(sphere / 0.95, rel=5e-3)
    (folder / "model.input").write_text("lens nfwpot 0.4 1e15 0 0 0 0 5 0\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="'nfwpot' of glafic is not known here"):
        read_cluster(stated(folder, text))


def test_deflection_of_a_convergence_map() -> None:
    """Outside a disk of κ = 1 and radius R the deflection is R²/r."""
    axis = (np.arange(121) - 60) * 0.5
    r = np.hypot(*np.meshgrid(axis, axis))
    ax, ay = deflection_of_kappa((r < 10).astype(float), 0.5)
    assert ax[60, 110] == pytest.approx(100 / 25, rel=0.01)
    assert ay[60, 110] == pytest.approx(0, abs=1e-9)
    assert ay[10, 60] == pytest.approx(-100 / 25, rel=0.01)


def test_members_by_red_sequence(folder: Path) -> None:
    rng = np.random.default_rng(5)
    mag = rng.uniform(18, 23, 300)
    member = np.arange(300) < 80
    color = np.where(member, 1.4 - 0.03 * (mag - 20) + rng.normal(0, 0.04, 300),
                     rng.uniform(0, 2.2, 300))  # fmt: skip
    spread = np.where(member, 0.006, 0.03)
    Table(
        {"ra": 40 + rng.normal(0, 1, 300) * spread, "dec": -1.5 + rng.normal(0, 1, 300) * spread,
         "g": mag + color, "r": mag}
    ).write(folder / "galaxies.csv")  # fmt: skip
    text = FIELDS + 'center = [40, -1.5]\n[red_sequence]\ncatalog = "galaxies.csv"\n'
    given = read_cluster(stated(folder, text + 'blue = "g"\nred = "r"\n'))
    assert given.sequence is not None
    assert given.sequence.slope == pytest.approx(-0.03, abs=0.02)
    assert given.sequence.scatter_mag == pytest.approx(0.04, abs=0.02)
    found = given.sequence.members
    assert found[:80].mean() > 0.9
    assert found[80:].mean() < 0.15
    assert len(given.members) == found.sum()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("z_lens = ", "is no TOML"),
        ("z_lens = 0.4\nredshift = 3\n", "has 'redshift', which is not known"),
        (FIELDS + 'model = "magic"\n', "model 'magic' is not known"),
        (FIELDS.replace("z_lens = 0.4\n", ""), "z_lens is missing"),
        (FIELDS.replace("images.ecsv", "none.ecsv"), "none.ecsv does not exist"),
        (FIELDS.replace("images.ecsv", "../images.ecsv"), "lies outside"),
        (FIELDS + "center = [400, 0]\n", "is no place on the sky"),
        (FIELDS + 'model = "published"\n', r"needs \[published\]"),
        (FIELDS + 'model = "light_traces_mass"\n', "needs members"),
        (FIELDS + "[[halo]]\nmass = 3\n", "halo 1 has 'mass'"),
        (FIELDS + '[[halo]]\nprofile = "king"\n', "profile 'king' is not known"),
        (FIELDS + "[[halo]]\nsigma_km_s = -3\n", "give a number above 0"),
        (FIELDS.replace('images = "images.ecsv"', "") + "[[image]]\nra = 40.0\ndec = -1.5\n",
         "image 1: family is missing"),
        (FIELDS.replace('images = "images.ecsv"', "")
         + '[[image]]\nfamily = 1\nra = "2h40m"\ndec = -1.5\n', "ra is '2h40m'; give degrees"),
        (FIELDS + '[red_sequence]\ncatalog = "members.ecsv"\nblue = "g"\nred = "mag"\n',
         "has no magnitudes g and mag"),
        (FIELDS + '[published]\nkappa = "images.ecsv"\n', "cannot be read as FITS"),
    ],
)  # fmt: skip
def test_bad_files_get_one_sentence(folder: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        model_cluster(read_cluster(stated(folder, text)))
