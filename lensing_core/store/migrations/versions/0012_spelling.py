"""US spelling of columns, of settings of runs and of saved filters

Roles of graders keep theirs: they are under the seal of the log of labels.

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("crossmatch", "max_normalised", "max_normalized"),
    ("crossmatch_entry", "normalised", "normalized"),
    ("candidate", "colour_consistency", "color_consistency"),
    ("candidate", "arc_galaxy_colour_mag", "arc_galaxy_color_mag"),
)
_SETTINGS = {
    "labelled": "labeled",
    "artefact_fraction": "artifact_fraction",
    "max_normalised": "max_normalized",
}
_LABELS = {"labelled": "labeled", "unlabelled": "unlabeled"}
_RANGES = {"colour_consistency": "color_consistency", "arc_colour": "arc_color"}


def upgrade() -> None:
    for table, old, new in _COLUMNS:
        _rename_column(table, old, new)
    _rewrite("run", "settings", lambda values: _with_keys(values, _SETTINGS))
    _rewrite("saved_filter", "query", lambda query: _with_names(query, _LABELS, _RANGES))


def downgrade() -> None:
    for table, old, new in _COLUMNS:
        _rename_column(table, new, old)
    settings, labels, ranges = (
        {new: old for old, new in names.items()} for names in (_SETTINGS, _LABELS, _RANGES)
    )
    _rewrite("run", "settings", lambda values: _with_keys(values, settings))
    _rewrite("saved_filter", "query", lambda query: _with_names(query, labels, ranges))


def _rename_column(table: str, old: str, new: str) -> None:
    """In place: SQLite would copy the whole table in a batch."""
    if table == "candidate":
        op.drop_index(f"ix_candidate_{old}", "candidate")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    if table == "candidate":
        known = sa.text(f"{new} IS NOT NULL")
        op.create_index(
            f"ix_candidate_{new}",
            "candidate",
            ["catalog_id", new],
            sqlite_where=known,
            postgresql_where=known,
        )


def _rewrite(table: str, column: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Apply ``change`` to the JSON of a column in all rows."""
    rows = sa.table(table, sa.column("id"), sa.column(column, sa.JSON))
    connection = op.get_bind()
    for key, values in connection.execute(sa.select(rows.c.id, rows.c[column])).all():
        if isinstance(values, dict) and change(values) != values:
            connection.execute(
                sa.update(rows).where(rows.c.id == key).values({column: change(values)})
            )


def _with_keys(values: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in values.items()}


def _with_names(
    query: dict[str, Any], labels: Mapping[str, str], ranges: Mapping[str, str]
) -> dict[str, Any]:
    """A stored filter with other names of its label state and of its ranges."""
    changed = dict(query)
    if "label" in query:
        changed["label"] = labels.get(query["label"], query["label"])
    if "ranges" in query:
        changed["ranges"] = [[ranges.get(name, name), *ends] for name, *ends in query["ranges"]]
    return changed
