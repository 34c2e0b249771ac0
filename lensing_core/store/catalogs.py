"""Catalogs, found by name or by id."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.store.tables import Catalog


def find_catalog(session: Session, name: str) -> Catalog:
    """A catalog by name; raises NotFoundError."""
    catalog = session.scalar(select(Catalog).where(Catalog.name == name))
    if catalog is None:
        raise NotFoundError(f"There is no catalog {name}.")
    return catalog


def get_catalog(session: Session, catalog_id: int) -> Catalog:
    """The catalog of an id; raises NotFoundError."""
    catalog = session.get(Catalog, catalog_id)
    if catalog is None:
        raise NotFoundError(f"Catalog {catalog_id} does not exist.")
    return catalog


def list_catalogs(session: Session) -> list[Catalog]:
    """All catalogs that have candidates, by name."""
    return list(
        session.scalars(select(Catalog).where(Catalog.n_candidates > 0).order_by(Catalog.name))
    )


def catalogs_by_id(session: Session, catalog_ids: Collection[int]) -> dict[int, Catalog]:
    """Catalogs in the order of their ids; ids that do not exist are left out."""
    found = session.scalars(select(Catalog).where(Catalog.id.in_(catalog_ids)).order_by(Catalog.id))
    return {catalog.id: catalog for catalog in found}


def catalog_names(session: Session, catalog_ids: Collection[int] = ()) -> dict[int, str]:
    """Names by id, in alphabetical order; of all catalogs where no ids are given."""
    statement = select(Catalog.id, Catalog.name).order_by(Catalog.name)
    if catalog_ids:
        statement = statement.where(Catalog.id.in_(catalog_ids))
    return {row.id: row.name for row in session.execute(statement)}
