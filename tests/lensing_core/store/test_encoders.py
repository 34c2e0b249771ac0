"""Encoders of a workspace: found by their specification and by what they have embedded."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from manifests import CONTRACT
from rows import add_catalog

from lensing_core.errors import NotFoundError
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.encoders import encoders_of, find_encoder
from lensing_core.store.tables import Model, utc_now

SPEC = {"architecture": "vit", "layers": (3, 7), "look": {"stretch": "asinh", "crops": (1.0,)}}


@pytest.fixture
def database(workspace):
    """A database with two catalogs, and encoders that have seen one or both of them."""
    database = open_database(workspace)
    with database.session() as session:
        add_catalog(session, "near", 4)
        add_catalog(session, "far", 3)
        for age, (name, changes) in enumerate(
            {
                "old-vit": {},
                "new-vit": {},
                "other": {"encoder": {"architecture": "resnet"}},
                "headed": {"has_head": True},
                "broken": {"contract": None},
            }.items()
        ):
            manifest = {"id": name, "kind": "encoder", "files": {}, "contract": CONTRACT,
                        "encoder": SPEC, "has_head": False, **changes}  # fmt: skip
            created_at = utc_now() - timedelta(minutes=10 - age)
            session.add(Model(id=name, kind="encoder", manifest=manifest, created_at=created_at))
    stored = {"old-vit": (4, 3), "new-vit": (4, 2), "headed": (4, 0)}
    for model, counts in stored.items():
        for catalog, rows in zip(("near", "far"), counts, strict=True):
            embedding = np.ones((rows, 5), np.float32)
            output = MemberOutput(np.zeros(rows), embedding=embedding)
            OutputWriter(workspace, model, catalog, rows).write(0, output)
    return database


def test_the_newest_encoder_of_a_specification_is_found(database):
    assert database.ask(find_encoder, SPEC, CONTRACT) == "new-vit"
    assert database.ask(find_encoder, {"architecture": "resnet"}, CONTRACT) == "other"
    assert database.ask(find_encoder, {**SPEC, "layers": (3,)}, CONTRACT) is None
    assert database.ask(find_encoder, SPEC, {**CONTRACT, "size_px": 64}) is None


def test_an_encoder_counts_once_it_has_embedded_every_candidate(workspace, database):
    def having(*catalogs, names=()):
        return database.ask(encoders_of, workspace, catalogs, names)

    assert having("near") == ["new-vit", "old-vit"]
    assert having("near", "far") == ["old-vit"]
    assert having("near", names=["old_v", "new", "old"]) == ["old-vit", "new-vit"]
    with pytest.raises(NotFoundError, match=r"No encoder new has encoded near, far.*have: old-vit"):
        having("near", "far", names=["new"])
    with pytest.raises(NotFoundError, match="no catalog nowhere"):
        having("nowhere")
