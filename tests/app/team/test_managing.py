"""Team's parts for organizers: invitations, people and the audit log; Settings' API tokens."""

from __future__ import annotations

from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.settings.tokens import TokenBoard
from lens_triage.app.team.audit import AuditBoard
from lens_triage.app.team.inviting import InvitationBoard
from lens_triage.app.team.people import PeopleBoard
from lensing_core.store import open_database
from lensing_core.store.audit import record
from lensing_core.store.identities import note_use, tie
from lensing_core.store.invitations import accept
from lensing_core.store.passphrases import Passphrase


def texts(rows, name):
    return [row[name] if isinstance(row[name], str) else row[name]["text"] for row in rows]


def test_an_organizer_invites_and_sees_who_came(workspace):
    context, ana = signed_in_as(AppContext.of(workspace), "Ana", "organizer")
    board = InvitationBoard(context)
    board.name_of.value, board.role.value = "  Rea  Vogt ", "reader"
    board.invite.press()
    assert board.shown.text.startswith("join#")
    assert texts(board.table.rows, "name") == ["Rea Vogt"]
    assert len(InvitationBoard(context).shown.text) == 0  # it was shown once
    with open_database(workspace).session() as session:
        rea = accept(session, board.shown.text.removeprefix("join#"), Passphrase("tall giraffes"))
        tied = tie(session, rea, "https://github.com", "583231", is_invited=True)
        note_use(session, tied, "rea@example.org")
    people = PeopleBoard(context, ana)
    rows = {row["name"]["text"]: row for row in people.table.rows}
    assert rows["Rea Vogt"]["role"]["text"] == "reader"
    assert rows["Rea Vogt"]["by"]["title"] == "rea@example.org"
    assert rows["Rea Vogt"]["seen"]["text"] == "never"
    assert rows["Ana"]["seen"]["text"] != "never"
    names = [each["name"] for each in rows["Rea Vogt"]["act"]["actions"]]
    assert names == ["reset", "grader", "organizer", "untie", "deactivate"]


def test_the_audit_log_is_read_by_kind_and_words_page_by_page(workspace):
    context, _ = signed_in_as(AppContext.of(workspace), "Ana", "organizer")
    with open_database(workspace).session() as session:
        for n in range(20):
            record(session, "export", "Bo", f"{n} candidates as csv", "192.0.2.7")
        record(session, "wrong passphrase", "", "for Ana", "198.51.100.4")
    board = AuditBoard(context)
    assert len(board.table.rows) == 15
    assert board.table.rows[0]["kind"]["chip"] == "warning"
    board.pager.next.press()
    assert len(board.table.rows) == 6
    board.kind.value = "wrong passphrase"
    assert texts(board.table.rows, "details") == ["for Ana"]
    board.kind.value, board.words.value = "", "7 CANDIDATES"
    assert texts(board.table.rows, "details") == ["17 candidates as csv", "7 candidates as csv"]
    board.words.value = "%"
    assert board.table.rows == []


def test_tokens_are_ones_own_and_an_organizer_sees_all(workspace):
    context = AppContext.of(workspace)
    bo, _ = signed_in_as(context, "Bo", "grader")
    mine = TokenBoard(bo)
    assert mine.role.options == ["reader", "grader"]
    mine.label.value = "a script"
    mine.make.press()
    assert mine.shown.text.startswith("lt.")
    assert texts(mine.table.rows, "state") == ["good"]
    cleo, _ = signed_in_as(context, "Cleo", "reader")
    assert TokenBoard(cleo).table.rows == []
    ana, _ = signed_in_as(context, "Ana", "organizer")
    every = TokenBoard(ana)
    assert texts(every.table.rows, "owner") == ["Bo"]
    every.table._handle_msg({"action": "revoke", "key": "1"})
    assert texts(every.table.rows, "state") == ["revoked"]
