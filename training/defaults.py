"""Making of the bundled ensembles, by the program itself.

    lens-triage make-default FOLDER default-ps1 OUTPUT --data DATA

makes one of them anew: by a search of real sky (:mod:`~lens_triage.training.real_sky`), by training
on clusters of real pixels (:mod:`~lens_triage.training.real_clusters`), or, where there are no real
pixels of a survey, by training on simulations. Whoever changes a figure here makes them all again
and writes down what they do (docs/RESULTS.md, assets/ensembles/README.md), better or worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import export_ensemble
from lens_triage.training.settings import (
    RunSettings,
    SearchSettings,
    SimulateSettings,
    TrainSettings,
)
from lensing_core.errors import BadInputError, JobError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.run_queue import runs_of_kind
from lensing_core.workspace import Workspace

N_OBJECTS = 30_000
EPOCHS = 22
CLUSTER_PAIRS = 300
MakeBy = Literal["search", "clusters", "simulation"]


@dataclass(frozen=True)
class Default:
    """An ensemble that comes with the program.

    Attributes
    ----------
    make_by : {'search', 'clusters', 'simulation'}
    real_pixels : str
        Which real pixels are in it, for its card; '' for none.
    size_arcsec, bands : of a simulation; no bands for pictures, which have the survey's three
    copies : int
        Of each red galaxy of DES that is put on the survey's sky.
    stretch : tuple of str and float
        Of real pictures, and its Q.
    """

    name: str
    survey: str
    make_by: MakeBy
    real_pixels: str = ""
    size_arcsec: float = 0.0
    bands: tuple[str, ...] = ()
    copies: int = 8
    stretch: tuple[str, float] = ("estimated", 20.0)

    @property
    def pixels(self) -> str:
        """Flux, or 8-bit pictures, of a simulation."""
        return "flux" if self.bands else "rendered"


_SOURCES = "lensed galaxies of COSMOS (HST F814W) and of the Hubble deep field"
DEFAULTS = {
    default.name: default
    for default in (
        Default(
            "default-ps1",
            "ps1",
            "search",
            "98 objects and 900 windows of blank sky of Pan-STARRS1 gri; 46 luminous red galaxies "
            f"of DES put on that sky; {_SOURCES}",
        ),
        Default(
            "default-cfhtls-pictures",
            "cfhtls",
            "search",
            "346 color pictures of CFHTLS objects; 46 luminous red galaxies of DES put on the sky "
            f"of two CFHTLS fields; {_SOURCES}",
            stretch=("humvi", 3.5),
        ),
        Default(
            "default-legacy-pictures",
            "decals",
            "search",
            f"1,526 color pictures of objects of the Legacy Surveys (DECaLS); {_SOURCES}",
            stretch=("legacy", 20.0),
        ),
        Default(
            "default-des-clusters",
            "des",
            "clusters",
            "windows of two CFHTLS fields, degraded to DES; 46 luminous red galaxies of DES as "
            f"galaxies of clusters; {_SOURCES}",
        ),
        Default("default-hsc", "hsc", "simulation", "", 10.8, ("g", "r", "i")),
    )
}


def search_settings(default: Default, *, device: str = "auto") -> SearchSettings:
    """The run that makes an ensemble from real sky."""
    return SearchSettings(
        catalog=f"{default.name}-sky",
        ensemble=default.name,
        n_hosts=400,
        stretch=default.stretch[0],
        stretch_q=default.stretch[1],
        seed=7,
        device=device,
    )


def cluster_settings(default: Default, *, device: str = "auto") -> TrainSettings:
    """The run that makes the ensemble of cluster scale, from :func:`write_clusters`."""
    return TrainSettings(
        ensemble=default.name,
        catalogs=[f"{default.name}-made"],
        members=["encoder", "trees"],
        encoder=["efficientnet_lite0"],
        views="1",
        input_px=192,
        layers="middle",
        fusion="mean",
        rounds=200,
        trees_learning_rate=0.06,
        device=device,
        seed=5,
    )


def simulation_settings(
    default: Default, *, n_objects: int = N_OBJECTS, epochs: int = EPOCHS, device: str = "auto"
) -> tuple[SimulateSettings, TrainSettings]:
    """The two runs that make an ensemble from simulations.

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
        preset="thorough",
        epochs=epochs,
        rounds=250,
        trees_learning_rate=0.08,
        weight_bits="16",
        blur_px=1.0 if flux else 0.0,
        gain=0.05 if flux else 0.0,
        precision="bf16-mixed" if device == "cuda" else "32-true",
        device=device,
        seed=5,
    )
    return simulate, train


def make_default(
    workspace: Workspace,
    name: str,
    folder: Path,
    *,
    say: Callable[[str], Any],
    data: Path | None = None,
    n_objects: int = N_OBJECTS,
    epochs: int = EPOCHS,
    device: str = "auto",
) -> Path:
    """Make the ensemble ``name`` in a workspace and export it below ``folder``.

    Runs that succeeded before are not repeated; others go on where they stopped.

    Parameters
    ----------
    data : Path, optional
        Folder of the real pixels, which all but simulations need.

    Raises
    ------
    NotFoundError
        If there is no such default.
    BadInputError
        If it is made of real pixels, and there are none.
    JobError
        If a run does not succeed.
    """
    if name not in DEFAULTS:
        raise NotFoundError(f"There is no default {name}; there are {', '.join(DEFAULTS)}.")
    default = DEFAULTS[name]
    runs: tuple[RunSettings, ...]
    if default.make_by == "simulation":
        runs = simulation_settings(default, n_objects=n_objects, epochs=epochs, device=device)
    elif data is None:
        raise BadInputError(f"{name} is made of real pixels: name their folder by --data.")
    elif default.make_by == "search":
        from lens_triage.training.real_sky import write_sky

        search = search_settings(default, device=device)
        n = write_sky(workspace, search.catalog, default.survey, data, copies=default.copies)
        say(f"{n:,} objects of real sky")
        runs = (search,)
    else:
        from lens_triage.training.real_clusters import write_clusters

        train = cluster_settings(default, device=device)
        write_clusters(workspace, train.catalogs[0], data, pairs=CLUSTER_PAIRS, seed=train.seed)
        runs = (train,)
    for settings in runs:
        say(f"{settings.title()}: {run_once(workspace, settings):.0f} s")
    return export_ensemble(
        workspace,
        name,
        folder,
        bundled_for=default.survey,
        real_pixels=default.real_pixels,
    )


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
