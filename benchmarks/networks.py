"""How large and how fast are the networks, against a ResNet-18 in the same run?

    python benchmarks/networks.py --size 64 --bands 5

Each network takes the same batch through a forward pass (evaluation, no gradients) and through a
training step (forward, backward, AdamW). All take turns within each round, and the best round of
each counts, so that other load on the machine hits all alike. Weights are random: speed does not
depend on them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch

from lensing_core.models.networks import NetworkSpec, build_network

BASELINE = "resnet18"
DEFAULT = [
    "arc_aware",
    "arc_aware:prior=false",
    "resnet18:small_stem=true",
    "resnet34",
    "convnext_atto",
    "convnext_tiny",
    "efficientnet_b0",
    "mobilenetv3_small_100",
    "vit_small_patch16_224",
]


@dataclass
class Entry:
    """One network and its best times, in seconds."""

    name: str
    parameters: int
    forward: Callable[[], None]
    step: Callable[[], None]
    best: dict[str, float] = field(default_factory=dict)


def parse_name(text: str) -> tuple[str, dict[str, bool]]:
    """``"arc_aware:prior=false"`` to the backbone and its options."""
    backbone, _, rest = text.partition(":")
    pairs = (part.split("=") for part in rest.split(",") if part)
    return backbone, {name: value == "true" for name, value in pairs}


def prepare(name: str, images: torch.Tensor, bfloat16: bool) -> Entry:
    """The network with the two actions to time."""
    backbone, options = parse_name(name)
    torch.manual_seed(0)
    spec = NetworkSpec(backbone, images.shape[1], images.shape[2], options=options)
    network = build_network(spec).to(images.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    labels = (torch.arange(len(images), device=images.device) % 2).float()

    def precision() -> torch.autocast | nullcontext[None]:
        return torch.autocast(images.device.type, torch.bfloat16) if bfloat16 else nullcontext()

    def forward() -> None:
        network.eval()
        with torch.inference_mode(), precision():
            network(images).logit.sum().item()

    def step() -> None:
        network.train()
        optimizer.zero_grad()
        with precision():
            logit = network(images).logit
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, labels)
        loss.backward()
        optimizer.step()
        loss.item()

    return Entry(name, sum(p.numel() for p in network.parameters()), forward, step)


def measure(entries: list[Entry], rounds: int) -> None:
    """Let all take turns; keep the best time of each. The first round only warms up."""
    for round_number in range(rounds + 1):
        for entry in entries:
            for name in ("forward", "step"):
                start = time.perf_counter()
                getattr(entry, name)()
                seconds = time.perf_counter() - start
                if round_number:
                    entry.best[name] = min(seconds, entry.best.get(name, seconds))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=DEFAULT, help="backbone[:option=true,...]")
    parser.add_argument("--size", type=int, default=64, help="side of the cutouts, px")
    parser.add_argument("--bands", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bf16")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    generator = torch.Generator().manual_seed(0)
    shape = (arguments.batch, arguments.bands, arguments.size, arguments.size)
    images = torch.randn(shape, generator=generator).to(arguments.device)

    names = [BASELINE, *(name for name in arguments.networks if name != BASELINE)]
    entries = [prepare(name, images, arguments.bfloat16) for name in names]
    measure(entries, arguments.rounds)

    precision = "bf16 autocast" if arguments.bfloat16 else "float32"
    print(f"{shape} on {arguments.device}, {arguments.threads} threads, {precision}")
    print(
        f"{'network':28}{'parameters':>12}{'forward/s':>11}{'ratio':>7}{'train/s':>9}{'ratio':>7}"
    )
    baseline = entries[0].best
    for entry in entries:
        cells = "".join(
            f"{arguments.batch / entry.best[name]:{width}.0f}"
            f"{baseline[name] / entry.best[name]:7.2f}"
            for name, width in (("forward", 11), ("step", 9))
        )
        print(f"{entry.name:28}{entry.parameters / 1e6:11.2f}M{cells}")


if __name__ == "__main__":
    main()
