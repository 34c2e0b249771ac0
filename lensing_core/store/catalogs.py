"""Catalogs, found by name or by id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.store.batches import in_batches
from lensing_core.store.tables import Candidate, Catalog

NO_CATALOG = 0
"""An id that no catalog has: of a list of no catalog at all."""


def catalog_named(session: Session, name: str) -> Catalog | None:
    """The catalog of a name; None where there is none."""
    return session.scalar(select(Catalog).where(Catalog.name == name))


def find_catalog(session: Session, name: str) -> Catalog:
    """The catalog of a name; raises NotFoundError."""
    catalog = catalog_named(session, name)
    if catalog is None:
        raise no_catalog(name)
    return catalog


def find_catalogs(session: Session, names: Iterable[str]) -> list[Catalog]:
    """Catalogs by name, each once, in the order asked for; raises NotFoundError."""
    wanted = list(dict.fromkeys(names))
    by_name = {c.name: c for c in session.scalars(select(Catalog).where(Catalog.name.in_(wanted)))}
    if missing := [name for name in wanted if name not in by_name]:
        raise no_catalog(*missing)
    return [by_name[name] for name in wanted]


def no_catalog(*names: str, known: Collection[str] = ()) -> NotFoundError:
    """The error that says that there is no catalog of these names, and which there are."""
    there_are = f"; there are: {', '.join(known)}" if known else ""
    return NotFoundError(f"There is no catalog {', '.join(names)}{there_are}.")


def get_catalog(session: Session, catalog_id: int) -> Catalog:
    """The catalog of an id; raises NotFoundError."""
    catalog = session.get(Catalog, catalog_id)
    if catalog is None:
        raise NotFoundError(f"Catalog {catalog_id} does not exist.")
    return catalog


def count_labeled(session: Session, names: Sequence[str]) -> int:
    """Number of candidates of catalogs, by name, that came with a label."""
    statement = (
        select(func.count())
        .select_from(Candidate)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Catalog.name.in_(names), Candidate.label.is_not(None))
    )
    return session.scalar(statement) or 0


def scales_of(session: Session, names: Sequence[str]) -> set[str]:
    """Scales ('galaxy', 'cluster') of those catalogs of these names that there are."""
    return set(session.scalars(select(Catalog.scale).where(Catalog.name.in_(names))))


def catalogs_with_candidates(session: Session, *, archived: bool = False) -> list[Catalog]:
    """All catalogs that have candidates, by name; ``archived``: archived ones too."""
    asked = select(Catalog).where(Catalog.n_candidates > 0).order_by(Catalog.name)
    if not archived:
        asked = asked.where(Catalog.archived_at.is_(None))
    return list(session.scalars(asked))


def listed_catalogs(session: Session, catalog_ids: Sequence[int] = ()) -> tuple[int, ...]:
    """Ids of the catalogs that a list is of: those that it names, else all but archived ones.

    Empty: all catalogs, of which none is archived.
    """
    if catalog_ids:
        return tuple(catalog_ids)
    archived = {
        key: at is not None for key, at in session.execute(select(Catalog.id, Catalog.archived_at))
    }
    if not any(archived.values()):
        return ()
    return tuple(key for key, is_so in archived.items() if not is_so) or (NO_CATALOG,)


def all_catalogs(session: Session) -> list[Catalog]:
    """All catalogs, empty ones too, in the order of their ids."""
    return list(session.scalars(select(Catalog).order_by(Catalog.id)))


def catalogs_of(session: Session, candidate_ids: Iterable[int]) -> list[Catalog]:
    """The catalogs that some candidates are of, in the order of their ids."""
    ids: set[int] = set()
    for part in in_batches(candidate_ids):
        ids.update(
            session.scalars(select(Candidate.catalog_id).where(Candidate.id.in_(part)).distinct())
        )
    return list(catalogs_by_id(session, ids).values())


def catalogs_by_id(session: Session, catalog_ids: Collection[int]) -> dict[int, Catalog]:
    """Catalogs in the order of their ids; ids that do not exist are left out."""
    catalogs = session.scalars(
        select(Catalog).where(Catalog.id.in_(catalog_ids)).order_by(Catalog.id)
    )
    return {catalog.id: catalog for catalog in catalogs}


def catalog_names(session: Session, catalog_ids: Collection[int] = ()) -> dict[int, str]:
    """Names by id, in alphabetical order; of all catalogs where no ids are given."""
    statement = select(Catalog.id, Catalog.name).order_by(Catalog.name)
    if catalog_ids:
        statement = statement.where(Catalog.id.in_(catalog_ids))
    return {row.id: row.name for row in session.execute(statement)}
