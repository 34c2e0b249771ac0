"""What is still hidden after the grades of a workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa

from lensing_core.acquisition import QueueEntry
from lensing_core.consensus import SCHEMES
from lensing_core.errors import NotFoundError
from lensing_core.labeling import NewSession, create_session
from lensing_core.labeling.still_hidden import still_hidden
from lensing_core.selection import capture_recapture
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import Catalog, Score


def grade(session, keys, said):
    given = SCHEMES["abcx"].grade(said)
    append_events(
        session,
        [
            NewEvent(
                str(uuid4()), "grade", grader_named(session, "Ana").id, key, "abcx",
                datetime(2026, 5, 1, tzinfo=UTC), grade=said, is_lens=given.is_lens,
                p_lens=given.p_lens,
            )
            for key in keys
        ],
    )  # fmt: skip


def test_lenses_that_nobody_found_are_counted_two_ways(filled_workspace):
    database = open_database(filled_workspace)
    with database.session() as session:
        catalog = session.query(Catalog).filter_by(name="cosmos").one()
        rows = session.execute(
            sa.select(Score.candidate_id, Score.logit)
            .where(Score.catalog_id == catalog.id)
            .order_by(Score.logit.desc())
        ).all()
        ids, p = [r[0] for r in rows], 1 / (1 + np.exp(-np.array([r[1] for r in rows])))
        before = still_hidden(session, "cosmos", 6.0)
        assert np.isnan(before.tail.ratio)
        assert before.tail.hidden.value == pytest.approx(p.sum())
        assert before.by_captures is None

        sampled = [*ids[:2], ids[60], ids[90]]
        entries = [QueueEntry(key, "random") for key in sampled]
        create_session(session, NewSession("fair", entries, {"strategy": "random"}), None)
        lenses = [*ids[:4], ids[60]]
        others = [*ids[4:12], ids[90]]
        grade(session, lenses, "A")
        grade(session, others, "X")
        found = still_hidden(session, "cosmos", 6.0)
        in_list = round(float(p.sum()))  # the list of expected lenses
        machine = sum(key in ids[:in_list] for key in lenses)
        assert (found.lenses, found.decided, found.undecided) == (5, 14, len(ids) - 14)
        assert (found.captures.machine, found.captures.graders) == (machine, 3)
        assert (found.captures.both, found.captures.sample) == (2, 4)
        assert found.by_captures == capture_recapture(machine, 3, 2)
        place = {key: k for k, key in enumerate(ids)}
        decided = np.array([place[key] for key in [*lenses, *others]])
        left = np.delete(p, decided)
        assert found.tail.ratio == pytest.approx(5 / p[decided].sum())
        assert found.tail.hidden.value == pytest.approx(found.tail.ratio * left.sum())
        if found.price.objects is not None:
            enough = found.tail.ratio * np.sort(left)[::-1][: found.price.objects].sum()
            assert enough >= found.price.lenses
            assert found.price.minutes == pytest.approx(found.price.objects * 0.1)
        with pytest.raises(NotFoundError):
            still_hidden(session, "nowhere", 6.0)
