"""Provenance of a model: packages, the program's commit, the system, the device.

Nothing here imports torch; what only torch knows is asked where it is loaded already.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any, cast

from lensing_core.models.manifest_types import MadeWithForm

PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "torchvision",
    "timm",
    "lightning",
    "lightgbm",
    "scikit-learn",
    "sep",
    "caustics",
    "lens-triage",
)
_NVIDIA = Path("/proc/driver/nvidia/version")
_CPU = Path("/proc/cpuinfo")
_GIT_S = 5


def package_versions() -> dict[str, str]:
    """Versions of what results depend on."""
    return {name: version(name) for name in PACKAGES}


def made_with() -> MadeWithForm:
    """Describe the program, the system and the device of this process."""
    commit, changed = program_commit()
    record: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "git_commit": commit,
        "git_changed": changed,
        "cuda": None,
        "driver": nvidia_driver(),
        "device": f"CPU: {_cpu_name()}",
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        record["cuda"] = torch.version.cuda
        if torch.cuda.is_initialized():  # something was computed there
            record["device"] = f"GPU: {torch.cuda.get_device_name()}"
    return cast(MadeWithForm, record)


@cache
def program_commit() -> tuple[str | None, bool | None]:
    """The commit of git that the program runs from, and whether its files were changed since.

    (None, None) where it was installed from a package index, which the version says then.
    """
    root = Path(__file__).parents[2]
    if (root / ".git").exists():
        commit = _git(root, "rev-parse", "HEAD")
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
        return commit or None, None if changes is None else bool(changes)
    try:
        origin = json.loads(distribution("lens-triage").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None, None
    commit = origin.get("vcs_info", {}).get("commit_id")
    return commit, None if commit is None else False


def _git(root: Path, *words: str) -> str | None:
    """Output of git; None where it fails or is not installed."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(root), *words],  # noqa: S607 - where the user has it
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def nvidia_driver() -> str | None:
    """Version of NVIDIA's driver; None where there is none."""
    try:
        match = re.search(r"Kernel Module.*?\s(\d+(?:\.\d+)+)\s", _NVIDIA.read_text())
    except OSError:
        return None
    return match[1] if match else None


def _cpu_name() -> str:
    """Model of the processor, as far as the system tells."""
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", _CPU.read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match[1].strip() if match else platform.processor() or platform.machine()
