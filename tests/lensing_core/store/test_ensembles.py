"""Which ensembles and models a page takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from manifests import model_manifest
from rows import add_catalog, score_row

from lensing_core.errors import NotFoundError
from lensing_core.store import Session, open_database
from lensing_core.store.ensembles import (
    BUNDLED_FOR,
    best_ensemble,
    default_ensemble,
    find_ensemble,
    get_ensemble,
    models_by_preference,
    network_members,
    scored_ensembles,
)
from lensing_core.store.tables import Ensemble, EnsembleMember, Model


@pytest.fixture
def session(workspace):
    with open_database(workspace).session() as session:
        yield session


def day(k: int) -> datetime:
    return datetime(2026, 1, k, tzinfo=UTC)


def add_ensemble(session: Session, name: str, members: tuple[str, ...] = (), **columns) -> int:
    ensemble = Ensemble(**{"name": name, "fusion": "mean", "manifest": {}, **columns})
    session.add(ensemble)
    session.flush()
    session.add_all(
        EnsembleMember(ensemble_id=ensemble.id, model_id=key, position=k)
        for k, key in enumerate(members)
    )
    session.flush()
    return ensemble.id


def score(session: Session, ensemble_id: int, catalog_id: int, candidate_id: int) -> None:
    session.add(score_row(ensemble_id, catalog_id, candidate_id))
    session.flush()


def test_one_ensemble(session) -> None:
    key = add_ensemble(session, "first")
    assert get_ensemble(session, key) is find_ensemble(session, "first")
    with pytest.raises(NotFoundError, match=r"^Ensemble 99 does not exist\.$"):
        get_ensemble(session, 99)
    with pytest.raises(NotFoundError, match=r"^There is no ensemble second\.$"):
        find_ensemble(session, "second")


def test_promoted_ensembles_come_first_then_the_newest(session) -> None:
    a, b = add_catalog(session, "mine", 2)
    made = [
        add_ensemble(session, "newest", created_at=day(9)),
        add_ensemble(session, "early", created_at=day(1), promoted_at=day(2)),
        add_ensemble(session, "older", created_at=day(3)),
        add_ensemble(session, "late", created_at=day(2), promoted_at=day(4)),
    ]
    add_ensemble(session, "idle", promoted_at=day(9))  # has scored nothing
    for key in made:
        score(session, key, 1, a)
    assert [e.name for e in scored_ensembles(session)] == ["late", "early", "newest", "older"]
    assert scored_ensembles(session, b) == []
    score(session, made[2], 1, b)
    assert [e.name for e in scored_ensembles(session, b)] == ["older"]


def test_the_default_is_the_one_promoted_last_else_the_newest(session) -> None:
    with pytest.raises(NotFoundError, match="no ensemble to start from"):
        default_ensemble(session)
    add_ensemble(session, "newest", created_at=day(9))
    add_ensemble(session, "older", created_at=day(3))
    assert default_ensemble(session).name == "newest"
    add_ensemble(session, "early", created_at=day(1), promoted_at=day(2))
    add_ensemble(session, "late", created_at=day(2), promoted_at=day(4))
    assert default_ensemble(session).name == "late"
    assert default_ensemble(session, "older").name == "older"
    with pytest.raises(NotFoundError, match="no ensemble ghost"):
        default_ensemble(session, "ghost")


def test_the_best_ensemble_of_a_catalog(session) -> None:
    (here,), (there,) = add_catalog(session, "here", 1), add_catalog(session, "there", 1)
    plain = [add_ensemble(session, f"e{k}") for k in range(2)]
    promoted = add_ensemble(session, "good", promoted_at=day(1))
    for key in plain:
        score(session, key, 1, here)
    assert best_ensemble(session, 1).name == "e1"
    assert best_ensemble(session, 2) is None
    assert best_ensemble(session, 1, "e0").id == plain[0]
    with pytest.raises(NotFoundError, match="no ensemble good that has scored"):
        best_ensemble(session, 1, "good")
    score(session, promoted, 2, there)
    assert best_ensemble(session, 1).name == "e1"
    score(session, promoted, 1, here)
    assert best_ensemble(session, 1).name == "good"


def test_a_new_training_leads_above_a_bundled_ensemble_only_once_it_is_promoted(session) -> None:
    (candidate,) = add_catalog(session, "sky", 1)  # of survey hsc
    for k, survey in enumerate(("hsc", "ps1"), 1):
        manifest = {BUNDLED_FOR: survey}
        score(session, add_ensemble(session, f"default-{survey}", created_at=day(k),
                                    manifest=manifest), 1, candidate)  # fmt: skip
    mine = add_ensemble(session, "mine", created_at=day(9))
    score(session, mine, 1, candidate)
    names = ["default-hsc", "mine", "default-ps1"]
    assert [e.name for e in scored_ensembles(session)] == names
    assert [e.name for e in scored_ensembles(session, candidate)] == names
    assert [e.name for e in scored_ensembles(session, catalogs=["sky"])] == names
    assert best_ensemble(session, 1).name == "default-hsc"
    assert default_ensemble(session, catalog="sky").name == "default-hsc"
    assert default_ensemble(session).name == "default-ps1"  # of no survey: the newest bundled one
    get_ensemble(session, mine).promoted_at = day(10)
    assert best_ensemble(session, 1).name == "mine"
    assert scored_ensembles(session)[0].name == "mine"
    assert default_ensemble(session, catalog="sky").name == default_ensemble(session).name == "mine"


def test_what_has_not_scored_a_catalog_is_no_start_from_it(session) -> None:
    add_catalog(session, "sky", 1)
    add_ensemble(session, "default-hsc", manifest={BUNDLED_FOR: "hsc"})
    (here,) = add_catalog(session, "mine", 1)
    score(session, add_ensemble(session, "first"), 2, here)
    assert default_ensemble(session, catalog="mine").name == "first"
    assert default_ensemble(session, catalog="sky").name == "default-hsc"


def test_members_first_then_the_newest_models(session) -> None:
    kinds = {"a": "network", "b": "lightgbm", "c": "network", "d": "pu_head", "e": "network"}
    session.add_all(
        Model(id=key, kind=kind, manifest=model_manifest(key, kind), created_at=day(k))
        for k, (key, kind) in enumerate(kinds.items(), 1)
    )
    session.flush()
    key = add_ensemble(session, "first", ("c", "b", "a"))
    assert models_by_preference(session, key) == ["c", "b", "a", "e", "d"]
    assert models_by_preference(session, None) == ["e", "d", "c", "b", "a"]
    assert network_members(get_ensemble(session, key)) == ["c", "a"]
