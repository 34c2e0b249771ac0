"""Actions of pages on a workspace as a whole: each asks the table first, then acts.

Pages call these, and not the functions of the engine: ``tests/attack/test_permissions.py`` says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lens_triage.app.acting import acting, hides_blind, name_of, permit, writable
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.training import labeling, runner
from lens_triage.training.labeling import SessionSettings
from lens_triage.training.settings import RunSettings
from lensing_core.acquisition import promotion
from lensing_core.errors import BadInputError, SignInError
from lensing_core.labeling import close_session, get_session
from lensing_core.store import bulk_moves, managing
from lensing_core.store.api_tokens import add_api_token, get_api_token, revoke_api_token
from lensing_core.store.audit import AuditFilter, fetch_page_of_entries, record
from lensing_core.store.backup import Backup, backup_database
from lensing_core.store.bulk_moves import MoveRule
from lensing_core.store.candidates import get_candidate
from lensing_core.store.confirmations import Evidence, add_confirmation
from lensing_core.store.follow_up import ObservationReport, record_follow_up
from lensing_core.store.graders import get_grader, reset_passphrase, set_active, set_role
from lensing_core.store.identities import untie
from lensing_core.store.invitations import invite, link_of, withdraw
from lensing_core.store.managing import What
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.removals import finish_removals
from lensing_core.store.selections import find_selection, is_worn, mark_used
from lensing_core.store.stages import answer_check as keep_answer
from lensing_core.store.stages import say_prior_model as keep_prior_model

if TYPE_CHECKING:
    from lensing_core.crossmatch.archives import ArchiveFinding
    from lensing_core.store.tables import AuditEntry

_MANAGES: dict[What, str] = {
    "catalog": "manage_catalogs",
    "ensemble": "manage_ensembles",
    "session": "manage_sessions",
}


def start_run(context: AppContext, settings: RunSettings) -> str:
    """Queue a run; returns its id."""
    permit(context, "start_run")
    for path in settings.named_files():
        context.reach.confine(Path(path))
    return runner.submit(context.workspace, settings)


def look_at_files(context: AppContext, *paths: str | Path) -> list[Path]:
    """Return paths of this machine whose files a page may show; nothing is asked of who works here.

    Raises
    ------
    PolicyError
        If the server is reached from elsewhere, and they are outside its roots, or somebody asks
        who may not start a run with them.
    """
    if context.reach.asks:
        permit(context, "start_run")
    return [context.reach.confine(Path(path)) for path in paths]


def cancel_run(context: AppContext, run_id: str) -> None:
    """Ask a run to stop."""
    permit(context, "cancel_run")
    runner.cancel(context.workspace, run_id)


def resume_run(context: AppContext, run_id: str) -> None:
    """Go on with a run."""
    permit(context, "resume_run")
    runner.resume(context.workspace, run_id)


def promote(context: AppContext, ensemble: str) -> dict[str, int]:
    """Make an ensemble the one that is taken first; returns how many candidates moved."""
    with acting(context, "promote") as (session, person):
        moved = promotion.promote(session, ensemble)
        record(session, "promotion", name_of(person), ensemble)
    return moved


def take_back(context: AppContext, ensemble: str) -> None:
    """Undo :func:`promote`."""
    with acting(context, "take_back") as (session, person):
        promotion.take_back(session, ensemble)
        record(session, "promotion", name_of(person), f"{ensemble}: taken back")


def give_name(context: AppContext, what: What, key: str, name: str) -> str:
    """Rename a catalog, an ensemble or a labeling session; returns the name that is shown."""
    with acting(context, _MANAGES[what]) as (session, person):
        return managing.give_name(session, what, key, name, name_of(person))


def archive(context: AppContext, what: What, key: str, *, archived: bool) -> None:
    """Leave one of them out of lists and choices, or bring it back."""
    with acting(context, _MANAGES[what]) as (session, person):
        managing.archive(session, what, key, name_of(person), archived=archived)


def delete(context: AppContext, what: What, key: str) -> list[str]:
    """Delete one of them; returns a sentence for each file of it that could not be removed."""
    with acting(context, _MANAGES[what]) as (session, person):
        managing.delete(session, context.workspace, what, key, name_of(person))
    return finish_removals(context.workspace, writable(context))


def make_session(context: AppContext, settings: SessionSettings) -> str:
    """Make a labeling session; returns its id."""
    person = permit(context, "create_session")
    return labeling.make_session(
        context.workspace,
        settings,
        person.id if person else None,
        hides_blind=hides_blind(context),
    )


def close_or_reopen(context: AppContext, session_id: str, *, reopen: bool) -> None:
    """Close a labeling session, or open it again."""
    with context.database.session() as session:
        made_by = get_session(session, session_id).created_by
    person = permit(context, "close_own_session")
    is_own = person is not None and made_by == person.id
    with acting(context, "close_own_session" if is_own else "close_session") as (session, _):
        close_session(session, session_id, reopen=reopen)


def go_on_with_selection(context: AppContext, selection_id: str) -> None:
    """Keep a selection for longer that is looked at again, where it was not today."""
    with context.database.session() as session:
        found = find_selection(session, selection_id)
    if found is not None and is_worn(found):
        with acting(context, "keep_selection") as (session, _):
            mark_used(session, selection_id)


def move_by_rule(context: AppContext, rule: MoveRule) -> int:
    """Move the candidates that a rule chooses to its stage; returns how many."""
    with acting(context, "move_by_rule") as (session, person):
        return bulk_moves.move_by_rule(session, rule, _id_of(person))


def undo_bulk_move(context: AppContext, move_id: int) -> tuple[int, int]:
    """Take a move by a rule back; returns how many went back, and how many were moved since."""
    with acting(context, "move_by_rule") as (session, person):
        return bulk_moves.undo_bulk_move(session, move_id, _id_of(person))


def answer_check(context: AppContext, candidate_id: int, item: str, state: str, text: str) -> None:
    """Answer a point of a candidate's checklist."""
    with acting(context, "answer_check") as (session, person):
        keep_answer(session, candidate_id, _id_of(person), item, state, text)


def confirm(context: AppContext, candidate_id: int, evidence: Evidence) -> None:
    """Enter a confirmation record."""
    with acting(context, "confirm") as (session, person):
        add_confirmation(session, candidate_id, _id_of(person), evidence)


def say_prior_model(context: AppContext, candidate_id: int, *, exists: bool, text: str) -> None:
    """Answer the point on archives: whether a model of the candidate is known already."""
    with acting(context, "answer_check") as (session, person):
        keep_prior_model(session, candidate_id, _id_of(person), exists=exists, text=text)


def report_observation(context: AppContext, candidate_id: int, report: ObservationReport) -> None:
    """Keep an observation, with the confirmation record or the grade that follows from it."""
    with acting(context, "report_observation", "confirm", "grade") as (session, person):
        record_follow_up(session, candidate_id, _id_of(person), report)


def measure_colors(context: AppContext, candidate_id: int) -> str:
    """Answer the point on colors by what the cutout shows; returns the finding."""
    from lens_triage.training.followup import measure_candidate  # here: slow to import

    permit(context, "answer_check")
    arc = measure_candidate(context.workspace, candidate_id)
    text, state = "No segment of light is bright enough to measure its color.", "open"
    if arc is not None:
        text, state = arc.color_text(), "open" if arc.one_color is None else "done"
    with acting(context, "answer_check") as (session, person):
        keep_answer(session, candidate_id, _id_of(person), "colors", state, text)
    return text


def look_up(context: AppContext, candidate_id: int) -> list[ArchiveFinding]:
    """Ask archives about a candidate's position."""
    from lensing_core.crossmatch import archives  # here: its clients are slow to import

    permit(context, "ask_archives")
    with context.database.session() as session:
        candidate = get_candidate(session, candidate_id)
        ra, dec, name = candidate.ra_deg, candidate.dec_deg, candidate.object_id
    if ra is None or dec is None:
        raise BadInputError(f"{name} has no position to ask archives for.")
    return archives.look_up(context.workspace, ra, dec)


def back_up(context: AppContext) -> Backup:
    """Copy the database into ``backups/``."""
    permit(context, "back_up")
    return backup_database(context.workspace)


def new_passphrase(context: AppContext, grader_id: int) -> str:
    """Guard a name by a new random passphrase, and sign it out everywhere."""
    permit(context, "reset_passphrase")
    made = Passphrase.random()
    made.hashed()  # takes a while, in which nobody else has to wait
    with acting(context, "reset_passphrase") as (session, person):
        owner = get_grader(session, grader_id).name
        record(session, "passphrase", name_of(person), f"of {owner}: a new one")
        return reset_passphrase(session, grader_id, made)


def give_role(context: AppContext, grader_id: int, role: str) -> None:
    """Give somebody another role."""
    with acting(context, "set_role") as (session, person):
        grader = set_role(session, grader_id, role)
        record(session, "role", name_of(person), f"{grader.name}: {grader.role}")


def activate(context: AppContext, grader_id: int, *, active: bool) -> None:
    """Let nobody sign in with a name any more, or again."""
    with acting(context, "set_active") as (session, person):
        grader = set_active(session, grader_id, active=active)
        state = "activated" if active else "deactivated"
        record(session, "name", name_of(person), f"{grader.name}: {state}")


def invite_person(
    context: AppContext, name: str, role: str, days: float, session_id: str | None = None
) -> str:
    """Invite somebody under a name, to a labeling session perhaps; returns the end of the link."""
    with acting(context, "invite") as (session, person):
        token = invite(session, name, role, days, session_id)
        record(session, "invitation", name_of(person), f"{name}: {role}, {days:g} days")
    return link_of(token, session_id)


def withdraw_invitation(context: AppContext, name: str) -> None:
    """End the invitation of a name."""
    with acting(context, "invite") as (session, person):
        withdraw(session, name)
        record(session, "invitation", name_of(person), f"{name}: withdrawn")


def untie_accounts(context: AppContext, grader_id: int) -> int:
    """Take the accounts of other services from a name; returns how many it had."""
    with acting(context, "untie_account") as (session, person):
        grader = get_grader(session, grader_id)
        n = untie(session, grader)
        record(session, "account", name_of(person), f"{grader.name}: {n} untied")
    return n


def read_audit(
    context: AppContext, chosen: AuditFilter, *, after: int | None, limit: int
) -> tuple[list[AuditEntry], int]:
    """Return a page of the audit log, and how many entries pass the filter in all."""
    permit(context, "read_audit")
    return context.database.ask(fetch_page_of_entries, chosen, after=after, limit=limit)


def make_api_token(context: AppContext, label: str, role: str, days: float) -> str:
    """Make an API token of who is signed in; returns its text, which is shown once."""
    with acting(context, "make_own_token") as (session, person):
        made, text = add_api_token(session, _id_of(person), label, role, days)
        told = f"{made.id}: made, {made.role}, {made.label}"
        record(session, "API token", name_of(person), told)
    return text


def revoke_token(context: AppContext, token_id: int) -> None:
    """Let an API token be good for nothing; those of others are an organizer's to revoke."""
    person = permit(context, "revoke_own_token")
    with context.database.session() as session:
        is_own = person is not None and get_api_token(session, token_id).grader_id == person.id
    with acting(context, "revoke_own_token" if is_own else "revoke_token") as (session, person):
        token = revoke_api_token(session, token_id)
        owner = get_grader(session, token.grader_id).name
        told = f"{token.id} of {owner}: revoked, {token.label}"
        record(session, "API token", name_of(person), told)


def _id_of(person: SignedIn | None) -> int:
    """Id of who does what is done under a name; the table lets nobody else here."""
    if person is None:
        raise SignInError("Nobody is signed in: sign in (top right).")
    return person.id
