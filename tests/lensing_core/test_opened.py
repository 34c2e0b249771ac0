"""A workspace in the hands of a program: the functions of the pages, in a few lines."""

from __future__ import annotations

import numpy as np
import pytest
from filling import N_OBSERVED, fill_workspace
from tiny_ensembles import GEOMETRY, add_tiny_ensemble

from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError, NotFoundError, WorkspaceError
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.opened import OpenWorkspace
from lensing_core.store import open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.history import history_of
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> OpenWorkspace:
    """Of the catalog ``cosmos``, in which 20 candidates look unlike the others to a network."""
    workspace = Workspace.create(tmp_path_factory.mktemp("opened") / "workspace")
    open_database(workspace)
    fill_workspace(workspace)
    embedding = np.random.default_rng(0).normal(size=(N_OBSERVED, 4)).astype(np.float32)
    embedding[:20] += 6
    writer = OutputWriter(workspace, "first-timm", "cosmos", N_OBSERVED)
    writer.write(0, MemberOutput(np.zeros(N_OBSERVED), embedding))
    with open_database(workspace).session() as session:
        sign_in(session, "Ana")
    return OpenWorkspace.open(workspace.root)


def test_candidates_come_in_the_order_asked_for(search):
    rows = list(search.candidates("first", catalogs=["cosmos"]))
    logits = [row["logit"] for row in rows]
    assert (len(rows), logits) == (N_OBSERVED, sorted(logits, reverse=True))
    names = [r["object_id"] for r in search.candidates(sort="object_id", descending=False, limit=3)]
    assert names == ["cosmos-00000", "cosmos-00001", "cosmos-00002"]
    with pytest.raises(NotFoundError):
        next(search.candidates("none"))


def test_cutouts_are_those_of_the_store(search):
    store = CutoutStore(search.workspace.catalog_cutouts("cosmos"))
    np.testing.assert_array_equal(search.cutouts("cosmos", [3]), store.read(3)[None])
    assert search.geometry("cosmos") == store.geometry


def test_arrays_of_any_length_get_the_same_scores(search):
    rule, members = add_tiny_ensemble(search.workspace)
    flux = np.random.default_rng(2).normal(size=(2, 2, 32, 32)).astype(np.float32)
    raw = np.stack([m.predictor(GEOMETRY, "x")(flux).logit for m in members], axis=1)
    found = search.score(np.tile(flux, (150, 1, 1, 1)), GEOMETRY, "tiny")
    np.testing.assert_allclose(found.scores.logit, np.tile(rule(raw).logit, 150), atol=1e-4)
    assert found.members == ("tiny-arc-aware", "tiny-resnet10t")
    with pytest.raises(BadInputError, match="give \\(n, band, y, x\\)"):
        search.score(flux[0], GEOMETRY, "tiny")


def test_a_head_ranks_what_looks_like_labeled_lenses(search):
    ids = {row.cutout_index: row["candidate"] for row in search.candidates("first")}
    with pytest.raises(BadInputError):
        search.fit_head("cosmos", ensemble="first", prior=0.1)  # nothing is labeled
    for index in range(12):
        uuid = search.add_label(ids[index], "A", grader="Ana", comment="an arc")
    assert search.add_label(ids[11], "X", grader="Ana", uuid=uuid) == uuid  # known: not written
    with search.database.session() as session:
        (entry,) = history_of(session, ids[11])
    assert (entry.who, entry.value, entry.text, entry.place) == ("Ana", "A", "an arc", "api")
    head = search.fit_head(
        "cosmos", ensemble="first", prior=0.06, method="naive", learner="logistic"
    )
    assert (head.member, int(head.is_lens.sum())) == ("first-timm", 12)
    assert set(head.best(8).tolist()) == {ids[index] for index in range(12, 20)}
    with pytest.raises(NotFoundError, match="no grader"):
        search.add_label(1, "A", grader="Nobody")
    with pytest.raises(BadInputError, match="Z"):
        search.add_label(1, "Z", grader="Ana")
    with pytest.raises(NotFoundError, match="score the catalog"):
        search.fit_head("simulated", ensemble="first", prior=0.1)


def test_a_folder_without_a_workspace_is_refused(tmp_path):
    with pytest.raises(WorkspaceError):
        OpenWorkspace.open(tmp_path)
