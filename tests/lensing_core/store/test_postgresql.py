"""The same store on a real PostgreSQL server, started for the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from rows import add_catalog

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import WorkspaceError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate, Rejected
from lensing_core.store import open_database, sealed_log
from lensing_core.store.candidates import (
    candidate_at,
    cutout_places,
    nearest_candidate,
    object_names,
)
from lensing_core.store.catalogs import catalog_names, find_catalog
from lensing_core.store.ensembles import models_by_preference
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.score_context import probabilities_of
from lensing_core.store.tables import Base, Candidate, Catalog, Quarantine
from lensing_core.store.votes import (
    GivenGrade,
    OwnGrade,
    count_grades_of_others,
    grades_of,
    own_grade,
)
from lensing_core.workspace import Workspace

pytestmark = pytest.mark.slow


def test_a_catalog_on_postgresql(postgresql_url, tmp_path):
    workspace = Workspace.create(tmp_path / "ws")
    (workspace.root / "database-url").write_text(postgresql_url + "\n")
    database = open_database(workspace)
    assert database.engine.dialect.name == "postgresql"
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []

    geometry = CutoutGeometry("hsc", ("g",), 8, 0.168, "flux", (27.0,), (0.8,))
    writer = CatalogWriter(workspace, CatalogSpec("cat", geometry, survey_definition={}))
    flux = np.arange(3 * 64, dtype="f4").reshape(3, 1, 8, 8)
    rows = [NewCandidate(f"o{k}", 10.0 + k, -5.0, observation={"snr": 3.5}) for k in range(3)]
    writer.append(flux, rows, rows_read=4, rejected=[Rejected(3, "missing_file", "gone")])
    writer.finish()

    with database.session() as session:
        catalog = session.scalars(sa.select(Catalog)).one()
        assert (catalog.n_candidates, catalog.n_quarantined, catalog.complete) == (3, 1, True)
        found = session.scalars(sa.select(Candidate).order_by(Candidate.cutout_index)).all()
        assert [c.object_id for c in found] == ["o0", "o1", "o2"]
        assert found[2].observation.snr == 3.5
        assert session.scalars(sa.select(Quarantine.reason)).all() == ["missing_file"]
    with database.session() as session:
        first = candidate_at(session, "cat", 0)
        assert catalog_names(session) == {find_catalog(session, "cat").id: "cat"}
        assert object_names(session, [first]) == {first: "o0"}
        assert cutout_places(session, [first])[first].cutout_sha256 == found[0].cutout_sha256
        assert nearest_candidate(session, 10, -5 + 2 / 3600, 5) == first
        assert nearest_candidate(session, 10.5, -5, 5) is None
        assert models_by_preference(session, 1) == []
        assert probabilities_of(session, 1, [first]) == {}
        ada = grader_named(session, "Ada").id
        uuid = str(uuid4())
        event = NewEvent(uuid, "grade", ada, first, "abcx", datetime.now(UTC), grade="A")
        append_events(session, [event])
        assert grades_of(session, [first]) == [GivenGrade(first, ada, "Ada", "abcx", "A")]
        assert own_grade(session, first, ada) == OwnGrade(uuid, "abcx", None)
        assert count_grades_of_others(session, first, ada) == 0
    with pytest.raises(sa.exc.IntegrityError), database.session() as session:
        session.add(Candidate(catalog_id=999, object_id="x", cutout_index=0, cutout_sha256=""))


def test_the_log_of_grades_hashes_alike_and_is_sealed_on_postgresql(postgresql_url, tmp_path):
    workspace = Workspace.create(tmp_path / "ws")
    (workspace.root / "database-url").write_text(postgresql_url + "\n")
    database = open_database(workspace)
    given_at = datetime(2026, 5, 1, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with database.session() as session:
        (candidate,) = add_catalog(session, "mine", 1)
        ada = grader_named(session, "Ada").id
        for shown_ms in (12, 12.7, None):
            event = NewEvent(
                str(uuid4()),
                "grade",
                ada,
                candidate,
                "abcx",
                given_at,
                grade="X",
                is_lens=0,
                p_lens=0.1,
                reject_reason="ring",
                comment="A\u030angstro\u0308m",
                shown_ms=shown_ms,
                view={"q": 1e-7, "é": [1, None, 10**20]},
            )
            append_events(session, [event])
    report = sealed_log.check(workspace, database)
    assert (report.n_events, report.n_votes) == (3, 1)
    with database.session() as session:
        session.execute(sa.text("UPDATE grader SET name = 'Eve'"))
    with pytest.raises(WorkspaceError, match="'Eve'"):
        sealed_log.check(workspace, database)
    with database.session() as session:
        session.execute(sa.text("UPDATE grader SET name = 'Ada'"))
        session.execute(sa.text("DELETE FROM label_event WHERE id = 2"))
    with pytest.raises(WorkspaceError, match="event 2 is missing"):
        sealed_log.check(workspace, database)
