"""Object ids sorted by their characters on PostgreSQL, as on SQLite and in Python

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sort_by('COLLATE "C"')


def downgrade() -> None:
    _sort_by('COLLATE "default"')


def _sort_by(collation: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        kind = f"VARCHAR(255) {collation}"
        op.execute(sa.text(f"ALTER TABLE candidate ALTER COLUMN object_id TYPE {kind}"))
