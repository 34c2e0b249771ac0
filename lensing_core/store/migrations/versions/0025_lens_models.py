"""Lens models of candidates

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lens_model",
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cutout_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.CheckConstraint("status IN ('sampled', 'failed')", name=op.f("ck_lens_model_status")),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
            name=op.f("fk_lens_model_candidate_id_candidate"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_lens_model_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("candidate_id", "run_id", name=op.f("pk_lens_model")),
    )
    op.create_index(op.f("ix_lens_model_candidate_id_at"), "lens_model", ["candidate_id", "at"])
    op.create_index(op.f("ix_lens_model_run_id"), "lens_model", ["run_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_lens_model_run_id"), table_name="lens_model")
    op.drop_index(op.f("ix_lens_model_candidate_id_at"), table_name="lens_model")
    op.drop_table("lens_model")
