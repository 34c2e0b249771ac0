"""The seal of the log of labels, the identities under it, and notes on repairs

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_seal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("identities", sa.String(length=64), nullable=False),
        sa.Column("notes", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_seal_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_seal")),
    )
    op.create_table(
        "sealed_identity",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('grader', 'candidate')", name=op.f("ck_sealed_identity_kind")),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_sealed_identity")),
    )
    op.create_table(
        "log_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('repair', 'restore', 'seal')", name=op.f("ck_log_note_kind")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["label_event.id"], name=op.f("fk_log_note_event_id_label_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_note")),
    )


def downgrade() -> None:
    op.drop_table("log_note")
    op.drop_table("sealed_identity")
    op.drop_table("log_seal")
