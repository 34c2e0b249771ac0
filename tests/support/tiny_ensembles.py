"""An ensemble of two tiny networks, kept in a workspace as a training keeps one; not trained."""

from __future__ import annotations

import torch

from lensing_core.calibration import Calibration
from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import save_member
from lensing_core.models.networks import NetworkSpec, build_network
from lensing_core.store import open_database
from lensing_core.store.models import add_ensemble
from lensing_core.workspace import Workspace

GEOMETRY = CutoutGeometry("hsc", ("g", "r"), 32, 0.168, "flux", (27.0, 27.0), (0.7, 0.7))
TINY = {
    "arc_aware": {"dim": 24, "depth": 1, "heads": 2},
    "resnet10t": {"timm": {"channels": (8, 8, 16, 16)}},
}


def add_tiny_ensemble(
    workspace: Workspace, name: str = "tiny"
) -> tuple[EnsembleRule, list[DeepMember]]:
    """Keep an ensemble of an ``arc_aware`` network and a ResNet; returns its rule and members."""
    members, manifests = [], {}
    for k, (backbone, options) in enumerate(TINY.items()):
        torch.manual_seed(k)
        spec = NetworkSpec(backbone, 2, 32, options=options)
        network = build_network(spec).eval()
        member = DeepMember(InputContract.of(GEOMETRY), spec, network, ImageScaling((1.0, 1.5)))
        model_id = f"{name}-{backbone.replace('_', '-')}"
        manifests[model_id] = save_member(workspace, model_id, member, {})
        members.append(member)
    line = Calibration("platt", 1.5, -0.5, (), (), 0.5)
    rule = EnsembleRule("mean", (line, line), Calibration("platt", 1.1, 0.2, (), (), 0.5), 1e-3)
    manifest = {"catalogs": ["drawn"], "data_sha256": "0" * 64, "rule": rule.to_json()}
    with open_database(workspace).session() as session:
        add_ensemble(session, name, "mean", manifest, list(manifests), manifests)
    return rule, members
