"""The job that samples posteriors of candidates' lenses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lens_triage.training.jobs import posterior
from lens_triage.training.jobs.model import run
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import ModelSettings
from lensing_core.errors import BadInputError
from lensing_core.lens_model.sampling import Progress
from lensing_core.store import open_database
from lensing_core.store.candidates import candidates_named, cutout_places
from lensing_core.store.lens_models import newest_lens_model, newest_model_run
from lensing_core.store.lens_tests import latest_lens_tests
from lensing_core.workspace import Workspace

SETTINGS = {"catalog": "rings", "posterior": True, "starts": 1, "effective_samples": 100}


class Sampled:
    """Stands for a posterior, of which the job writes the summary."""

    def __init__(self, settings: Any) -> None:
        self.summary = {
            "quantities": {"theta_e_arcsec": {"p16": 0.9, "p50": 1.0, "p84": 1.2}},
            "diagnostics": {"converged": True, "effective_samples": 100, "calls": 2000},
            "settings": settings.to_json(),
        }


@pytest.fixture
def sampling(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Settings of the samplings that the job began; the second is interrupted at first."""
    begun: list[Any] = []

    def sample_lens(fitted: Any, settings: Any, *, checkpoint: Any, look: Any, **others: Any):
        begun.append(settings)
        if len(begun) == 2:
            checkpoint.write_bytes(b"so far")
            look(Progress(960, 0.7, 0.0, False))
            raise Cancelled
        if len(begun) == 3:
            assert checkpoint.read_bytes() == b"so far"
        return Sampled(settings)

    monkeypatch.setattr(posterior, "sample_lens", sample_lens)
    monkeypatch.setattr(posterior, "write_posterior", lambda *given, **others: ["summary.json"])
    return begun


def test_a_run_goes_on_with_the_lens_that_was_interrupted(
    workspace: Workspace, make_catalog: Callable, make_context: Callable, sampling: list[Any]
) -> None:
    make_catalog("rings", 3, 1)
    settings = ModelSettings(**SETTINGS, objects=["rings-0", "rings-1"], z_lens=0.4, z_source=2.0)
    context = make_context(settings)
    with pytest.raises(Cancelled):
        run(context, settings)
    told = run(context, settings)
    assert (told["sampled"], told["failed"], told["converged"]) == (2, 0, 2)
    assert len(sampling) == 3  # the first lens is not sampled again
    assert (sampling[2].z_lens, sampling[2].z_source) == (0.4, 2.0)
    assert not list(context.folder.rglob("*.hdf5"))
    with open_database(workspace).session() as session:
        keys = [c[0].id for c in candidates_named(session, ["rings-0", "rings-1"]).values()]
        assert set(latest_lens_tests(session, keys)) == set(keys)  # tested on the way
        place = cutout_places(session, keys)[keys[0]]
        model = newest_lens_model(session, keys[0], place)
        assert model.status == "sampled"
        assert model.summary["files"] == ["summary.json"]
        assert newest_model_run(session, "rings", "rings-0") is None  # that was a run of two


def test_a_lens_that_cannot_be_sampled_is_kept_with_its_reason(
    workspace: Workspace, make_catalog: Callable, make_context: Callable, monkeypatch
) -> None:
    make_catalog("rings", 1, 1)

    def refuse(*given: Any, **others: Any) -> None:
        raise BadInputError("The fit of this lens has no errors.")

    monkeypatch.setattr(posterior, "sample_lens", refuse)
    settings = ModelSettings(**SETTINGS, objects=["rings-0"])
    told = run(make_context(settings), settings)
    assert (told["sampled"], told["failed"]) == (0, 1)
    with open_database(workspace).session() as session:
        key = candidates_named(session, ["rings-0"])["rings-0"][0].id
        model = newest_lens_model(session, key, cutout_places(session, [key])[key])
        assert (model.status, model.sentence) == ("failed", "The fit of this lens has no errors.")
        assert newest_model_run(session, "rings", "rings-0") == "test-run"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"quick": False, "posterior": False}, "--posterior"),
        ({"z_lens": 1.0, "z_source": 0.4}, "not behind the lens"),
        ({"begin_with": "lens.json"}, "name one object"),
        ({"objects": ["a"], "begin_with": "/no/lens.json"}, "does not exist"),
    ],
)
def test_settings_that_contradict_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        ModelSettings(**{**SETTINGS, **wrong}).check()
