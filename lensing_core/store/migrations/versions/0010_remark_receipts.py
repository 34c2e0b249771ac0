"""Receipts of notes, tags and moves, by which one that is sent again does nothing

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remark_receipt",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grader_id"], ["grader.id"], name=op.f("fk_remark_receipt_grader_id_grader")
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_remark_receipt")),
    )


def downgrade() -> None:
    op.drop_table("remark_receipt")
