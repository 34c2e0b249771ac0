"""Do ONNX graphs give the logits of their networks, and at what pace?

Exports the networks of bundled ensembles and prints, for each, the largest difference between
logits of onnxruntime and of this program on simulated cutouts of the ensemble's survey (8-bit
pictures: noise), and the processor time of the graph as a ratio to that of the program's own
scoring by the network, on one thread each. The order of the two alternates; medians are printed.

    python benchmarks/onnx_graphs.py --n 64 --repeats 5
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lens_triage.training.bundled import BUNDLED, make_workspace
from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.files import with_bases
from lensing_core.models.onnx_graphs import export_onnx, open_graph
from lensing_core.scoring import open_ensemble
from lensing_core.simulation import SurveySimulator
from lensing_core.store import open_database
from lensing_core.store.ensembles import BUNDLED_FOR, find_ensemble, version_of
from lensing_core.surveys import get_survey

ZERO_POINT = 25.0


def cutouts(contract: InputContract, survey: str, n: int) -> np.ndarray:
    """Flux (n, band, y, x) at AB zero point 25, or values of pictures; a band of one is missing."""
    if contract.pixel_kind == "rendered":
        shape = (n, len(contract.bands), contract.size_px, contract.size_px)
        flux = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    else:
        known = get_survey(survey)
        bands = tuple(known.band(name) for name in contract.bands)
        simulator = SurveySimulator(
            known, bands, size_px=contract.size_px, lens_fraction=0.5, seed=1
        )
        scale = [10 ** (-0.4 * (band.zero_point_mag - ZERO_POINT)) for band in bands]
        flux = simulator.batch(0, n).flux * np.array(scale, np.float32)[:, None, None]
    flux[0, 0] = np.nan
    return flux.astype(np.float32)


def seconds(function: Callable[[], object]) -> float:
    """Processor time of one call."""
    begun = time.process_time()
    function()
    return time.process_time() - begun


def ratios_of(one: Callable[[], object], other: Callable[[], object], repeats: int) -> list[float]:
    """Processor times of one call over those of another; each is the first every second time."""
    ratios = []
    for k in range(repeats):
        calls = (one, other) if k % 2 else (other, one)
        took = {call: seconds(call) for call in calls}
        ratios.append(took[one] / took[other])
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=64, help="cutouts")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "workspace")
        for name in sorted(path.parent.name for path in BUNDLED.glob("*/ensemble.json")):
            with open_database(workspace).session() as session:
                ensemble = find_ensemble(session, name)
                rule, members = open_ensemble(workspace, ensemble, precision="32")
                version, survey = version_of(ensemble), ensemble.manifest[BUNDLED_FOR]
            graphs = export_onnx(members, rule, name, version, Path(folder) / name)
            bases = {stored.id: stored.member for stored in with_bases(members)}
            for graph in graphs:
                member = bases[graph.model]
                assert isinstance(member, DeepMember | EncoderMember)
                contract = member.contract
                flux = cutouts(contract, survey, chosen.n)
                zero = (ZERO_POINT,) * len(contract.bands)
                geometry = CutoutGeometry(
                    survey, contract.bands, contract.size_px, contract.pixel_scale_arcsec,
                    contract.pixel_kind, zero, zero,
                )  # fmt: skip
                predict = member.predictor(geometry, name)
                run = open_graph(Path(folder) / name / graph.file)
                difference = np.abs(run({"flux": flux})[0] - predict(flux).logit).max()
                ratios = ratios_of(
                    partial(run, {"flux": flux}), partial(predict, flux), chosen.repeats
                )
                size = (Path(folder) / name / graph.file).stat().st_size / 1e6
                print(
                    f"{name:26} {graph.model:32} {size:5.1f} MB  logits within {difference:.1e}  "
                    f"time {np.median(ratios):.2f} of the program's "
                    f"({min(ratios):.2f} to {max(ratios):.2f})"
                )


if __name__ == "__main__":
    main()
