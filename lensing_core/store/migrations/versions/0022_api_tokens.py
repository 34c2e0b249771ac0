"""API tokens

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('grader', 'organiser', 'reader')", name=op.f("ck_api_token_role")
        ),
        sa.ForeignKeyConstraint(
            ["grader_id"],
            ["grader.id"],
            name=op.f("fk_api_token_grader_id_grader"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
    )
    op.create_index(op.f("ix_api_token_grader_id"), "api_token", ["grader_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_api_token_grader_id"), table_name="api_token")
    op.drop_table("api_token")
