"""A scored survey in the test's workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import retraining_data

from lensing_core.workspace import Workspace

Survey = Callable[..., np.ndarray]


@pytest.fixture
def base_model(workspace: Workspace) -> str:
    """Id of a small classic member; its ensemble is called ``first``."""
    return retraining_data.make_base(workspace)


@pytest.fixture
def make_survey(workspace: Workspace, base_model: str) -> Survey:
    """Write a catalog with outputs and scores of ``first``; returns the true classes."""
    return partial(retraining_data.make_survey, workspace, base_model)
