"""Models, and the ensembles that people promote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lensing_core.errors import BrokenModelError
from lensing_core.models.manifest_form import check_ensemble_manifest, check_model_copy
from lensing_core.models.manifest_types import EnsembleManifest
from lensing_core.store.tables.base import Base, ManifestJson, utc_now


class Model(Base):
    """One trained, immutable member; its files lie in ``models/<id>/``."""

    __tablename__ = "model"

    id: Mapped[str] = mapped_column(String(63), primary_key=True, doc="slug; names the folder")
    kind: Mapped[str] = mapped_column(String(16), doc="of lensing_core.models.manifest_types.KINDS")
    stored_manifest: Mapped[Any] = mapped_column(
        "manifest", ManifestJson, doc="a copy of manifest.json; read it by ``manifest``"
    )
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest, checked; raises BrokenModelError."""
        return check_model_copy(self.stored_manifest, self.id)

    @manifest.setter
    def manifest(self, manifest: dict[str, Any]) -> None:
        self.stored_manifest = manifest

    @property
    def problem(self) -> str:
        """Return what is wrong with the manifest, as one sentence; '' for nothing."""
        return _problem(self)


class Ensemble(Base):
    """Members with a fusion rule and a calibration, immutable once written."""

    __tablename__ = "ensemble"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True, doc="slug")
    title: Mapped[str] = mapped_column(
        String(80), default="", server_default="", doc="shown in place of its name; '': the name"
    )
    fusion: Mapped[str] = mapped_column(String(24), doc="rule that fuses member logits")
    stored_manifest: Mapped[Any] = mapped_column(
        "manifest",
        ManifestJson,
        doc="calibration, class prior, metrics with intervals, data hashes, versions; read it by "
        "``manifest``",
    )
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    promoted_at: Mapped[datetime | None] = mapped_column(doc="NULL: not promoted")
    archived_at: Mapped[datetime | None] = mapped_column(
        doc="since when lists and choices leave it out; NULL: they have it"
    )

    members: Mapped[list[EnsembleMember]] = relationship(
        order_by="EnsembleMember.position", cascade="all, delete-orphan", lazy="selectin"
    )

    @property
    def shown_name(self) -> str:
        """Its title, else its name."""
        return self.title or self.name

    @property
    def manifest(self) -> EnsembleManifest:
        """The manifest, checked; raises BrokenModelError."""
        return check_ensemble_manifest(self.stored_manifest, self.name)

    @manifest.setter
    def manifest(self, manifest: Mapping[str, Any]) -> None:
        self.stored_manifest = manifest

    @property
    def problem(self) -> str:
        """Return what is wrong with the manifest, as one sentence; '' for nothing."""
        return _problem(self)


class EnsembleMember(Base):
    """A model's place in an ensemble."""

    __tablename__ = "ensemble_member"

    ensemble_id: Mapped[int] = mapped_column(
        ForeignKey("ensemble.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"), primary_key=True)
    position: Mapped[int] = mapped_column()
    weight: Mapped[float] = mapped_column(default=1.0)

    model: Mapped[Model] = relationship(lazy="joined")


def _problem(row: Model | Ensemble) -> str:
    try:
        row.manifest  # noqa: B018 - raises
    except BrokenModelError as error:
        return str(error)
    return ""
