"""Invitations by link

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('grader', 'organiser')", name=op.f("ck_invitation_role")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_invitation")),
        sa.UniqueConstraint("name", name=op.f("uq_invitation_name")),
    )


def downgrade() -> None:
    op.drop_table("invitation")
