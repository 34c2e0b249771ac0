"""Files of a plan as downloads: ``GET /follow-up/<format>?<settings>``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lens_triage.app.acting import acting, hides_blind, name_of, permit
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.pools import EXPORTS
from lens_triage.app.validate.plan_rows import settings_of
from lens_triage.training.followup import PLAN_FORMATS, plan_follow_up, write_plan
from lensing_core.errors import BadInputError
from lensing_core.store.audit import record


class PlanHandler(GraderHandler):
    """The plan is made anew by the words of the address, so that a link is all of it."""

    async def get(self, name: str) -> None:
        """Write the file beside the cache, in a thread, then send it."""
        folder = self.context.workspace.cache / "exports"

        def work(path: Path) -> None:
            if name not in PLAN_FORMATS:
                raise BadInputError(f"Format {name!r}: choose one of {', '.join(PLAN_FORMATS)}.")
            arguments = {
                key: [value.decode("utf-8", "replace") for value in values]
                for key, values in self.request.query_arguments.items()
            }
            permit(self.here, "export_candidates")
            plan = plan_follow_up(
                self.context.workspace,
                settings_of(arguments),
                hides_blind=hides_blind(self.here),
            )
            n = write_plan(self.context.workspace, plan, name, path)
            with acting(self.here, "export_candidates") as (session, person):
                told = f"{n} targets of a plan as {name}"
                record(session, "export", name_of(person), told, self.address)

        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            path = Path(temporary) / "export"
            try:
                await EXPORTS.run(lambda: work(path))
            except Exception as error:  # noqa: BLE001 - logged; the reader gets one sentence
                why = "The file could not be written; the server's log says why."
                return self.refuse_for(error, why)
            chosen = PLAN_FORMATS[name]
            self.set_header("Content-Type", chosen.media_type)
            self.set_header("X-Content-Type-Options", "nosniff")
            self.set_header("Cache-Control", "no-store")
            self.set_header("Content-Disposition", f'attachment; filename="{chosen.file_name}"')
            self.write(path.read_bytes())
        return self.finish()  # type: ignore[return-value]  # a future that Tornado waits for


def routes(context: AppContext) -> list[tuple[str, type[OwnPageHandler], dict[str, AppContext]]]:
    """URL pattern, handler and arguments, for the server's list of routes."""
    return [(r"/follow-up/([a-z0-9]+)", PlanHandler, {"context": context})]
