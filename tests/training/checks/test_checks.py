"""Runs that cannot succeed: refused for the same reason by every way in, before anything starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from retraining_data import make_base, make_survey
from sqlalchemy import func, select, update
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.app.context import AppContext
from lens_triage.app.runs.form import RunForm
from lens_triage.training import runner as jobs
from lens_triage.training.bundled import import_bundled
from lens_triage.training.checks import check_run, refusal
from lens_triage.training.jobs.ingest import plan_import, preview, spec_of
from lens_triage.training.settings import (
    CrossmatchSettings,
    FinetuneSettings,
    IngestSettings,
    InjectSettings,
    RetrainSettings,
    RunSettings,
    ScoreSettings,
    SimulateSettings,
    TrainSettings,
)
from lensing_core.cutouts import CutoutGeometry
from lensing_core.disk import SPARE_BYTES
from lensing_core.errors import LensTriageError, StorageError
from lensing_core.ingest.catalog_writer import (
    ROW_BYTES,
    CatalogSpec,
    CatalogWriter,
    NewCandidate,
    require_space_for,
)
from lensing_core.ingest.importing import import_catalog
from lensing_core.store import open_database
from lensing_core.store.tables import Catalog, Ensemble, Run
from lensing_core.workspace import Workspace


def write_catalog(workspace: Workspace, name: str, labels: list[int | None], **changes) -> None:
    """A catalog of noise; ``changes`` are of its geometry or its specification."""
    shape = {
        "bands": ("g", "r", "i"), "size_px": 72, "pixel_scale_arcsec": 0.168, "pixel_kind": "flux",
    }  # fmt: skip
    shape |= {key: changes.pop(key) for key in list(changes) if key in shape}
    n = len(shape["bands"])
    zero_points = changes.pop("zero_points_mag", (27.0,) * n)
    geometry = CutoutGeometry(
        "hsc",
        shape["bands"],
        shape["size_px"],
        shape["pixel_scale_arcsec"],
        shape["pixel_kind"],
        zero_points,
        (0.7,) * n,
    )
    position = changes.pop("position", True)
    rows = [
        NewCandidate(
            f"{name}-{k}",
            float(7 * k % 360) if position else None,
            float(k % 50) if position else None,
            label=label,
        )
        for k, label in enumerate(labels)
    ]
    writer = CatalogWriter(workspace, CatalogSpec(name, geometry, {}, **changes))
    flux = np.random.default_rng(0).normal(size=(len(rows), n, shape["size_px"], shape["size_px"]))
    writer.append(flux.astype("f4"), rows, rows_read=len(rows))
    writer.finish()


def score_hsc(catalog: str = "survey") -> ScoreSettings:
    return ScoreSettings(ensemble="default-hsc", catalog=catalog)


LABELED: list[int | None] = [1, 0] * 80


def wrong_bands(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], bands=("g", "r"))
    return score_hsc()


def small_field(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], size_px=40)
    return score_hsc()


def wide_field(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], size_px=384)
    return score_hsc()


def coarse_pixels(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], pixel_scale_arcsec=0.262)
    return score_hsc()


def cluster_scale(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], scale="cluster")
    return score_hsc()


def no_zero_point(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], zero_points_mag=(27.0, float("nan"), 27.0))
    return score_hsc()


def second_of_two(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None])
    write_catalog(workspace, "other", [None], bands=("g", "r"))
    return ScoreSettings(ensemble="default-hsc", catalog="survey", additional_catalogs=["other"])


def nobody_has_positions(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None], position=False)
    return CrossmatchSettings(catalog="survey")


def positives_only(workspace: Workspace) -> RunSettings:
    write_catalog(
        workspace, "lenses", [1] * 40, label_source="obs:lenses", label_policy="positives_only"
    )
    return TrainSettings(ensemble="mine", catalogs=["lenses"])


def few_labels(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "few", [1, 0, 0], label_source="obs:few")
    return TrainSettings(ensemble="mine", catalogs=["few"])


def two_scales(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "a", LABELED, label_source="obs:a")
    write_catalog(workspace, "b", LABELED, label_source="obs:b", scale="cluster")
    return TrainSettings(ensemble="mine", catalogs=["a", "b"])


def name_taken(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "a", LABELED, label_source="obs:a")
    return TrainSettings(ensemble="default-hsc", catalogs=["a"])


def unknown_backbone(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "a", LABELED, label_source="obs:a")
    return TrainSettings(ensemble="mine", catalogs=["a"], backbones=["resnot18"])


def pretrain_on_few(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "a", LABELED, label_source="obs:a")
    write_catalog(workspace, "b", [None] * 3)
    return TrainSettings(ensemble="mine", catalogs=["a"], pretrain_catalogs=["b"])


def not_scored(workspace: Workspace) -> RunSettings:
    make_survey(workspace, make_base(workspace), outputs=False, n=50, lenses=3, others=3)
    return RetrainSettings(base="first", ensemble="mine", catalog="survey", heads=["trees"])


def few_lenses(workspace: Workspace) -> RunSettings:
    make_survey(workspace, make_base(workspace), n=300, lenses=3, others=20)
    return RetrainSettings(base="first", ensemble="mine", catalog="survey")


def no_network(workspace: Workspace) -> RunSettings:
    make_survey(workspace, make_base(workspace), n=300)
    return FinetuneSettings(base="first", ensemble="mine", catalog="survey")


def paint_on_lenses(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "lenses", [1, 1], label_source="obs:lenses")
    return InjectSettings(source="lenses", catalog="painted")


def other_simulation(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "simulated", [1, 0], label_source="sim:simulated")
    return SimulateSettings(catalog="simulated")


def unreadable_table(workspace: Workspace) -> RunSettings:
    table = workspace.root.parent / "table.csv"
    table.write_text("id,ra,dec\na,10,91\n")
    return IngestSettings(catalog="mine", table=str(table))


CASES: dict[str, tuple[Callable[[Workspace], RunSettings], str]] = {
    "bands": (wrong_bands, "bands i are missing"),
    "field of view": (small_field, "cutouts have 40 px, fewer than"),
    "a cluster's field of view": (
        wide_field,
        "cutouts of catalog survey show 65″: it would see no",
    ),
    "pixel scale": (coarse_pixels, "pixels are 0.262″, not"),
    "scale of lenses": (cluster_scale, "trained on galaxy-scale lenses, and catalog survey is of"),
    "zero points": (no_zero_point, "Bands r have no zero point"),
    "the second catalog": (second_of_two, "Catalog other does not fit the model"),
    "positions": (nobody_has_positions, "No candidate of survey has a position"),
    "known lenses alone": (positives_only, "lenses"),
    "too few to split": (few_labels, "split would have"),
    "two scales": (two_scales, "Train on catalogs of one scale of lenses"),
    "a name that is taken": (name_taken, "exists and is never changed"),
    "an unknown network": (unknown_backbone, "timm knows no network resnot18"),
    "too few to pretrain": (pretrain_on_few, "pretrain_catalogs hold 3 cutouts"),
    "not scored": (not_scored, "score it with first first"),
    "too few lenses": (few_lenses, "Label more lenses"),
    "no network": (no_network, "has no network to train further"),
    "nothing to paint on": (paint_on_lenses, "no galaxy to paint on"),
    "other settings": (other_simulation, "exists with other settings"),
    "red preview": (unreadable_table, "."),
}


def options(settings: RunSettings) -> list[str]:
    """The command line that gives these settings."""
    given: list[str] = []
    defaults = type(settings)().to_json()
    for name, value in settings.to_json().items():
        if value != defaults[name]:
            for one in value if isinstance(value, list) else [value]:
                given += [f"--{name.replace('_', '-')}", str(one)]
    return given


def to_simulate(workspace: Workspace) -> RunSettings:
    return SimulateSettings(catalog="simulated", n_objects=1000, bands=["g", "r"])


def to_import(workspace: Workspace) -> RunSettings:
    folder = workspace.root.parent / "images"
    folder.mkdir()
    for k in range(3):
        header = fits.Header({"FILTER": "r", "MAGZERO": 27.0, "PIXSCALE": 0.168})
        image = np.random.default_rng(k).normal(size=(40, 40)).astype("f4")
        fits.writeto(folder / f"{k}.fits", image, header)
    return IngestSettings(
        catalog="mine", images=str(folder), survey="hsc", pixel_scale_arcsec=0.168, bands=["r"]
    )


def to_score(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None])
    return score_hsc()


def to_paint(workspace: Workspace) -> RunSettings:
    write_catalog(workspace, "survey", [None])
    return InjectSettings(source="survey", catalog="painted")


@pytest.mark.parametrize("make", [to_simulate, to_import, to_score, to_paint])
def test_every_way_in_asks_for_room_on_the_disk(make, workspace: Workspace, monkeypatch) -> None:
    import_bundled(workspace)
    settings = make(workspace)
    assert refusal(workspace, settings) == ""
    before = sorted(path for path in workspace.root.rglob("*") if path.is_file())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=SPARE_BYTES))
    sentence = refusal(workspace, settings)
    assert f"on the disk of {workspace.root}, where 33.6 MB are free" in sentence
    with pytest.raises(StorageError, match="free some space there"):
        jobs.submit(workspace, settings)
    assert sorted(path for path in workspace.root.rglob("*") if path.is_file()) == before
    if isinstance(settings, IngestSettings):
        assert preview(settings, workspace).error == sentence
        plan = plan_import(settings, workspace)
        with pytest.raises(StorageError, match="Catalog mine"):
            import_catalog(workspace, plan, spec_of(settings, plan))
        with open_database(workspace).session() as session:
            assert session.scalars(select(Catalog.name)).all() == []


def test_rows_that_are_written_need_no_room_again(workspace: Workspace, monkeypatch) -> None:
    asked: list[int] = []
    usage = SimpleNamespace(free=1 << 50)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(
        "lensing_core.ingest.catalog_writer.require_space",
        lambda folder, needed, what: asked.append(needed),
    )
    write_catalog(workspace, "survey", [None] * 3)
    require_space_for(workspace, "survey", 10, 1000)
    require_space_for(workspace, "survey", 3, 1000)
    require_space_for(workspace, "other", 10, 1000, scratch=7)
    assert asked == [7 * (1000 + ROW_BYTES), 10 * (1000 + ROW_BYTES) + 7]


@pytest.mark.parametrize("case", CASES)
def test_every_way_in_refuses_for_the_same_reason(case: str, workspace: Workspace) -> None:
    import_bundled(workspace)
    make, reason = CASES[case]
    settings = make(workspace)
    with pytest.raises(LensTriageError) as refused:
        check_run(workspace, settings)
    sentence = str(refused.value)
    assert reason in sentence
    assert sentence.endswith(".")
    assert refusal(workspace, settings) == sentence

    with pytest.raises(LensTriageError) as submitted:
        jobs.submit(workspace, settings)
    assert str(submitted.value) == sentence

    typed = CliRunner().invoke(cli, [settings.kind, str(workspace.root), *options(settings)])
    assert str(typed.exception) == sentence

    form = RunForm(
        AppContext.of(workspace), type(settings), title="t", button="b", values=settings.to_json
    )
    form.refresh()
    assert form.start_button.disabled
    assert form.refused.message == sentence
    with open_database(workspace).session() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 0


def test_runs_that_can_succeed_are_not_refused(workspace: Workspace) -> None:
    import_bundled(workspace)
    write_catalog(workspace, "survey", [None] * 3)
    write_catalog(workspace, "labeled", LABELED, label_source="obs:a")
    for settings in (
        score_hsc(),
        TrainSettings(ensemble="mine", catalogs=["labeled"]),
        CrossmatchSettings(catalog="survey"),
        InjectSettings(source="survey", catalog="painted"),
        SimulateSettings(catalog="simulated"),
    ):
        assert refusal(workspace, settings) == ""


def test_labels_that_suffice_may_retrain_and_nothing_is_reserved_by_asking(
    workspace: Workspace,
) -> None:
    make_survey(workspace, make_base(workspace))
    settings = RetrainSettings(base="first", ensemble="mine", catalog="survey")
    assert refusal(workspace, settings) == ""
    assert not list(Path(workspace.held_out).glob("**/*.npz"))


def test_what_a_run_has_made_itself_is_no_obstacle_to_it(workspace: Workspace) -> None:
    make_survey(workspace, make_base(workspace))
    with open_database(workspace).session() as session:
        session.add(Run(id="r", kind="retrain", title="t", settings={}, status="lost"))
        session.flush()
        session.execute(update(Ensemble).where(Ensemble.name == "first").values(run_id="r"))
    settings = RetrainSettings(base="first", ensemble="first", catalog="survey")
    assert "never changed" in refusal(workspace, settings)
    assert refusal(workspace, settings, run_id="r") == ""


def test_a_chained_run_is_asked_when_its_turn_comes(workspace: Workspace) -> None:
    import_bundled(workspace)
    write_catalog(workspace, "survey", [None])
    first = jobs.submit(workspace, CrossmatchSettings(catalog="survey", references=["duplicates"]))
    second = jobs.submit(workspace, score_hsc("never-made"), after=first)
    run = jobs.wait(workspace, second, poll_s=0.05)
    assert (run.status, run.error) == ("failed", "There is no catalog never-made.")
