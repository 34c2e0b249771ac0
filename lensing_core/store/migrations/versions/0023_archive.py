"""Titles and archives of catalogs, ensembles and sessions; what is left of things deleted

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TITLED = ("catalog", "ensemble")
_ARCHIVED = (*_TITLED, "label_session")


def upgrade() -> None:
    for table in _TITLED:
        title = sa.Column("title", sa.String(length=80), nullable=False, server_default="")
        op.add_column(table, title)
    for table in _ARCHIVED:
        op.add_column(table, sa.Column("archived_at", UTCDateTime(), nullable=True))
    op.create_table(
        "pending_removal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=512), nullable=False),
        sa.Column("is_aside", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_removal")),
    )
    op.create_table(
        "last_id",
        sa.Column("table_name", sa.String(length=32), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_last_id")),
    )


def downgrade() -> None:
    op.drop_table("last_id")
    op.drop_table("pending_removal")
    for table in _ARCHIVED:
        op.drop_column(table, "archived_at")
    for table in _TITLED:
        op.drop_column(table, "title")
