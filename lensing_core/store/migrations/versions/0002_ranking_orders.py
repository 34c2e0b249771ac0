"""Indexes for every order of the ranking, within one catalog.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ORDERS = {
    "ix_score_epistemic": "epistemic",
    "ix_score_disagreement": "disagreement",
    "ix_score_ood": "ood_distance",
}


def upgrade() -> None:
    op.drop_index("ix_score_epistemic", "score")
    op.drop_index("ix_score_disagreement", "score")
    for name, column in _ORDERS.items():
        op.create_index(name, "score", ["ensemble_id", "catalog_id", column, "candidate_id"])
    op.create_index("ix_candidate_catalog_id_label", "candidate", ["catalog_id", "label"])


def downgrade() -> None:
    op.drop_index("ix_candidate_catalog_id_label", "candidate")
    for name in _ORDERS:
        op.drop_index(name, "score")
    for name in ("epistemic", "disagreement"):
        op.create_index(f"ix_score_{name}", "score", ["ensemble_id", name, "candidate_id"])
