"""The repository's own promises: the two environments agree, and nothing points outside."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"pytorch": "torch"}


def _bounds(requirements: list[str]) -> dict[str, str]:
    found = {}
    for requirement in requirements:
        name, bound = re.fullmatch(r"([A-Za-z0-9._-]+)>=([\d.]+)", requirement).groups()
        found[CONDA_NAMES.get(name, name)] = bound
    return found


def test_conda_environment_equals_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(part["pip"] for part in conda if isinstance(part, dict))
    listed = [part for part in conda if isinstance(part, str) and part != "pip"]
    bounds = _bounds(listed + [part for part in pip if part != "-e ."])
    assert f">={bounds.pop('python')}" == project["requires-python"]
    assert bounds == _bounds(project["dependencies"])


def test_no_tracked_file_names_a_home_or_work_folder_or_is_large():
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")[:-1]
    assert names
    for name in names:
        path = ROOT / name
        assert path.stat().st_size < 41 * 2**20, f"{name} is too large for a repository"
        if path.suffix in {".py", ".md", ".toml", ".yml", ".sh", ".js", ".css"}:
            found = re.search(r"(?<![\w.~])/(home|root|work)/", path.read_text())
            assert found is None or path == Path(__file__), f"{name} names {found.group()}"


def test_no_link_is_tracked_but_those_of_the_package():
    """A link that a commit brings replaces what lies there, such as node's modules."""
    listed = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    links = {line.split("\t")[1] for line in listed if line.startswith("120000 ")}
    assert links == {f"lens_triage/{name}" for name in ("app", "assets", "docs", "training")}


def test_no_pickle_no_shell():
    for path in (
        *ROOT.glob("app/**/*.py"),
        *ROOT.glob("training/**/*.py"),
        *ROOT.glob("lensing_core/**/*.py"),
    ):
        text = path.read_text()
        assert not re.search(r"import pickle|import joblib|allow_pickle=True", text), path
        assert not re.search(r"shell=True|os\.system\(", text), path
        assert "weights_only=False" not in text, path


def test_docstrings_begin_with_a_verb_or_a_noun():
    begin = (
        r'(?:\A|:\n)\s*"""(?:What|Whether|How|Where|Why|Who|Whose|When|That|If|Which|Of|As|By|In)\b'
    )
    for folder in ("app", "training", "lensing_core", "tools"):
        for path in ROOT.glob(f"{folder}/**/*.py"):
            question = re.search(f"{begin}.*", path.read_text())
            assert not question or path.parent.name == "versions", f"{path}: {question.group()}"


def test_pictures_of_guides_exist_have_words_and_are_small():
    folder = ROOT / "assets" / "help"
    shown = set()
    for guide in [*ROOT.glob("docs/**/*.md"), ROOT / "README.md"]:
        for alt, name in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", guide.read_text()):
            assert len(alt.split()) > 5, f"{guide.name}: {name} says nothing to who cannot see it"
            assert (guide.parent / name).is_file(), f"{guide.name}: {name} does not exist"
            shown.add((guide.parent / name).resolve())
    pictures = {path.resolve() for path in folder.iterdir()}
    assert pictures == {path for path in shown if path.is_relative_to(folder)}
    assert sum(path.stat().st_size for path in pictures) < 1.5 * 2**20
