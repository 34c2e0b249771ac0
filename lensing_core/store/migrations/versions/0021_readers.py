"""The role of a reader

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_BEFORE = "role IN ('grader', 'organiser')"
_AFTER = "role IN ('grader', 'organiser', 'reader')"


def upgrade() -> None:
    for table in ("grader", "invitation"):
        _replace_check(table, _BEFORE, _AFTER)


def downgrade() -> None:
    """Readers become graders whose names are deactivated: nobody may do more than before."""
    op.execute(
        "UPDATE grader SET role = 'grader', "
        "deactivated_at = COALESCE(deactivated_at, CURRENT_TIMESTAMP) WHERE role = 'reader'"
    )
    op.execute("DELETE FROM invitation WHERE role = 'reader'")
    for table in ("grader", "invitation"):
        _replace_check(table, _AFTER, _BEFORE)


def _replace_check(table: str, before: str, after: str) -> None:
    """In place: SQLite would copy the table in a batch, and so remove what refers to its rows.

    The way for a constraint that changes nothing on disk
    (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        name = op.f(f"ck_{table}_role")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, after)
        return
    named = {"table": table}
    asked = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    sql = connection.execute(asked, named).scalar_one()
    if sql.count(before) != 1:
        raise RuntimeError(f"table {table} has another check of its roles: {sql}")
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"),
        {**named, "sql": sql.replace(before, after)},
    )
    connection.execute(sa.text(f"PRAGMA schema_version = {int(version) + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
