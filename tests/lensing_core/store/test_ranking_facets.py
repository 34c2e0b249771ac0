from __future__ import annotations

import pytest
from rows import add_catalog

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store import open_database
from lensing_core.store.labels import grader_named
from lensing_core.store.ranking_facets import (
    delete_filter,
    list_filters,
    read_facets,
    save_filter,
)
from lensing_core.store.tables import Candidate, CandidateTag


def test_facets_name_what_is_there(workspace):
    with open_database(workspace).session() as session:
        assert read_facets(session).tags == ()
        ids = add_catalog(session, "c", 4)
        session.get_one(Candidate, ids[2]).arc_snr = 5.0
        session.add_all(
            CandidateTag(candidate_id=ids[k], tag=t)
            for k, t in ((0, "ring"), (1, "ring"), (1, "arc"))
        )
        session.flush()
        facets = read_facets(session)
    assert facets.tags == ("arc", "ring")
    assert facets.grades == ()
    assert facets.known["arc_snr"]
    assert not facets.known["theta_e"]
    assert "epistemic" not in facets.known
    assert not facets.matched


def test_filters_are_kept_by_name_and_owner(workspace):
    with open_database(workspace).session() as session:
        ada, vera = (grader_named(session, name).id for name in ("ada", "vera"))
        mine = save_filter(session, "  bright   ones ", {"a": 1}, ada)
        shared = save_filter(session, "bright ones", {"a": 2}, None)
        assert mine.id != shared.id
        assert save_filter(session, "bright ones", {"a": 3}, ada).id == mine.id
        assert [f.query for f in list_filters(session, ada)] == [{"a": 3}, {"a": 2}]
        assert [f.id for f in list_filters(session, vera)] == [shared.id]
        assert [f.id for f in list_filters(session, None)] == [shared.id]
        with pytest.raises(PolicyError, match="somebody else"):
            delete_filter(session, mine.id, vera)
        delete_filter(session, shared.id, vera)
        delete_filter(session, mine.id, ada)
        session.flush()
        with pytest.raises(NotFoundError):
            delete_filter(session, mine.id, ada)
        with pytest.raises(BadInputError, match="name"):
            save_filter(session, " ", {}, None)
