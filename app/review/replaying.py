"""Replay of a grader's view: a page beside Review's history."""

from __future__ import annotations

from typing import Any

from lens_triage.app.acting import permit
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.pools import EXPORTS
from lens_triage.app.viewer.replay import POLICY, replay, replay_html
from lens_triage.app.viewer.tile_source import TileSource
from lensing_core.errors import PolicyError
from lensing_core.store import Session
from lensing_core.store.presence import blind_sessions_with, sees_blind
from lensing_core.store.replays import SeenEvent, seen_event


def check_may_see(
    session: Session, event: SeenEvent, grader_id: int | None, *, organizes: bool
) -> None:
    """Raise PolicyError where an event would tell a grader of a session that is graded blind."""
    if event.grader_id == grader_id or sees_blind(session, grader_id, organizes=organizes):
        return
    blind = blind_sessions_with(session, event.candidate_id)
    if blind:
        raise PolicyError(
            f"{event.object_id} is graded blind in {', '.join(blind)}: what others saw is shown "
            "when it is closed."
        )


class ReplayHandler(GraderHandler):
    """``GET /replays/<uuid of an event>``: what its grader saw, as a page without scripts."""

    def initialize(  # type: ignore[override]  # Tornado gives what the route names
        self, context: AppContext, source: TileSource
    ) -> None:
        """Keep where cutouts are drawn from."""
        super().initialize(context)
        self.source = source

    async def get(self, uuid: str) -> None:
        """Answer with the page."""

        def work() -> str:
            person = permit(self.here, "export_candidates")
            with self.context.database.session() as session:
                event = seen_event(session, uuid)
                check_may_see(
                    session,
                    event,
                    person.id if person else None,
                    organizes=person is not None and person.is_organizer,
                )
            return replay_html(replay(self.source, event))

        try:
            document = await EXPORTS.run(work)
        except Exception as error:  # noqa: BLE001 - logged; the reader gets one sentence
            why = "The event could not be shown; the server's log says why."
            return self.refuse_for(error, why)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.set_header("Cache-Control", "no-store")
        self.write(document)
        return None


def routes(
    context: AppContext, source: TileSource
) -> list[tuple[str, type[OwnPageHandler], dict[str, Any]]]:
    """URL pattern, handler and arguments, for the server's list of routes."""
    return [(r"/replays/([^/]*)", ReplayHandler, {"context": context, "source": source})]
