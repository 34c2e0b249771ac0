"""Cross-matches of catalogs with references

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crossmatch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=True),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("radius_arcsec", sa.Double(), nullable=False),
        sa.Column("max_normalised", sa.Double(), nullable=False),
        sa.Column("candidate_error_arcsec", sa.Double(), nullable=False),
        sa.Column("reference_error_arcsec", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("asked_all", sa.Boolean(), nullable=False),
        sa.Column("n_candidates", sa.Integer(), nullable=False),
        sa.Column("n_unplaced", sa.Integer(), nullable=False),
        sa.Column("n_matched", sa.Integer(), nullable=False),
        sa.Column("n_review", sa.Integer(), nullable=False),
        sa.Column("n_references", sa.Integer(), nullable=False),
        sa.Column("footprint_nside", sa.Integer(), nullable=True),
        sa.Column("footprint_deg2", sa.Double(), nullable=True),
        sa.Column("n_in_footprint", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('complete', 'partial', 'unreachable')", name=op.f("ck_crossmatch_state")
        ),
        sa.ForeignKeyConstraint(
            ["catalog_id"],
            ["catalog.id"],
            name=op.f("fk_crossmatch_catalog_id_catalog"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_crossmatch_run_id_run"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crossmatch")),
        sa.UniqueConstraint("run_id", "reference", name=op.f("uq_crossmatch_run_id_reference")),
    )
    with op.batch_alter_table("crossmatch", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_crossmatch_catalog_id_reference_created_at"),
            ["catalog_id", "reference", "created_at"],
            unique=False,
        )

    op.create_table(
        "crossmatch_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("crossmatch_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("separation_arcsec", sa.Double(), nullable=True),
        sa.Column("normalised", sa.Double(), nullable=True),
        sa.Column("n_counterparts", sa.Integer(), nullable=False),
        sa.Column("n_rivals", sa.Integer(), nullable=False),
        sa.Column("counterpart_name", sa.Text(), nullable=True),
        sa.Column("counterpart_ra_deg", sa.Double(), nullable=True),
        sa.Column("counterpart_dec_deg", sa.Double(), nullable=True),
        sa.Column("counterpart", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "status IN ('matched', 'review', 'unmatched')", name=op.f("ck_crossmatch_entry_status")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
            name=op.f("fk_crossmatch_entry_candidate_id_candidate"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["crossmatch_id"],
            ["crossmatch.id"],
            name=op.f("fk_crossmatch_entry_crossmatch_id_crossmatch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crossmatch_entry")),
    )
    with op.batch_alter_table("crossmatch_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_crossmatch_entry_candidate_id_crossmatch_id"),
            ["candidate_id", "crossmatch_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_crossmatch_entry_crossmatch_id_status"),
            ["crossmatch_id", "status"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("crossmatch_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_crossmatch_entry_crossmatch_id_status"))
        batch_op.drop_index(batch_op.f("ix_crossmatch_entry_candidate_id_crossmatch_id"))

    op.drop_table("crossmatch_entry")
    with op.batch_alter_table("crossmatch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_crossmatch_catalog_id_reference_created_at"))

    op.drop_table("crossmatch")
