"""A kind of run that only counts, so that the runner is tested with real processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lens_triage.training import settings as settings_module
from lens_triage.training.runner import registry
from lens_triage.training.settings import RunSettings

_SITE = """
import sys
sys.path.insert(0, {folder!r})
import counting
counting.register()
"""

_COUNTING = '''
import errno
import time
from typing import ClassVar
import param
from lensing_core.errors import BadInputError, ContractError
from lens_triage.training import settings as settings_module
from lens_triage.training.runner import registry
from lens_triage.training.settings import RunSettings

class CountSettings(RunSettings):
    """Count to n."""
    kind: ClassVar[str] = "count"
    n = param.Integer(default=3, doc="How far.")
    pause_s = param.Number(default=0.0, doc="Between counts.")
    fail_at = param.Integer(default=-1, doc="Where to fail.")
    fault = param.Selector(default="input", objects=["input", "bug", "contract", "full"])

def run(context, settings):
    path = context.folder / "count"
    k = int(path.read_text()) if path.exists() else 0
    began = k
    while k < settings.n:
        if k == settings.fail_at and context.attempt == 1:
            raise {
                "input": BadInputError("Row 3 is bad; mend it."),
                "bug": ZeroDivisionError("a bug"),
                "contract": ContractError("Bands do not fit; choose another ensemble."),
                "full": OSError(errno.ENOSPC, "No space left on device", str(path)),
            }[settings.fault]
        k += 1
        beside = path.with_name("count.part")
        beside.write_text(str(k))
        beside.replace(path)  # a process that is killed leaves no empty file
        context.metric("count", k, step=k)
        context.progress(k, settings.n, "Counting")
        time.sleep(settings.pause_s)
        while (context.folder / "hold").exists():
            time.sleep(0.01)
    return {"began": began, "n": k}

def register():
    settings_module.SETTINGS["count"] = CountSettings
    registry._FUNCTIONS["count"] = "counting:run"
'''


@pytest.fixture
def count_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[RunSettings]]:
    """The settings class of the counting job, known here and in worker processes."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "counting.py").write_text(_COUNTING)
    (folder / "sitecustomize.py").write_text(_SITE.format(folder=str(folder)))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(settings_module, "SETTINGS", dict(settings_module.SETTINGS))
    monkeypatch.setattr(registry, "_FUNCTIONS", dict(registry._FUNCTIONS))
    monkeypatch.delitem(sys.modules, "counting", raising=False)
    import counting

    counting.register()
    made: type[RunSettings] = counting.CountSettings
    yield made
    sys.modules.pop("counting", None)
