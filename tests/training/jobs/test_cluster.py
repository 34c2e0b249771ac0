"""The run that models the mass of a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lens_triage.training.checks import check_run
from lens_triage.training.jobs.model import run
from lens_triage.training.settings import ModelSettings
from lensing_core.errors import BadInputError
from lensing_core.physics.cosmology import sis_einstein_radius_arcsec
from lensing_core.workspace import Workspace

CLUSTER = """z_lens = 0.4
center = [40.0, -1.5]
z_source = 2.0
pixel_arcsec = 2.0
[published]
glafic = "model.input"
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    """A cluster's file with a published mass."""
    (tmp_path / "model.input").write_text("lens sie 0.4 700.0 0 0 0 0 0 0\n", encoding="utf-8")
    path = tmp_path / "cluster.toml"
    path.write_text(CLUSTER, encoding="utf-8")
    return path


def test_a_run_writes_the_mass_of_a_cluster(
    workspace: Workspace, make_context: Callable, cluster: Path, tmp_path: Path
) -> None:
    settings = ModelSettings(cluster=str(cluster), output=str(tmp_path / "copy"))
    check_run(workspace, settings)
    context = make_context(settings)
    found = run(context, settings)

    assert settings.title() == "Mass model of cluster"
    expected = float(sis_einstein_radius_arcsec(700.0, 0.4, 2.0))
    assert found["theta_e_arcsec"] == pytest.approx(expected, rel=2e-3)
    assert found["rms_arcsec"] is None
    copy, own = tmp_path / "copy", context.folder / "cluster"
    assert {path.name for path in copy.iterdir()} == {path.name for path in own.iterdir()}
    assert json.loads((copy / "report.json").read_text())["model"] == "published"


def test_settings_of_a_cluster(workspace: Workspace, cluster: Path) -> None:
    for settings, sentence in (
        ({"cluster": "none.toml"}, "none.toml does not exist"),
        ({"cluster": str(cluster), "catalog": "survey"}, "takes no candidates"),
        ({"cluster": str(cluster), "output": str(cluster)}, "is there already"),
        ({"output": "somewhere", "catalog": "survey"}, "name its file, too"),
    ):
        with pytest.raises(BadInputError, match=sentence):
            ModelSettings(**settings).check()
    cluster.write_text(CLUSTER.replace("sie", "none").replace("model.input", "no.input"))
    with pytest.raises(BadInputError, match=r"no\.input does not exist"):
        check_run(workspace, ModelSettings(cluster=str(cluster)))
