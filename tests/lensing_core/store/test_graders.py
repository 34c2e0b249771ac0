from __future__ import annotations

import stat
import threading

import pytest

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store import open_database
from lensing_core.store.graders import (
    find_grader,
    get_grader,
    keep_preferences,
    named_grader,
    reset_passphrase,
    set_active,
    set_passphrase,
    set_role,
    sign_in,
    works_alone,
    workspace_secret,
)
from lensing_core.store.labels import grader_named
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.remarks import add_note
from lensing_core.store.sign_ins import (
    LASTS,
    find_sign_in,
    open_sign_in,
    renew_sign_in,
    revoke_sign_in,
)
from lensing_core.store.tables import Grader, GraderSignIn

OLDER = (  # of "correct horse", by scrypt
    "scrypt$000102030405060708090a0b0c0d0e0f$"
    "d46e517c2ce3291702fcb804dd12495211a0be8bd46863e1458da6e794dfa62e"
)


@pytest.fixture
def database(workspace):
    return open_database(workspace)


def test_the_first_to_sign_in_is_the_organizer(database):
    with database.session() as session:
        grader_named(session, "an imported catalog")
        assert sign_in(session, "  Ana   Lima ").role == "organizer"
        assert sign_in(session, "Bo").role == "grader"
        assert sign_in(session, "Ana Lima").role == "organizer"
        assert session.query(Grader).count() == 3


def test_of_many_that_sign_in_at_once_one_is_the_organizer(database):
    def enter(name: str) -> None:
        with database.session() as session:
            sign_in(session, name)

    threads = [threading.Thread(target=enter, args=(f"grader {k}",)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.session() as session:
        assert session.query(Grader).count() == 8
        assert session.query(Grader).filter_by(role="organizer").count() == 1


def test_a_passphrase_of_an_older_workspace_is_stored_anew(database):
    with database.session() as session:
        sign_in(session, "Ana", "correct horse").secret = OLDER
    with database.session() as session, pytest.raises(PolicyError, match="not that of Ana"):
        sign_in(session, "Ana", "battery staple")
    with database.session() as session:
        assert named_grader(session, "Ana").secret == OLDER
        given = Passphrase("correct horse")
        given.work_out(OLDER)
        renewed = sign_in(session, "Ana", given).secret
        assert renewed == given.hashed()
        assert renewed.startswith("$argon2id$")
    with database.session() as session:
        assert sign_in(session, "Ana", "correct horse").secret == renewed


def test_a_guarded_name_needs_its_passphrase(database):
    with database.session() as session:
        ana = sign_in(session, "Ana", "correct horse")
        assert ana.secret.startswith("$argon2id$")
        assert "horse" not in ana.secret
    for wrong in ("", "correct hors", "Correct horse"):
        with database.session() as session, pytest.raises(PolicyError, match="not that of Ana"):
            sign_in(session, "Ana", wrong)
    with database.session() as session:
        ana = sign_in(session, "Ana", "correct horse")
        with pytest.raises(PolicyError, match="present passphrase"):
            set_passphrase(session, ana.id, "battery", "battery staple")
        set_passphrase(session, ana.id, "correct horse", "battery staple")
        with pytest.raises(BadInputError, match="8 to 200"):
            set_passphrase(session, ana.id, "battery staple", "short")
        assert set_passphrase(session, ana.id, "battery staple", "").secret is None
        assert sign_in(session, "Ana", "anything") is ana


def test_two_that_choose_one_passphrase_store_different_secrets(database):
    with database.session() as session:
        ana, bo = (sign_in(session, name, "correct horse") for name in ("Ana", "Bo"))
        assert ana.secret != bo.secret


def test_preferences_are_added_to_those_that_are_kept(database):
    with database.session() as session:
        ana = sign_in(session, "Ana").id
        keep_preferences(session, ana, {"keys": {"lens": "j"}, "size": 2})
    with database.session() as session:
        keep_preferences(session, ana, {"size": 3})
    with database.session() as session:
        assert get_grader(session, ana).preferences == {"keys": {"lens": "j"}, "size": 3}
        assert find_grader(session, 99) is None
        with pytest.raises(NotFoundError, match="Grader 99 does not exist"):
            keep_preferences(session, 99, {})


def test_a_workspace_keeps_its_secret(workspace):
    secret = workspace_secret(workspace)
    assert len(secret) >= 40
    assert workspace_secret(workspace) == secret
    assert stat.S_IMODE((workspace.root / "secret").stat().st_mode) == 0o600
    assert [path.name for path in workspace.root.glob("secret*")] == ["secret"]


def test_a_sign_in_lasts_until_it_is_revoked(database):
    with database.session() as session:
        ana = sign_in(session, "Ana")
        token, other = open_sign_in(session, ana), open_sign_in(session, ana)
        assert token != other
        revoke_sign_in(session, token)
        revoke_sign_in(session, "made up")
    with database.session() as session:
        assert find_sign_in(session, token) is None
        found, _ = find_sign_in(session, other)
        assert found.name == "Ana"
        assert token not in {row.token_sha256 for row in session.query(GraderSignIn)}
        find_sign_in(session, other)[1].created_at -= LASTS
        assert find_sign_in(session, other) is None


def test_only_the_first_browser_guards_a_name_that_is_free_to_all(database):
    with database.session() as session:
        sign_in(session, "Ana", "correct horse")
        bo = sign_in(session, "Bo")
        first, later = open_sign_in(session, bo), open_sign_in(session, bo)
        own, taker = (find_sign_in(session, token)[1] for token in (first, later))
        for here in (taker, None):
            with pytest.raises(PolicyError, match="an organizer sets its first one"):
                set_passphrase(session, bo.id, "", "mallory's own", here=here)
        assert bo.secret is None
        set_passphrase(session, bo.id, "", "battery staple", here=own)
        # One that signed in before it was guarded is signed out.
        assert find_sign_in(session, renew_sign_in(session, own))[0] is bo
        assert find_sign_in(session, later) is None


def test_a_name_with_grades_is_nobodys_to_guard_but_an_organizers(filled_workspace):
    with open_database(filled_workspace).session() as session:
        sign_in(session, "Ana", "correct horse")
        source = grader_named(session, "expert")
        add_note(session, 1, source.id, "arc")
        here = find_sign_in(session, open_sign_in(session, source))[1]
        with pytest.raises(PolicyError, match="an organizer sets"):
            set_passphrase(session, source.id, "", "mallory's own", here=here)
        made = reset_passphrase(session, source.id)
        assert len(made) >= 12
        assert here.revoked_at is not None
        assert sign_in(session, "expert", made) is source


def test_an_organizer_who_is_alone_guards_the_own_name_at_any_time(filled_workspace):
    with open_database(filled_workspace).session() as session:
        ana = sign_in(session, "Ana")
        add_note(session, 1, ana.id, "arc")
        here = find_sign_in(session, open_sign_in(session, ana))[1]
        assert set_passphrase(session, ana.id, "", "correct horse", here=here).secret
        ana.secret = None
        open_sign_in(session, sign_in(session, "Bo"))
        with pytest.raises(PolicyError, match="an organizer sets"):
            set_passphrase(session, ana.id, "", "mallory's own", here=here)


def test_there_is_always_an_organizer(database):
    with database.session() as session:
        assert works_alone(session)
        ana, bo = (sign_in(session, name) for name in ("Ana", "Bo"))
        assert not works_alone(session)
        for leave in (
            lambda who: set_role(session, who.id, "grader"),
            lambda who: set_active(session, who.id, active=False),
        ):
            with pytest.raises(PolicyError, match="Ana is the only organizer"):
                leave(ana)
        with pytest.raises(BadInputError, match="use one of reader, grader, organizer"):
            set_role(session, bo.id, "owner")
        set_role(session, bo.id, "organizer")
        set_role(session, ana.id, "grader")
        with pytest.raises(PolicyError, match="Bo is the only organizer"):
            set_active(session, bo.id, active=False)
        set_role(session, bo.id, "organizer")


def test_nobody_signs_in_with_a_deactivated_name(database):
    with database.session() as session:
        ana, bo = (sign_in(session, name) for name in ("Ana", "Bo"))
        token = open_sign_in(session, bo)
        set_active(session, bo.id, active=False)
        assert find_sign_in(session, token) is None
        with pytest.raises(PolicyError, match="Bo is deactivated"):
            sign_in(session, "Bo")
        with pytest.raises(BadInputError, match="activate the name first"):
            set_role(session, bo.id, "organizer")
        set_active(session, bo.id, active=True)
        assert find_sign_in(session, token) is None
        assert sign_in(session, "Bo") is bo
        assert ana.role == "organizer"
        with pytest.raises(NotFoundError, match="no grader 'Cy'"):
            named_grader(session, "Cy")
