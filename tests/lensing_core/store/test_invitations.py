"""Invitations are accepted once, in time, by whoever has the link."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from lensing_core.errors import BadInputError, PolicyError
from lensing_core.store import Database, open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.invitations import accept, invite
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
