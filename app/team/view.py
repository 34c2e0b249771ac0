"""The team: consensus, agreement, skill, pace and coverage; a grader sees the own metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

import panel as pn

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, is_still_here
from lens_triage.app.team.audit import AuditBoard
from lens_triage.app.team.consensus import (
    METRICS_CSS,
    ConsensusBoard,
)
from lens_triage.app.team.hidden import HiddenBoard
from lens_triage.app.team.inviting import InvitationBoard
from lens_triage.app.team.label_files import LabelFiles
from lens_triage.app.team.loop import LoopBoard
from lens_triage.app.team.people import PeopleBoard
from lens_triage.app.team.rows import (
    COVERAGE_COLUMNS,
    EXPERT_COLUMNS,
    GRADER_COLUMNS,
    MENTION_COLUMNS,
    PAIR_COLUMNS,
    PRESENCE_COLUMNS,
    agreement_text,
    coverage_row,
    disagreement_row,
    grader_row,
    mention_row,
    pair_row,
    presence_row,
)
from lens_triage.app.team.skill import SkillBoard
from lens_triage.app.viewer.stamps import stamps
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.choices import newest_promoted
from lens_triage.app.widgets.live import (
    in_background,
    live,
)
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    columns,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.table import Table
from lensing_core.acquisition import QueueEntry, QueueRequest, choose_queue
from lensing_core.errors import LensTriageError
from lensing_core.labeling.skill import KindSkill, skill_by_kind
from lensing_core.labeling.team import Team, team_metrics
from lensing_core.store.blinding import open_blind_sessions
from lensing_core.store.candidates import object_names
from lensing_core.store.consensus_choice import ConsensusSettings, current_consensus_settings
from lensing_core.store.mentions import notes_for
from lensing_core.store.presence import who_is_at_work
from lensing_core.store.summaries import list_ensembles

_CONTESTED, _MOST_AT_WORK = 10, 60
_ENDED = "You are no longer signed in here, or your role was changed; reload the page."


@dataclass(frozen=True)
class _Found:
    """Contents of the page, read in one go."""

    team: Team
    skills: list[KindSkill]
    contested: list[tuple[QueueEntry, str]]
    ensemble: str
    pictures: dict[int, str]
    blind: bool


class TeamBoard(pn.viewable.Viewer):
    """All parts of the page; ``invite_to`` is the id of a labeling session to invite to."""

    def __init__(self, context: AppContext, grader: SignedIn, invite_to: str = "") -> None:
        self._context = context
        self._grader = grader
        self._ended = False
        organizer = grader.is_organizer
        self.notice = Notice()
        self.graders = Table(
            columns=GRADER_COLUMNS,
            label="Graders",
            empty="Nothing has been graded yet: start a session on the Label page.",
        )
        self.pairs = Table(
            columns=PAIR_COLUMNS, label="Pairs", empty="No two graders share five objects yet."
        )
        self.coverage = Table(
            columns=COVERAGE_COLUMNS, label="Coverage", empty="No catalog has grades yet."
        )
        self.contested = Table(
            columns=EXPERT_COLUMNS,
            label="For experts",
            empty="No object is flagged or has grades that differ.",
        )
        self.mentions = Table(
            columns=MENTION_COLUMNS, label="Notes for you", empty="No note mentions you."
        )
        self.at_work = Table(columns=PRESENCE_COLUMNS, label="At work", empty="No session is open.")
        self._agreement = html(skeleton(1), css=METRICS_CSS)
        self.loop = LoopBoard(context)
        metrics = section(
            "Graders" if organizer else "Your metrics",
            self.graders,
            note="Repeats and gold standards with 95 % intervals; the last column is the "
            "consensus' estimate: lens grades of lenses / no-lens grades of non-lenses.",
        )
        self.skill = SkillBoard()
        mentions = section(
            "Notes for you",
            self.mentions,
            note="Notes in Review that mention you as @ and your name, the newest first.",
        )
        parts = [self.notice, self.loop, metrics, mentions, self.skill]
        self.consensus: ConsensusBoard | None = None
        if organizer:
            self.consensus = ConsensusBoard(context, self.reload)
            self.files = LabelFiles(context, self.reload)
            at_work = section(
                "At work",
                self.at_work,
                note="Graders of open sessions; active: an event within the last five minutes.",
            )
            self.hidden = HiddenBoard(context)
            parts[2:2] = [self.hidden, at_work, self.consensus]
            agreement = section("Agreement", self._agreement, self.pairs)
            contested = section(
                "For experts",
                self.contested,
                note="Candidates that graders flagged or on which they disagree. To have experts "
                "decide them, make a session with the queue For experts (Label) and invite them.",
            )
            even = "minmax(0, 1fr) minmax(0, 1fr)"
            self.people = PeopleBoard(context, grader)
            self.inviting, self.audit = InvitationBoard(context, invite_to), AuditBoard(context)
            parts += [columns(agreement, contested, template=even), self.files, self.people]
            parts += [self.inviting, self.audit]
        parts.append(section("Coverage", self.coverage))
        self._view = stack(*parts)
        super().__init__()
        self._show_presence()
        self.reload()
        live(self.refresh)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Follow the loop, or show nothing more to who is no longer signed in as they were."""
        if self._is_allowed():
            self.loop.refresh()
            self._show_presence()

    def _show_presence(self) -> None:
        notes = self._context.database.ask(notes_for, self._grader.id)
        self.mentions.update([mention_row(one) for one in notes])
        if self._grader.is_organizer:
            found = self._context.database.ask(who_is_at_work)[:_MOST_AT_WORK]
            now = datetime.now(UTC)
            self.at_work.update([presence_row(one, now) for one in found])

    def _is_allowed(self) -> bool:
        if self._ended:
            return False
        self._ended = not is_still_here(self._context, self._grader)
        if self._ended:
            self.notice.say(_ENDED)
            self._view[:] = [self.notice]
        return not self._ended

    def reload(self) -> None:
        """Read everything again, in the background."""
        in_background(self._read, self._show)

    def _read(self) -> _Found | str:
        try:
            chosen = self.consensus.rule() if self.consensus else None
            newest = newest_promoted(self._context.database.ask(list_ensembles))
            with self._context.database.session() as session:
                rule = chosen or current_consensus_settings(session) or ConsensusSettings()
                team = team_metrics(session, rule)
                torn = choose_queue(
                    session, self._context.workspace, QueueRequest("experts", _CONTESTED)
                )
                names = object_names(session, [entry.candidate_id for entry in torn])
                return _Found(
                    team,
                    skill_by_kind(session),
                    [(entry, names[entry.candidate_id]) for entry in torn],
                    newest,
                    stamps(session, names),
                    bool(open_blind_sessions(session)),
                )
        except LensTriageError as error:
            return str(error)

    def _show(self, found: _Found | str) -> None:
        if not self._is_allowed():
            return
        if isinstance(found, str):
            self.notice.say(found)
            return
        organizer = self._grader.is_organizer
        mine = [g for g in found.team.graders if organizer or g.id == self._grader.id]
        kept_back = not organizer and found.blind
        self.graders.update([grader_row(g, hides_consensus=kept_back) for g in mine])
        self.skill.show_skills(found.skills, {g.id: g.name for g in mine})
        self.coverage.update([coverage_row(c) for c in found.team.coverage])
        if self.consensus is None:
            return
        self.pairs.update([pair_row(p) for p in found.team.pairs])
        pictures = found.pictures
        self.contested.update(
            [
                disagreement_row(e, n, found.ensemble, pictures[e.candidate_id])
                for e, n in found.contested
            ]
        )
        fleiss = found.team.fleiss
        self._agreement.object = (
            f"<p>Fleiss' κ on lens, open, no lens: <b>{escape(agreement_text(fleiss))}</b> of "
            f"{fmt.count(fleiss.n)} objects with two grades or more.</p>"
        )
        self.consensus.show_metrics(found.team.aggregated.metrics)
        self.hidden.show_team(found.team)
