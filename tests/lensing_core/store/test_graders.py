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
    set_passphrase,
    sign_in,
    sign_in_mark,
    workspace_secret,
)
from lensing_core.store.labels import grader_named
from lensing_core.store.tables import Grader


@pytest.fixture
def database(workspace):
    return open_database(workspace)


def test_the_first_to_sign_in_is_the_organiser(database):
    with database.session() as session:
        grader_named(session, "an imported catalog")
        assert sign_in(session, "  Ana   Lima ").role == "organiser"
        assert sign_in(session, "Bo").role == "grader"
        assert sign_in(session, "Ana Lima").role == "organiser"
        assert session.query(Grader).count() == 3


def test_of_many_that_sign_in_at_once_one_is_the_organiser(database):
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
        assert session.query(Grader).filter_by(role="organiser").count() == 1


def test_a_guarded_name_needs_its_passphrase(database):
    with database.session() as session:
        ana = sign_in(session, "Ana", "correct horse")
        assert ana.secret.startswith("scrypt$")
        assert "horse" not in ana.secret
        mark = sign_in_mark(ana)
    for wrong in ("", "correct hors", "Correct horse"):
        with database.session() as session, pytest.raises(PolicyError, match="not that of Ana"):
            sign_in(session, "Ana", wrong)
    with database.session() as session:
        ana = sign_in(session, "Ana", "correct horse")
        with pytest.raises(PolicyError, match="present passphrase"):
            set_passphrase(session, ana.id, "battery", "battery staple")
        set_passphrase(session, ana.id, "correct horse", "battery staple")
        assert sign_in_mark(ana) != mark
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
