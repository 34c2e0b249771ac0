"""Confirmations, checklists and bulk moves

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _key(
    table: str, column: str, other: str, *, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=9), nullable=False),
        sa.Column("spectrum", sa.String(length=400), nullable=False),
        sa.Column("z_lens", sa.Double(), nullable=True),
        sa.Column("z_source", sa.Double(), nullable=True),
        sa.Column("reference", sa.String(length=400), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('lens', 'not_lens', 'withdrawn')", name=op.f("ck_confirmation_outcome")
        ),
        _key("confirmation", "candidate_id", "candidate", ondelete="CASCADE"),
        _key("confirmation", "grader_id", "grader"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
    )
    op.create_index(op.f("ix_confirmation_candidate_id_id"), "confirmation", ["candidate_id", "id"])
    op.create_table(
        "stage_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('done', 'open', 'not_applicable')", name=op.f("ck_stage_check_state")
        ),
        _key("stage_check", "candidate_id", "candidate", ondelete="CASCADE"),
        _key("stage_check", "grader_id", "grader"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_check")),
    )
    op.create_index(
        op.f("ix_stage_check_candidate_id_item_id"), "stage_check", ["candidate_id", "item", "id"]
    )
    op.create_table(
        "bulk_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("undoes_id", sa.Integer(), nullable=True),
        _key("bulk_move", "grader_id", "grader"),
        _key("bulk_move", "undoes_id", "bulk_move"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_move")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_bulk_move_undoes_id")),
    )
    op.create_table(
        "bulk_move_item",
        sa.Column("bulk_move_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("remark_id", sa.Integer(), nullable=False),
        _key("bulk_move_item", "bulk_move_id", "bulk_move"),
        _key("bulk_move_item", "candidate_id", "candidate", ondelete="CASCADE"),
        _key("bulk_move_item", "remark_id", "remark", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bulk_move_id", "candidate_id", name=op.f("pk_bulk_move_item")),
    )
    op.create_index(op.f("ix_bulk_move_item_candidate_id"), "bulk_move_item", ["candidate_id"])
    op.create_index(op.f("ix_bulk_move_item_remark_id"), "bulk_move_item", ["remark_id"])


def downgrade() -> None:
    for table in ("bulk_move_item", "bulk_move", "stage_check", "confirmation"):
        op.drop_table(table)
