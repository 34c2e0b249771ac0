"""Sign-ins that can be revoked, graders who are deactivated, names that look alike

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.grader_names import skeleton
from lensing_core.store.tables.base import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: other tables refer to this one.
    op.add_column(
        "grader", sa.Column("skeleton", sa.String(length=480), nullable=False, server_default="")
    )
    op.add_column("grader", sa.Column("deactivated_at", UTCDateTime(), nullable=True))
    op.create_index("ix_grader_skeleton", "grader", ["skeleton"])
    connection = op.get_bind()
    for key, name in connection.execute(sa.text("SELECT id, name FROM grader")).all():
        connection.execute(
            sa.text("UPDATE grader SET skeleton = :skeleton WHERE id = :id"),
            {"skeleton": skeleton(name), "id": key},
        )
    op.create_table(
        "grader_sign_in",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("grader_id", sa.Integer(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grader_id"],
            ["grader.id"],
            name=op.f("fk_grader_sign_in_grader_id_grader"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_grader_sign_in")),
    )
    op.create_index("ix_grader_sign_in_grader_id", "grader_sign_in", ["grader_id"])


def downgrade() -> None:
    op.drop_table("grader_sign_in")
    op.drop_index("ix_grader_skeleton", "grader")
    op.drop_column("grader", "deactivated_at")
    op.drop_column("grader", "skeleton")
