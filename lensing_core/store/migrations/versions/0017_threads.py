"""Replies to notes, and whom notes mention

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("remark") as batch:
        batch.add_column(sa.Column("reply_to", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_remark_reply_to_remark"), "remark", ["reply_to"], ["id"], ondelete="CASCADE"
        )
    op.create_table(
        "mention",
        sa.Column("remark_id", sa.Integer(), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["remark_id"],
            ["remark.id"],
            name=op.f("fk_mention_remark_id_remark"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["grader_id"], ["grader.id"], name=op.f("fk_mention_grader_id_grader")
        ),
        sa.PrimaryKeyConstraint("remark_id", "grader_id", name=op.f("pk_mention")),
    )
    op.create_index(op.f("ix_mention_grader_id_remark_id"), "mention", ["grader_id", "remark_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_mention_grader_id_remark_id"), table_name="mention")
    op.drop_table("mention")
    with op.batch_alter_table("remark") as batch:
        batch.drop_constraint(op.f("fk_remark_reply_to_remark"), type_="foreignkey")
        batch.drop_column("reply_to")
