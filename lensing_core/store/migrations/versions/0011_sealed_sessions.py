"""Labeling sessions under the seal of the log

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
_NAME = "ck_sealed_identity_kind"


def upgrade() -> None:
    _allow("'grader', 'candidate', 'sessions'")


def downgrade() -> None:
    op.execute("DELETE FROM sealed_identity WHERE kind = 'sessions'")
    _allow("'grader', 'candidate'")


def _allow(kinds: str) -> None:
    with op.batch_alter_table("sealed_identity") as table:
        table.drop_constraint(op.f(_NAME), type_="check")
        table.create_check_constraint(op.f(_NAME), f"kind IN ({kinds})")
