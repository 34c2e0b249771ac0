"""Models from others: mutated trees, manifests and tensors never end the process."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from attacking import seeds
from safetensors.numpy import load_file, save_file

from lens_triage.training.bundled import BUNDLED
from lensing_core.models.manifest import MANIFEST
from lensing_core.models.vetting import check_model, check_safetensors

TREES = next(iter(sorted(BUNDLED.glob("*/trees-*"))))
NETWORK = next(iter(sorted(BUNDLED.glob("*/resnet18-*"))))


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled, or a number made huge or negative."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(out))
        what = rng.randrange(5)
        if what == 0:
            out[at] = rng.randrange(256)
        elif what == 1:
            del out[at : at + rng.randint(1, 400)]
        elif what == 2:
            out[at:at] = out[at : at + rng.randint(1, 400)]
        elif what == 3:
            out[at:at] = rng.choice([b"-1 ", b"2147483647 ", b"nan ", b"99999999999 "])
        else:
            del out[at:]
        if not out:
            out = bytearray(b"\0")
    return bytes(out)


def small_trees(folder: Path) -> bytes:
    """The first trees of a bundled model: enough to mutate, quick to read."""
    text = (TREES / "trees.txt").read_bytes()
    first, second = text.index(b"Tree=0"), text.index(b"Tree=1")
    head = b"\n".join(
        b"tree_sizes=%d" % (second - first) if line.startswith(b"tree_sizes") else line
        for line in text[:first].split(b"\n")
    )
    return head + text[first:second] + b"end of trees\n"


def write(folder: Path, trees: bytes) -> dict:
    """A model of these trees, whose manifest has the matching sha256."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "trees.txt").write_bytes(trees)
    manifest = json.loads((TREES / MANIFEST).read_text())
    manifest["files"] = {"trees.txt": hashlib.sha256(trees).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return manifest


@pytest.mark.attack("LightGBM text with a matching sha256")
def test_no_trees_end_the_process(attack, tmp_path):
    whole = small_trees(tmp_path)
    check_model(tmp_path / "model", write(tmp_path / "model", whole))
    for seed in seeds(6):
        with attack.case(seed):
            changed = mutated(whole, random.Random(seed))
            check_model(tmp_path / "model", write(tmp_path / "model", changed))
            used = lightgbm.Booster(model_str=changed.decode())  # what passed does no harm here
            used.predict(np.random.default_rng(seed).normal(size=(64, used.num_feature())))


@pytest.mark.attack("trees of which one number is another")
def test_no_number_of_a_tree_points_out_of_it(attack, tmp_path):
    """Mutations that keep the form: what LightGBM itself does not notice."""
    whole = small_trees(tmp_path).decode().split("\n")
    fields = [
        "num_leaves",
        "num_cat",
        "split_feature",
        "decision_type",
        "left_child",
        "right_child",
    ]
    folder = tmp_path / "model"
    for seed in seeds(30):
        with attack.case(seed):
            rng, lines = random.Random(seed), list(whole)
            field = rng.choice(fields)
            at = next(k for k, line in enumerate(lines) if line.startswith(f"{field}="))
            name, _, values = lines[at].partition("=")
            numbers = values.split(" ")
            where = rng.randrange(len(numbers))
            old, new = (
                numbers[where],
                rng.choice(["-1", "-99", "7", "31", "246", "99999", "1", "9"]),
            )
            numbers[where] = new
            lines[at] = f"{name}={' '.join(numbers)}"
            # tree_sizes are made right again, or that alone would refuse it
            text = "\n".join(lines)
            size = len(text[text.index("Tree=0") : text.index("end of trees")])
            text = re.sub(r"tree_sizes=\d+", f"tree_sizes={size}", text)
            check_model(folder, write(folder, text.encode()))
            if old != new and name not in ("split_feature", "decision_type"):
                attack.accepted.append(f"{name}[{where}] = {new}, was {old}")


@pytest.mark.attack("manifests of models")
def test_no_manifest_is_taken_that_the_program_could_not_have_written(attack, tmp_path):
    manifest = write(tmp_path / "model", small_trees(tmp_path))
    values = [None, True, -1, 1e300, "", [], {}, [None], {"a": None}, "../x", float("nan")]
    for seed in seeds(60):
        with attack.case(seed):
            rng = random.Random(seed)
            name = rng.choice(["id", "kind", "files", "contract", "features", "catalogs"])
            value = rng.choice([v for v in values if type(v) is not type(manifest[name])])
            check_model(tmp_path / "model", {**manifest, name: value})
            attack.accepted.append(f"{name} = {value!r}")


@pytest.mark.attack("safetensors by their header")
def test_tensors_that_pass_can_be_read(attack, tmp_path):
    path = tmp_path / "weights.safetensors"
    values = {"a": np.arange(12, dtype="f4").reshape(3, 4), "b": np.ones(5, "f2")}
    save_file(values, path)
    check_safetensors(path)
    check_safetensors(NETWORK / "weights.safetensors")
    data = path.read_bytes()
    for seed in seeds(200):
        with attack.case(seed):
            path.write_bytes(mutated(data, random.Random(seed)))
            check_safetensors(path)
            load_file(path)
