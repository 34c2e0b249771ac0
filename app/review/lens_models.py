"""``POST /lens-model``: the posterior of a candidate's lens, and the run that samples it.

``GET /lens-models/<candidate>`` has the files of the newest one as a ZIP file.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lens_triage.app import acts
from lens_triage.app.acting import permit, why_not
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.http.pools import EXPORTS, OTHER
from lens_triage.app.review.lens_test import candidate_of
from lens_triage.training.settings import ModelSettings
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.lens_model.places import CORNER, model_folder
from lensing_core.store.candidates import CutoutPlace, cutout_places, no_candidate
from lensing_core.store.lens_models import (
    SAMPLED,
    StoredLensModel,
    newest_lens_model,
    newest_model_run,
)
from lensing_core.store.runs import get_run


class LensModelHandler(GraderHandler):
    """Stored lens model of a candidate, or the start of a run that samples one."""

    async def post(self) -> None:
        """``candidate``: its id; ``start``: mass and redshifts of a run that is to be started."""
        try:
            asked = self.body()
            candidate = candidate_of(asked)
            start = asked.get("start")
            if start is not None:
                settings = _settings(start)
                await OTHER.run(lambda: self._start(candidate, settings))
            found = await OTHER.run(lambda: self._tell(candidate))
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not look for a lens model; its log says why.")
        else:
            self.send({"candidate": candidate, **found})

    def _start(self, candidate: int, settings: Mapping[str, Any]) -> None:
        place = _place(self.context, candidate)
        acts.start_run(
            self.here,
            ModelSettings(
                catalog=place.catalog, objects=[place.object_id], posterior=True, **settings
            ),
        )

    def _tell(self, candidate: int) -> dict[str, Any]:
        place = _place(self.context, candidate)
        with self.context.database.session() as session:
            model = newest_lens_model(session, candidate, place)
            run_id = newest_model_run(session, place.catalog, place.object_id)
            run = None if run_id is None else get_run(session, run_id)
        told: dict[str, Any] = {
            "model": None,
            "run": None,
            "refusal": why_not(self.here, "start_run"),
        }
        if run is not None and (model is None or model.run_id != run.id):
            told["run"] = {
                "id": run.id,
                "status": run.status,
                "active": run.active,
                "activity": run.activity,
                "error": run.error,
            }
        if model is not None:
            told["model"] = {
                "run": model.run_id,
                "at": model.at.isoformat(timespec="minutes"),
                "status": model.status,
                "sentence": model.sentence,
                **model.summary,
            }
            if model.status == SAMPLED:
                told["model"]["corner"] = _picture(_folder(self.context, model) / CORNER)
        return told


class LensModelFilesHandler(GraderHandler):
    """``GET /lens-models/<candidate>``: the files of its newest posterior."""

    async def get(self, candidate: str) -> None:
        """Answer with a ZIP file."""

        def work() -> tuple[str, bytes]:
            permit(self.here, "export_candidates")
            is_number = candidate.isdecimal() and len(candidate) < 19
            key = candidate_of({"candidate": int(candidate) if is_number else None})
            place = _place(self.context, key)
            with self.context.database.session() as session:
                model = newest_lens_model(session, key, place)
            if model is None or model.status != SAMPLED:
                raise NotFoundError(f"{place.object_id} has no lens model.")
            return place.object_id, _packed(_folder(self.context, model), model.summary["files"])

        try:
            name, content = await EXPORTS.run(work)
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not pack the lens model; its log says why.")
            return
        plain = "".join(letter if letter.isalnum() else "_" for letter in name)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="lens-model-{plain}.zip"')
        self.finish(content)


def _place(context: AppContext, candidate: int) -> CutoutPlace:
    found = context.database.ask(cutout_places, [candidate])
    if candidate not in found:
        raise no_candidate(candidate)
    return found[candidate]


def _folder(context: AppContext, model: StoredLensModel) -> Path:
    return model_folder(context.workspace.runs / model.run_id, model.candidate_id)


def _picture(path: Path) -> str | None:
    """A picture as an address of its own; None where the run's files were deleted."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return "data:image/svg+xml;base64," + base64.b64encode(content).decode()


def _packed(folder: Path, names: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            path = folder / name
            if not path.is_file():
                raise NotFoundError(
                    f"The file {name} of this lens model is missing; sample it again."
                )
            packed.write(path, name)
    return out.getvalue()


def _settings(start: Any) -> dict[str, Any]:
    """Settings of a run by what the page sends; the rest is refused in a sentence."""
    if not isinstance(start, dict) or set(start) - {"mass", "z_lens", "z_source"}:
        raise BadInputError("start: give mass, z_lens and z_source.")
    found: dict[str, Any] = {"mass": start.get("mass", "sie")}
    for name in ("z_lens", "z_source"):
        value = start.get(name) or 0
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInputError(f"{name}: give a number.")
        found[name] = float(value)
    return found


def routes(context: AppContext) -> list[tuple[str, type[GraderHandler], dict[str, AppContext]]]:
    """Return URL patterns, handlers and arguments, for the server's list of routes."""
    return [
        (r"/lens-model", LensModelHandler, {"context": context}),
        (r"/lens-models/([^/]*)", LensModelFilesHandler, {"context": context}),
    ]
