"""Invitations are accepted once, in time, by whoever has the link."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from rows import add_catalog

from lensing_core.acquisition import QueueEntry
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import Database, open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.invitations import accept, invite, link_of
from lensing_core.store.label_sessions import names_of_invited
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.tables import Invitation, utc_now

CHOSEN = Passphrase("battery staple")


@pytest.fixture
def database(workspace) -> Database:
    return open_database(workspace)


def test_an_invitation_makes_its_name_once(database):
    with database.session() as session:
        token = invite(session, "Bo", "organizer")
        assert token not in str(session.scalars(sa.select(Invitation.token_sha256)).all())
    with database.session() as session:
        made = accept(session, token, CHOSEN)
        assert (made.name, made.role) == ("Bo", "organizer")
    with database.session() as session:
        assert sign_in(session, "Bo", "battery staple").id == made.id
        with pytest.raises(PolicyError, match="not open any more"):
            accept(session, token, CHOSEN)
        with pytest.raises(BadInputError, match="already"):
            invite(session, "Bo")


def test_an_invitation_ends_with_its_time_and_with_the_next(database):
    with database.session() as session:
        first, second = invite(session, "Bo"), invite(session, "Bo")
        with pytest.raises(PolicyError, match="not open any more"):
            accept(session, first, CHOSEN)
        session.execute(sa.update(Invitation).values(expires_at=utc_now() - timedelta(seconds=1)))
        session.expire_all()
        for token in (second, "", "\ud800"):
            with pytest.raises(PolicyError, match="not open any more"):
                accept(session, token, CHOSEN)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": "Bo", "role": "king"}, "Role"),
        ({"name": "Bo", "days": 0.0}, "days"),
        ({"name": "Bo", "days": 91.0}, "days"),
        ({"name": "Bo", "days": float("nan")}, "days"),
        ({"name": "B\u200bo"}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused(database, given, why):
    with database.session() as session, pytest.raises(BadInputError, match=why):
        invite(session, **given)


def test_an_invitation_to_a_session_lets_its_guest_in(database):
    with database.session() as session:
        sign_in(session, "Ana")
        (key,) = add_catalog(session, "survey", 1)
        for name, graders in (("for some", ["Ana"]), ("for all", [])):
            new = NewSession(name, [QueueEntry(key, "")], {}, graders=graders)
            made = create_session(session, new, None).id
            token = invite(session, f"Bo {name}", session_id=made)
            assert link_of(token, made) == f"join#{token}/{made}"
            accept(session, token, CHOSEN)
            expected = ["Ana", f"Bo {name}"] if graders else []
            assert names_of_invited(session, made) == expected
        with pytest.raises(BadInputError, match="A reader does not grade"):
            invite(session, "Rea", "reader", session_id=made)
        with pytest.raises(NotFoundError):
            invite(session, "Cy", session_id="none")
