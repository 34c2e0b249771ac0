"""Making of the bundled ensembles: simulated, trained and exported by the program.

    lens-triage make-default FOLDER default-ps1

makes one of them anew. Whoever changes a figure here makes them all again and writes down what
they do (docs/RESULTS.md, assets/ensembles/README.md), better or worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import export_ensemble
from lens_triage.training.settings import RunSettings, SimulateSettings, TrainSettings
from lensing_core.errors import JobError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.run_queue import runs_of_kind
from lensing_core.workspace import Workspace

N_OBJECTS = 30_000
EPOCHS = 22


@dataclass(frozen=True)
class Default:
    """An ensemble that comes with the program.

    Attributes
    ----------
    bands : empty for pictures, which have the survey's three bands for color
    """

    name: str
    survey: str
    size_arcsec: float
    bands: tuple[str, ...] = ()

    @property
    def pixels(self) -> str:
        """Flux, or 8-bit pictures."""
        return "flux" if self.bands else "rendered"


DEFAULTS = {
    default.name: default
    for default in (
        Default("default-ps1", "ps1", 12.0, ("g", "r", "i")),
        Default("default-hsc", "hsc", 10.8, ("g", "r", "i")),
        Default("default-cfhtls-pictures", "cfhtls", 12.0),
    )
}


def default_settings(
    default: Default, *, n_objects: int = N_OBJECTS, epochs: int = EPOCHS, device: str = "auto"
) -> tuple[SimulateSettings, TrainSettings]:
    """The two runs that make an ensemble.

    Lenses reach down to what a person barely sees (S/N 10), and out to groups; non-lenses hold as
    many such groups, and galaxies with stars beside them.
    """
    simulate = SimulateSettings(
        catalog=f"{default.name}-sim",
        survey=default.survey,
        bands=list(default.bands),
        pixels=default.pixels,
        size_arcsec=default.size_arcsec,
        n_objects=n_objects,
        lens_fraction=0.4,
        quasar_fraction=0.1,
        group_fraction=0.15,
        min_arc_snr=10.0,
        min_magnification=2.0,
        noise_correlation_px=0.6,
        seed=11,
        device=device,
    )
    flux = default.pixels == "flux"
    train = TrainSettings(
        ensemble=default.name,
        catalogs=[simulate.catalog],
        fusion="best",
        backbones=["resnet18", "arc_aware"],
        small_stem=True,
        width=0.5,
        epochs=epochs,
        patience=8,
        rounds=250,
        trees_learning_rate=0.08,
        network_batch=128,
        learning_rate=1e-3,
        average_decay=0.995,
        weight_bits="16",
        blur_px=1.0 if flux else 0.0,
        gain=0.05 if flux else 0.0,
        precision="bf16-mixed" if device == "cuda" else "32-true",
        device=device,
        seed=5,
    )
    return simulate, train


def make_default(
    workspace: Workspace, name: str, folder: Path, *, say: Callable[[str], Any], **changes: Any
) -> Path:
    """Make the ensemble ``name`` in a workspace and export it below ``folder``.

    Runs that succeeded before are not repeated; others go on where they stopped.

    Raises
    ------
    NotFoundError
        If there is no such default.
    JobError
        If a run does not succeed.
    """
    if name not in DEFAULTS:
        raise NotFoundError(f"There is no default {name}; there are {', '.join(DEFAULTS)}.")
    for settings in default_settings(DEFAULTS[name], **changes):
        say(f"{settings.title()}: {run_once(workspace, settings):.0f} s")
    return export_ensemble(workspace, name, folder, bundled_for=DEFAULTS[name].survey)


def run_once(workspace: Workspace, settings: RunSettings) -> float:
    """Do a run unless this workspace has done it; seconds that it took.

    Raises
    ------
    JobError
        If it does not succeed.
    """
    with open_database(workspace).session() as session:
        runs = reversed(runs_of_kind(session, settings.kind))
    earlier = next((run for run in runs if run.settings == settings.to_json()), None)
    if earlier is None:
        run_id = jobs.submit(workspace, settings)
    else:
        run_id = earlier.id
        if earlier.status not in ("queued", "running", "succeeded"):
            jobs.resume(workspace, run_id)
    done = jobs.wait(workspace, run_id)
    if done.status != "succeeded" or done.started_at is None or done.finished_at is None:
        raise JobError(f"{done.title}: {done.status}. {done.error or ''}".strip())
    return (done.finished_at - done.started_at).total_seconds()
