"""Indexes of flags and of notes to grades; the session that an invitation leads to

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_INDEXES = {"flag": "kind = 'flag'", "comment": "comment <> ''"}


def upgrade() -> None:
    for name, which in _INDEXES.items():
        op.create_index(
            f"ix_label_event_{name}",
            "label_event",
            ["candidate_id"],
            sqlite_where=sa.text(which),
            postgresql_where=sa.text(which),
        )
    op.add_column("invitation", sa.Column("session_id", sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column("invitation", "session_id")
    for name in _INDEXES:
        op.drop_index(f"ix_label_event_{name}", table_name="label_event")
