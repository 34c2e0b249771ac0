"""How many cutouts a second does a pretrained encoder embed, and is that faster than a plain loop?

    python benchmarks/encoders.py --threads 2

Cutouts of 64 px in three bands, two crops, one or four rotations, in the precision that the program
chooses and in bf16. The plain loop runs the same network in
float32 as it comes, one view after another, without folding or channels last. Each way is the best
of several rounds, taken in turn.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from dataclasses import replace
from itertools import product

import numpy as np
import torch

from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.deep import has_bf16_units
from lensing_core.models.encoders import EncoderMember, make_encoder
from lensing_core.models.encoders.layers import LayeredEncoder
from lensing_core.processes import available_cores

GEOMETRY = CutoutGeometry("hsc", ("g", "r", "i"), 64, 0.168, "flux", (27.0,) * 3, (0.7,) * 3)


@torch.inference_mode()
def plain_loop(member: EncoderMember, flux: np.ndarray) -> np.ndarray:
    """Embeddings by the network as it comes."""
    predict = member.predictor(GEOMETRY, "benchmark")
    network = LayeredEncoder(copy.deepcopy(member.network), member.spec.layers)
    levels = predict.pictures(flux)
    parts = []
    for crop in member.spec.crops_arcsec:
        image = predict._crop(levels, crop)
        views = [
            network(torch.rot90(image, k, (2, 3)).contiguous()) for k in range(member.spec.views)
        ]
        parts.append(torch.stack(views).mean(0))
    return torch.cat(parts, 1).numpy()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="efficientnet_lite0")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--px", type=int, nargs="*", default=[128])
    parser.add_argument("--n", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    flux = np.random.default_rng(0).normal(size=(arguments.n, *GEOMETRY.shape)).astype("f4")
    print(f"{arguments.encoder}, {arguments.threads} threads, bf16 units: {has_bf16_units('cpu')}")
    for layers in ("middle", "both"):
        for views, px in product((1, 4), arguments.px):
            member = make_encoder(
                arguments.encoder, flux, GEOMETRY, input_px=px, views=views, layers=layers
            )
            ways = {
                "encoder": member.predictor(GEOMETRY, "benchmark"),
                "bf16": replace(member, precision="bf16").predictor(GEOMETRY, "benchmark"),
                "plain": lambda x, m=member: plain_loop(m, x),
            }
            best = dict.fromkeys(ways, np.inf)
            for _ in range(arguments.rounds):
                for name, way in ways.items():
                    began = time.perf_counter()
                    way(flux)
                    best[name] = min(best[name], time.perf_counter() - began)
            rate = {name: arguments.n / seconds for name, seconds in best.items()}
            print(
                f"{layers}, {views} views, {px} px: {rate['encoder']:.1f} cutouts/s, bf16 "
                f"{rate['bf16']:.1f}/s, plain loop {rate['plain']:.1f}/s, ratio "
                f"{rate['encoder'] / rate['plain']:.2f}",
                flush=True,
            )
    print(f"load (1-minute average) {os.getloadavg()[0]:.1f} on {available_cores()} cores")


if __name__ == "__main__":
    main()
