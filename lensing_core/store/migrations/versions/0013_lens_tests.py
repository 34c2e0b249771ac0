"""Lens tests of candidates

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lens_test",
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("settings_key", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cutout_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("theta_e_arcsec", sa.Double(), nullable=True),
        sa.Column("theta_e_error_arcsec", sa.Double(), nullable=True),
        sa.Column("reduced_chi2", sa.Double(), nullable=True),
        sa.Column("reduced_chi2_no_lens", sa.Double(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "verdict IN ('supports', 'no_lens', 'unclear', 'failed')",
            name=op.f("ck_lens_test_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
            name=op.f("fk_lens_test_candidate_id_candidate"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "candidate_id", "settings_key", "version", name=op.f("pk_lens_test")
        ),
    )
    op.create_index(op.f("ix_lens_test_candidate_id_at"), "lens_test", ["candidate_id", "at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_lens_test_candidate_id_at"), table_name="lens_test")
    op.drop_table("lens_test")
