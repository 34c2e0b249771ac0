"""The part of a run of lens models that models the mass of a cluster."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ModelSettings
from lensing_core.cluster_model import model_cluster, read_cluster, write_models
from lensing_core.disk import whole_folder

FOLDER = "cluster"


def run_cluster(context: JobContext, settings: ModelSettings) -> dict[str, Any]:
    """Model a cluster and write its files, into the run's folder and the one that is asked for.

    Returns
    -------
    dict
        The ``cluster``, the ``folder``, how many ``files``, and of the mass the Einstein radius,
        its error, and the rms of fitted and held-out images, in arcsec; None: not known.
    """
    given = read_cluster(Path(settings.cluster))
    for note in given.notes:
        context.log(note)
    models = model_cluster(given, look=context.progress)
    folder = context.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier attempt
    files = write_models(models, folder)
    if settings.output:
        with whole_folder(Path(settings.output)) as beside:
            shutil.copytree(folder, beside, dirs_exist_ok=True)
    best = models.best
    for name in best.missed:
        context.log(f"The mass makes no image near {name}.", "warning")
    context.progress(1, 1, "Done")
    figures = {
        "theta_e_arcsec": best.theta_e_arcsec,
        "theta_e_error_arcsec": best.theta_e_error,
        "theta_e_spread_arcsec": models.theta_e_spread,
        "rms_arcsec": best.rms_arcsec,
        "rms_held_out_arcsec": best.rms_held_out_arcsec,
    }
    return {
        "cluster": given.name,
        "folder": settings.output or str(folder),
        "files": len(files),
        **{name: None if math.isnan(v) else round(v, 3) for name, v in figures.items()},
    }
