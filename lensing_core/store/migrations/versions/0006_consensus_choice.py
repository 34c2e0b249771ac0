"""How votes were joined last, by method

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consensus_choice",
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("prior", sa.Double(), nullable=True),
        sa.Column("ensemble_id", sa.Integer(), nullable=True),
        sa.Column("accept", sa.Double(), nullable=False),
        sa.Column("retire", sa.Double(), nullable=False),
        sa.Column("last_event_id", sa.Integer(), nullable=False),
        sa.Column("joined_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ensemble_id"],
            ["ensemble.id"],
            name=op.f("fk_consensus_choice_ensemble_id_ensemble"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("method", name=op.f("pk_consensus_choice")),
    )
    # Lists that were made before: by the thresholds that pages offered.
    op.execute(
        "INSERT INTO consensus_choice (method, accept, retire, last_event_id, joined_at) "
        "SELECT method, 0.95, 0.001, max(last_event_id), max(updated_at) "
        "FROM consensus GROUP BY method"
    )


def downgrade() -> None:
    op.drop_table("consensus_choice")
