"""Candidates: one row an object of a catalog, and what is known of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lensing_core.store.tables.base import Base

STAGES = ("detection", "triage", "validation", "confirmation", "rejected")

# In the order of its characters everywhere: cursors of lists are compared in Python too.
_OBJECT_ID = String(255).with_variant(String(255, collation="C"), "postgresql")
_FILTERED = (
    *("arc_length_arcsec", "arc_angle_deg", "arc_snr"),
    *("color_consistency", "arc_galaxy_color_mag"),
)


def _partial_index(name: str) -> Index:
    """Index of the candidates that have the value; the others are never queried."""
    known = text(f"{name} IS NOT NULL")
    return Index(
        f"ix_candidate_{name}", "catalog_id", name, sqlite_where=known, postgresql_where=known
    )


class Candidate(Base):
    """One object with a cutout."""

    __tablename__ = "candidate"
    __table_args__ = (
        UniqueConstraint("catalog_id", "object_id"),
        UniqueConstraint("catalog_id", "cutout_index"),
        CheckConstraint(
            "stage IN ('detection', 'triage', 'validation', 'confirmation', 'rejected')",
            name="stage",
        ),
        CheckConstraint("label IS NULL OR label IN (0, 1)", name="label"),
        Index(None, "healpix"),
        Index(None, "catalog_id", "stage"),
        Index(None, "catalog_id", "label"),
        Index(None, "catalog_id", "magnitude", "id"),
        Index(None, "magnitude", "id"),
        Index(None, "stage"),
        Index("ix_candidate_theta_e", "catalog_id", "theta_e_proxy_arcsec", "id"),
        Index("ix_candidate_arc_radius", "catalog_id", "arc_radius_arcsec", "id"),
        *(_partial_index(name) for name in _FILTERED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    catalog_id: Mapped[int] = mapped_column(ForeignKey("catalog.id", ondelete="CASCADE"))
    object_id: Mapped[str] = mapped_column(_OBJECT_ID, doc="the user's name for the object")
    ra_deg: Mapped[float | None] = mapped_column(doc="ICRS; NULL where unknown")
    dec_deg: Mapped[float | None] = mapped_column(doc="ICRS; NULL where unknown")
    healpix: Mapped[int | None] = mapped_column(doc="NSIDE 64, nested; NULL without a position")
    cutout_index: Mapped[int] = mapped_column(doc="row in the catalog's cutout store")
    cutout_sha256: Mapped[str] = mapped_column(String(64), doc="of the stored float32 pixels")
    stage: Mapped[str] = mapped_column(String(12), default="detection")
    label: Mapped[int | None] = mapped_column(doc="1 lens, 0 not a lens, NULL unknown; as imported")
    label_source: Mapped[str | None] = mapped_column(String(64))
    label_confidence: Mapped[float | None] = mapped_column()
    label_policy: Mapped[str | None] = mapped_column(String(16), doc="NULL: the catalog's policy")
    magnitude: Mapped[float | None] = mapped_column(doc="AB, of the reference band")
    # For lists and filters; NULL: not measured. The first is of the catalog's own columns, the
    # others are features of the last classic member with segments that looked at the cutout.
    theta_e_proxy_arcsec: Mapped[float | None] = mapped_column(
        doc="Einstein radius that richness, velocity dispersion or mass suggest, to about 30 %"
    )
    arc_radius_arcsec: Mapped[float | None] = mapped_column(doc="of the arc from the center")
    arc_length_arcsec: Mapped[float | None] = mapped_column(doc="0: there is no segment")
    arc_angle_deg: Mapped[float | None] = mapped_column(doc="that the arc spans; 0: no segment")
    arc_snr: Mapped[float | None] = mapped_column(doc="signal to noise of the arc")
    color_consistency: Mapped[float | None] = mapped_column(
        doc="probability that the segments scatter so much in color, if of one source"
    )
    arc_galaxy_color_mag: Mapped[float | None] = mapped_column(
        doc="first minus last band of the segments less that of the galaxy; negative: bluer"
    )

    observation: Mapped[Observation | None] = relationship(
        back_populates="candidate", cascade="all, delete-orphan", passive_deletes=True
    )


class Observation(Base):
    """Measured properties of a candidate (metadata schema 2.0); NULL where unknown."""

    __tablename__ = "observation"

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    z_phot: Mapped[float | None] = mapped_column()
    z_spec: Mapped[float | None] = mapped_column()
    z_err: Mapped[float | None] = mapped_column()
    instrument: Mapped[str | None] = mapped_column(String(64))
    band_flags: Mapped[list[int] | None] = mapped_column(doc="1 where the band has data, else 0")
    magnitudes: Mapped[dict[str, Any] | None] = mapped_column(doc="AB by band")
    fluxes: Mapped[dict[str, Any] | None] = mapped_column(doc="by band, in the catalog's unit")
    snr: Mapped[float | None] = mapped_column(doc="signal to noise of the object")
    seeing_arcsec: Mapped[float | None] = mapped_column()
    psf_fwhm_arcsec: Mapped[float | None] = mapped_column()
    source_pixel_scale_arcsec: Mapped[float | None] = mapped_column(doc="before any regridding")
    sersic_index: Mapped[float | None] = mapped_column()
    half_light_radius_arcsec: Mapped[float | None] = mapped_column()
    axis_ratio: Mapped[float | None] = mapped_column()
    position_angle_deg: Mapped[float | None] = mapped_column(doc="east of north")
    richness: Mapped[float | None] = mapped_column()
    variance_available: Mapped[bool] = mapped_column(default=False)
    psf_matched: Mapped[bool] = mapped_column(default=False)
    target_psf_fwhm_arcsec: Mapped[float | None] = mapped_column()
    truth: Mapped[dict[str, Any] | None] = mapped_column(doc="of a simulated object, else NULL")
    properties: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="every further column of the source table"
    )

    candidate: Mapped[Candidate] = relationship(back_populates="observation")
