"""Pretrained encoders of a workspace, and the catalogs that they have embedded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.models.manifest import ENCODER
from lensing_core.models.outputs import rows_stored
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.tables import Model
from lensing_core.workspace import Workspace


def find_encoder(
    session: Session, spec: Mapping[str, Any], contract: Mapping[str, Any]
) -> str | None:
    """Id of the encoder without a head that sees cutouts as ``spec`` says; None if there is none.

    Parameters
    ----------
    spec, contract : mapping
        Plain JSON of :class:`~lensing_core.models.encoders.EncoderSpec` and of its input contract.
    """
    for model in _encoders(session):
        manifest = model.manifest
        if manifest.get("encoder") == _as_json(spec) and manifest["contract"] == contract:
            return model.id
    return None


def _as_json(value: Any) -> Any:
    """Replace tuples by lists, as the database returns them."""
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value


def encoders_of(
    session: Session, workspace: Workspace, catalogs: Sequence[str], names: Sequence[str] = ()
) -> list[str]:
    """Ids of encoders that have stored embeddings of all candidates of some catalogs.

    Parameters
    ----------
    names : sequence of str
        Ids, or their beginnings; all encoders where none are named.

    Raises
    ------
    NotFoundError
        If a named one is unknown or has not encoded a catalog.
    """
    sizes = {name: find_catalog(session, name).n_candidates for name in catalogs}
    encoded = [
        model.id
        for model in _encoders(session)
        if all(rows_stored(workspace, model.id, name) >= n for name, n in sizes.items())
    ]
    if not names:
        return encoded
    chosen = []
    for name in names:
        mine = [key for key in encoded if key.startswith(name.replace("_", "-"))]
        if not mine:
            raise NotFoundError(
                f"No encoder {name} has encoded {', '.join(catalogs)}; run lens-triage encode "
                f"first. Encoders that have: {', '.join(encoded) or 'none'}."
            )
        chosen += mine
    return list(dict.fromkeys(chosen))


def _encoders(session: Session) -> list[Model]:
    """Encoders without a head that are not broken, the newest first."""
    models = session.scalars(
        select(Model).where(Model.kind == ENCODER).order_by(Model.created_at.desc(), Model.id)
    )
    return [m for m in models if not m.problem and not m.manifest.get("has_head")]
