"""Why a run failed; a lock, not the start time of a process, says whether it lives

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("failure", sa.String(length=10), nullable=True))
    op.drop_column("run", "process_started")


def downgrade() -> None:
    op.add_column("run", sa.Column("process_started", sa.Double(), nullable=True))
    op.drop_column("run", "failure")
