"""Files of what was deleted: named in the transaction that deletes the rows, removed after it.

First each is renamed beside its place, at once and for good, so that a new catalog or model of the
same name finds that place free; then what was renamed is removed. A process that ends in between
leaves rows of ``pending_removal``, and the next start goes on from them.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lensing_core.store.database import Database
from lensing_core.store.tables import PendingRemoval
from lensing_core.store.turns import take_turn
from lensing_core.workspace import Workspace

_log = logging.getLogger(__name__)


def plan_removal(session: Session, workspace: Workspace, paths: Iterable[Path]) -> None:
    """Note files and folders of a workspace that go once this transaction is committed."""
    session.add_all(
        PendingRemoval(path=str(path.relative_to(workspace.root)))
        for path in paths
        if path.exists() or path.is_symlink()
    )


def finish_removals(workspace: Workspace, database: Database) -> list[str]:
    """Remove the files of everything that was deleted.

    Returns
    -------
    list of str
        A sentence for each that could not be removed; it is tried again at the next start.
    """
    if not database.ask(_is_anything_left):
        return []
    problems = []
    with database.session() as session:
        take_turn(session)
        for row in session.scalars(select(PendingRemoval).where(~PendingRemoval.is_aside)).all():
            place = workspace.root / row.path
            aside = place.with_name(f".removed-{row.id}-{place.name}")
            try:
                place.rename(aside)
            except FileNotFoundError:
                pass  # an earlier attempt came so far, or somebody was faster
            except OSError as error:
                problems.append(_sentence(place, error))
                continue
            row.path, row.is_aside = str(aside.relative_to(workspace.root)), True
    with database.session() as session:
        asides = list(session.scalars(select(PendingRemoval).where(PendingRemoval.is_aside)))
    removed = []
    for row in asides:
        aside = workspace.root / row.path
        try:
            if aside.is_dir() and not aside.is_symlink():
                shutil.rmtree(aside)
            else:
                aside.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # another process removes the same
        except OSError as error:
            problems.append(_sentence(aside, error))
            continue
        removed.append(row.id)
    with database.session() as session:
        for row in session.scalars(select(PendingRemoval).where(PendingRemoval.id.in_(removed))):
            session.delete(row)
    for problem in problems:
        _log.warning(problem)
    return problems


def _is_anything_left(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(PendingRemoval.id.is_not(None)))))


def _sentence(path: Path, error: OSError) -> str:
    return (
        f"{path} is of something that was deleted, and could not be removed: "
        f"{error.strerror or error}. It is tried again at the next start."
    )
