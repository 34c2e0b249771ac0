"""Arc and colour features of candidates for filters, selections, the order by grades

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from lensing_core.store.tables.base import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SORTED = {"theta_e_proxy_arcsec": "theta_e", "arc_radius_arcsec": "arc_radius"}
_FILTERED = (
    *("arc_length_arcsec", "arc_angle_deg", "arc_snr"),
    *("colour_consistency", "arc_galaxy_colour_mag"),
)


def upgrade() -> None:
    # Columns are added in place: SQLite would copy the whole table in a batch.
    for name in (*_SORTED, *_FILTERED):
        op.add_column("candidate", sa.Column(name, sa.Double(), nullable=True))
    for name, short in _SORTED.items():
        op.create_index(f"ix_candidate_{short}", "candidate", ["catalog_id", name, "id"])
    for name in _FILTERED:
        known = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_candidate_{name}",
            "candidate",
            ["catalog_id", name],
            sqlite_where=known,
            postgresql_where=known,
        )
    op.create_index("ix_vote_event_id_candidate_id", "vote", ["event_id", "candidate_id"])
    op.create_table(
        "selection",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection")),
    )
    op.create_index("ix_selection_used_at", "selection", ["used_at"])
    op.create_table(
        "selection_item",
        sa.Column("selection_id", sa.String(length=16), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["selection_id"],
            ["selection.id"],
            name=op.f("fk_selection_item_selection_id_selection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
            name=op.f("fk_selection_item_candidate_id_candidate"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("selection_id", "candidate_id", name=op.f("pk_selection_item")),
    )
    op.create_index("ix_selection_item_candidate_id", "selection_item", ["candidate_id"])


def downgrade() -> None:
    op.drop_table("selection_item")
    op.drop_table("selection")
    op.drop_index("ix_vote_event_id_candidate_id", "vote")
    for name in _FILTERED:
        op.drop_index(f"ix_candidate_{name}", "candidate")
    for short in _SORTED.values():
        op.drop_index(f"ix_candidate_{short}", "candidate")
    for name in (*_FILTERED, *_SORTED):
        op.drop_column("candidate", name)
