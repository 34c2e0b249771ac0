"""ONNX graphs give the logits of their networks, and the JSON beside them the ensemble's scores."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from tiny_ensembles import GEOMETRY, add_tiny_ensemble

from lensing_core.errors import BadInputError, ContractError
from lensing_core.models import onnx_graphs
from lensing_core.models.encoders import make_encoder
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import StoredMember
from lensing_core.models.onnx_graphs import export_onnx, run_graph
from lensing_core.pu.learners import LogisticLearner
from lensing_core.scoring import open_ensemble
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble, version_of
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory) -> tuple[EnsembleRule, list[StoredMember], str]:
    """The rule, the members (the second turned by all eight turns) and the version."""
    workspace = Workspace.create(tmp_path_factory.mktemp("onnx") / "workspace")
    add_tiny_ensemble(workspace)
    with open_database(workspace).session() as session:
        found = find_ensemble(session, "tiny")
        rule, (first, second) = open_ensemble(workspace, found, precision="32")
        turned = replace(second, member=replace(second.member, dihedral_averaging=True))
        return rule, [first, turned], version_of(found)


def test_graphs_and_rule_give_the_scores_of_the_ensemble(ensemble, tmp_path):
    rule, members, version = ensemble
    made = export_onnx(members, rule, "tiny", version, tmp_path / "out")
    assert max(graph.largest_difference for graph in made) < 1e-4
    told = json.loads((tmp_path / "out" / "ensemble.json").read_text())
    assert (told["version"], told["not_exported"]) == (version, [])
    flux = np.random.default_rng(3).normal(0, 20, (7, 2, 32, 32)).astype(np.float32)
    flux[1, 1] = np.nan
    raw = []
    for graph, stored in zip(told["graphs"], members, strict=True):
        at_25 = flux * np.float32(10 ** (-0.4 * (27.0 - graph["zero_point_mag"])))
        logit, embedding = run_graph(tmp_path / "out" / graph["file"], {"flux": at_25})
        output = stored.member.predictor(GEOMETRY, "noise")(flux)
        np.testing.assert_allclose(logit, output.logit, atol=1e-4)
        np.testing.assert_allclose(embedding, output.embedding, atol=1e-4)
        raw.append(logit.astype(np.float64))
    again = EnsembleRule.from_json(told["rule"])(np.stack(raw, axis=1))
    outputs = [stored.member.predictor(GEOMETRY, "noise")(flux).logit for stored in members]
    expected = rule(np.stack(outputs, axis=1))
    np.testing.assert_allclose(again.logit, expected.logit, atol=1e-4)


def test_the_graph_of_an_encoder_crops_resizes_and_turns_as_it_does(ensemble, tmp_path):
    rule, _, version = ensemble
    flux = np.random.default_rng(4).normal(0, 20, (6, 2, 32, 32)).astype(np.float32)
    flux[1, 1], flux[2, :, :9] = np.nan, np.nan
    torch.manual_seed(0)
    weights = tmp_path / "tiny.safetensors"
    save_file(timm.create_model("test_efficientnet").state_dict(), weights)
    member = make_encoder(
        "test_efficientnet", flux, GEOMETRY, weights_file=weights, input_px=48, layers="middle"
    )
    embedding = member.predictor(GEOMETRY, "noise")(flux).embedding
    head = LogisticLearner().fit(embedding, np.array([0, 1, 0, 1, 0, 1]), seed=0)
    stored = StoredMember("encoder-1", member.with_head(head, None), {})
    (graph,) = export_onnx([stored], rule, "tiny", version, tmp_path / "out")
    expected = stored.member.predictor(GEOMETRY, "noise")(flux)  # as it was before
    at_25 = flux * np.float32(10 ** (-0.4 * 2))
    logit, embedding = run_graph(tmp_path / "out" / graph.file, {"flux": at_25})
    np.testing.assert_allclose(logit, expected.logit, atol=1e-4)
    np.testing.assert_allclose(embedding, expected.embedding, atol=1e-4)


def test_what_cannot_be_exported_is_said(ensemble, tmp_path, monkeypatch):
    rule, members, version = ensemble
    with pytest.raises(BadInputError, match="exists"):
        export_onnx(members, rule, "tiny", version, tmp_path)
    with pytest.raises(BadInputError, match="has no network"):
        export_onnx([], rule, "tiny", version, tmp_path / "out")
    monkeypatch.setattr(onnx_graphs, "run_graph", lambda *given: (np.full(5, 9.0), None))
    with pytest.raises(ContractError, match="nothing was exported"):
        export_onnx(members[1:], rule, "tiny", version, tmp_path / "out")
    monkeypatch.setattr(onnx_graphs, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match=r"lens-triage\[onnx\]"):
        export_onnx(members, rule, "tiny", version, tmp_path / "out")
    assert not (tmp_path / "out").exists()
