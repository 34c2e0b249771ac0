"""The job that writes the report of a search."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from lens_triage.training.report.writing import ReportRequest, write_report
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ReportSettings
from lensing_core.disk import whole_folder

FOLDER = "report"


def run(context: JobContext, settings: ReportSettings) -> dict[str, Any]:
    """Write the report into ``runs/<run>/report``, and copy it into the folder that is asked for.

    Returns
    -------
    dict
        The ``folder``, numbers of ``files``, ``figures`` and ``candidates``, and sentences on what
        is ``missing``.
    """
    folder = context.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier attempt
    request = ReportRequest(
        settings.catalog,
        settings.ensemble,
        settings.heading,
        settings.authors,
        bool(settings.names),
        int(settings.candidates),
    )
    written = write_report(context.workspace, folder, request, progress=context.progress)
    if settings.output:
        with whole_folder(Path(settings.output)) as beside:
            shutil.copytree(folder, beside, dirs_exist_ok=True)
    for sentence in written["missing"]:
        context.log(sentence, "warning")
    return {"catalog": settings.catalog, "folder": settings.output or str(folder), **written}
