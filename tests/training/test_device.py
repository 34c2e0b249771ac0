"""The device that networks run on."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lens_triage.training.device import check_device, has_gpu_driver, torch_device
from lensing_core.errors import BadInputError

_LIGHT = """
import sys
from lens_triage.training.device import describe_device, has_gpu_driver
describe_device("auto"), describe_device("cpu")
assert has_gpu_driver() or "torch" not in sys.modules
"""


def test_without_a_driver_torch_sees_no_gpu_and_with_one_it_is_asked():
    assert has_gpu_driver() or not torch.cuda.is_available()
    assert torch_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch_device("cpu") == "cpu"


def test_a_gpu_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        check_device("cuda")
    else:
        with pytest.raises(BadInputError, match="no GPU"):
            check_device("cuda")


def test_a_machine_without_a_driver_is_described_without_torch():
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", _LIGHT], check=True, cwd=root)
