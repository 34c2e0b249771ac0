"""The public names of the engine's packages, which load what they need when they are used."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import lensing_core

PACKAGES = [module.name for module in pkgutil.iter_modules(lensing_core.__path__) if module.ispkg]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there(package: str) -> None:
    module = importlib.import_module(f"lensing_core.{package}")
    names = module.__all__
    assert names, f"lensing_core.{package} exports nothing"
    assert all(getattr(module, name) is not None for name in names)


def test_importing_the_packages_loads_neither_torch_nor_clients() -> None:
    code = (
        "import sys, lensing_core.models, lensing_core.ingest, lensing_core.crossmatch, "
        "lensing_core.physics, lensing_core.uncertainty; "
        "print([m for m in ('torch', 'astroquery', 'h5py', 'sklearn') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_the_engine_states_its_version() -> None:
    assert lensing_core.__version__
