"""LightGBM's trees as text: the one way in and out, so that no file of others ends this process.

LightGBM checks little of what it reads: a child that is no node of its tree, or a split by a
feature that there is not, is followed to wherever it points, at reading or at some later object.
The form of every tree is checked here; then another process reads and uses the text once
(:mod:`lensing_core.models.vetting`). That is done once for a text, by its SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm

from lensing_core.errors import BadInputError
from lensing_core.models.vetting import MOST_BYTES, check_plain_file, try_trees
from lensing_core.private_files import touch_private

_MOST_FEATURES = 1_000_000
_TREE = re.compile(rb"^Tree=(\d+)$", re.MULTILINE)
_END = b"\nend of trees"
_vetted: set[str] = set()


def load_trees(path: Path, files: Mapping[str, str] | None = None) -> lightgbm.Booster:
    """Read trees that were written here, or that are found to be in order.

    Parameters
    ----------
    files : mapping of str to str, optional
        SHA-256 by name, of the model's manifest; the file must be one of them.

    Raises
    ------
    BadInputError
        If the file is missing, is not the one of the manifest, or holds no trees that can be used.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read ({error.strerror}); train the model again."
        ) from error
    digest = hashlib.sha256(text).hexdigest()
    if files is not None and files.get(path.name) != digest:
        raise BadInputError(
            f"{path} is not the file that its manifest names; train the model again, or restore "
            "its folder."
        )
    record = _record(path, digest)
    if digest not in _vetted and not (record is not None and record.is_file()):
        check_trees(path, text)
        _remember(record, digest)
    _vetted.add(digest)
    try:
        return lightgbm.Booster(model_str=text.decode())
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read ({error}); train the model again.") from error


def save_trees(booster: lightgbm.Booster, path: Path) -> None:
    """Write trees of this process; they need no look when they are read again."""
    booster.save_model(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _vetted.add(digest)


def remember_trees(folder: Path) -> None:
    """Note that the trees of a model's folder within a workspace need no look any more."""
    for path in folder.glob("*.txt"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        _remember(_record(path, digest), digest)


def check_trees(path: Path, text: bytes | None = None) -> None:
    """Raise BadInputError unless the trees of a file can be used without harm.

    Parameters
    ----------
    text : bytes, optional
        What the file holds, where it was read already.
    """
    check_plain_file(path)
    if text is None:
        text = path.read_bytes()
    if len(text) > MOST_BYTES[".txt"]:
        raise BadInputError(f"{path} has {len(text):,} bytes; no trees have so many.")
    if not text.startswith(b"tree\n"):
        raise BadInputError(f"{path} holds no trees of LightGBM.")
    try:
        problem = _problem(text)
    except (ValueError, IndexError, KeyError) as error:
        problem = f"a part of it is missing or no number ({error})"
    if problem:
        raise BadInputError(f"{path}: {problem[:120]}; take the file from its source again.")
    try_trees(path, text)


def _record(path: Path, digest: str) -> Path | None:
    """File that records a text as checked with this LightGBM; None outside a workspace."""
    root = path.parent.parent.parent
    if path.parent.parent.name != "models" or not (root / "cache").is_dir():
        return None
    return root / "cache" / "trees" / f"{digest}-{lightgbm.__version__}"


def _remember(record: Path | None, digest: str) -> None:
    _vetted.add(digest)
    if record is None:
        return
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        touch_private(record)
    except OSError:  # a disk that is full or read-only: they are looked at once more
        return


# -- the form of the text --------------------------------------------------------------------------


def _problem(text: bytes) -> str:
    """Return what is wrong with the form of the trees; '' for nothing."""
    starts = [match.start() for match in _TREE.finditer(text)]
    if not starts:
        return "it holds no tree"
    end = text.find(_END, starts[-1])
    if end < 0:
        return "its trees do not end"
    header = _fields(text[: starts[0]])
    n_features = int(header["max_feature_idx"]) + 1
    if not 1 <= n_features <= _MOST_FEATURES:
        return f"{n_features} features"
    if (header["num_class"], header["num_tree_per_iteration"]) != ("1", "1"):
        return "it scores several classes; the program's models score one"
    sizes = [int(size) for size in header["tree_sizes"].split()]
    begins = [starts[0] + sum(sizes[:k]) for k in range(len(sizes))]
    if begins != starts or len(header["feature_names"].split()) != n_features:
        return "tree_sizes or feature_names do not fit its trees"
    ends = [*starts[1:], end]
    for number, (begin, stop) in enumerate(zip(starts, ends, strict=True)):
        tree = _fields(text[begin:stop])
        if int(tree["Tree"]) != number:
            return f"tree {number} is named {tree['Tree'][:20]}"
        if problem := _problem_of_tree(tree, n_features):
            return f"tree {number}: {problem}"
    return ""


def _fields(text: bytes) -> dict[str, str]:
    """Name and value of each line; a name that comes twice is an error."""
    fields: dict[str, str] = {}
    for line in text.decode().split("\n"):
        name, _, value = line.partition("=")
        if name and name in fields:
            raise ValueError(f"{name[:20]} twice")
        fields[name] = value
    return fields


def _problem_of_tree(tree: Mapping[str, str], n_features: int) -> str:
    n_leaves = int(tree["num_leaves"])
    if n_leaves < 1 or tree.get("num_cat") != "0" or tree.get("is_linear", "0") != "0":
        return "it has no leaves, categories, or a line in a leaf"
    if len(_numbers(tree, "leaf_value", float)) != n_leaves:
        return "leaf_value has another number of values than there are leaves"
    if n_leaves == 1:
        return ""
    n_nodes = n_leaves - 1
    splits = _numbers(tree, "split_feature", int)
    kinds = _numbers(tree, "decision_type", int)
    left, right = _numbers(tree, "left_child", int), _numbers(tree, "right_child", int)
    columns = (splits, kinds, left, right, _numbers(tree, "threshold", float))
    if any(len(column) != n_nodes for column in columns):
        return "its nodes have values of another number than there are nodes"
    if not all(0 <= split < n_features for split in splits):
        return "it splits by a feature that there is not"
    # Bit 0: by category; bits 2 and 3: what missing values are, of which 3 is none.
    if not all(0 <= kind < 12 and not kind & 1 for kind in kinds):
        return "it has a kind of decision that the program's models have not"
    # Every leaf and every node but the root is the child of one node: with this, and children
    # of higher number than their parent, the nodes are a tree.
    if sorted([*left, *right]) != [*range(-n_leaves, 0), *range(1, n_nodes)]:
        return "its nodes are no tree"
    if any(
        0 <= child <= node
        for node, pair in enumerate(zip(left, right, strict=True))
        for child in pair
    ):
        return "its nodes are in a circle"
    return ""


def _numbers(tree: Mapping[str, str], name: str, kind: type) -> list[Any]:
    return [kind(value) for value in tree[name].split(" ")]
