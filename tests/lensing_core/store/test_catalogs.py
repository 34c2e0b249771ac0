"""Catalogs by name and by id."""

from __future__ import annotations

import pytest
from rows import add_catalog

from lensing_core.errors import NotFoundError
from lensing_core.store import open_database
from lensing_core.store.catalogs import (
    catalog_names,
    catalogs_by_id,
    catalogs_with_candidates,
    find_catalog,
    find_catalogs,
    get_catalog,
)


@pytest.fixture
def session(workspace):
    """Catalogs 1 to 3, not in alphabetical order; the second is empty."""
    with open_database(workspace).session() as session:
        for name, n in (("virgo", 2), ("coma", 0), ("abell", 1)):
            add_catalog(session, name, n)
        yield session


def test_one_catalog(session) -> None:
    assert find_catalog(session, "coma").id == 2
    assert get_catalog(session, 2).name == "coma"
    with pytest.raises(NotFoundError, match=r"^There is no catalog perseus\.$"):
        find_catalog(session, "perseus")
    with pytest.raises(NotFoundError, match=r"^Catalog 4 does not exist\.$"):
        get_catalog(session, 4)


def test_catalogs_by_name_come_once_and_in_the_order_asked_for(session) -> None:
    assert [c.name for c in find_catalogs(session, ["virgo", "abell", "virgo"])] == [
        "virgo",
        "abell",
    ]
    assert find_catalogs(session, ()) == []
    with pytest.raises(NotFoundError, match=r"^There is no catalog perseus, leo\.$"):
        find_catalogs(session, ["perseus", "virgo", "leo"])


def test_lists_have_catalogs_with_candidates_by_name(session) -> None:
    assert [catalog.name for catalog in catalogs_with_candidates(session)] == ["abell", "virgo"]


def test_catalogs_by_id_come_in_the_order_of_ids(session) -> None:
    found = catalogs_by_id(session, {3, 1, 99})
    assert [(key, catalog.name) for key, catalog in found.items()] == [(1, "virgo"), (3, "abell")]
    assert catalogs_by_id(session, ()) == {}


def test_names_are_sorted_and_those_of_all_catalogs_where_none_is_asked_for(session) -> None:
    assert list(catalog_names(session).items()) == [(3, "abell"), (2, "coma"), (1, "virgo")]
    assert list(catalog_names(session, [1, 3, 99]).items()) == [(3, "abell"), (1, "virgo")]
