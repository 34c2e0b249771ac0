"""Scores: one row a candidate and ensemble, and one a candidate and member."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base


class Score(Base):
    """Score of a candidate by an ensemble."""

    __tablename__ = "score"
    __table_args__ = (
        Index("ix_score_logit", "ensemble_id", "logit", "candidate_id"),
        Index("ix_score_catalog_logit", "ensemble_id", "catalog_id", "logit", "candidate_id"),
        Index("ix_score_epistemic", "ensemble_id", "catalog_id", "epistemic", "candidate_id"),
        Index("ix_score_disagreement", "ensemble_id", "catalog_id", "disagreement", "candidate_id"),
        Index("ix_score_ood", "ensemble_id", "catalog_id", "ood_distance", "candidate_id"),
        Index("ix_score_candidate", "candidate_id"),
    )

    ensemble_id: Mapped[int] = mapped_column(
        ForeignKey("ensemble.id", ondelete="CASCADE"), primary_key=True
    )
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    catalog_id: Mapped[int] = mapped_column(ForeignKey("catalog.id", ondelete="CASCADE"))
    logit: Mapped[float] = mapped_column(doc="fused and calibrated; the ranking uses it")
    probability: Mapped[float] = mapped_column(doc="calibrated, at the ensemble's class prior")
    epistemic: Mapped[float] = mapped_column(doc="mutual information of the members, nat")
    aleatoric: Mapped[float] = mapped_column(doc="mean entropy of the members, nat")
    disagreement: Mapped[float] = mapped_column(doc="standard deviation of member logits")
    ood_distance: Mapped[float | None] = mapped_column(doc="Mahalanobis distance; NULL: none")


class MemberScore(Base):
    """Calibrated score of a candidate by one member."""

    __tablename__ = "member_score"
    __table_args__ = (Index(None, "candidate_id"),)

    model_id: Mapped[str] = mapped_column(
        ForeignKey("model.id", ondelete="CASCADE"), primary_key=True
    )
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    logit: Mapped[float] = mapped_column()
    probability: Mapped[float] = mapped_column()
