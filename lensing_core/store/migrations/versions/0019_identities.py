"""Accounts at other services by which people sign in

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grader_identity",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("is_invited", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grader_id"],
            ["grader.id"],
            name=op.f("fk_grader_identity_grader_id_grader"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_grader_identity")),
    )
    op.create_index(op.f("ix_grader_identity_grader_id"), "grader_identity", ["grader_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_grader_identity_grader_id"), table_name="grader_identity")
    op.drop_table("grader_identity")
