from __future__ import annotations

import pytest

from lensing_core.errors import BadInputError
from lensing_core.ingest.provenance import check_policy, default_confidence, default_policy


def test_defaults_follow_the_source():
    assert default_policy("weak:gzoo") == default_policy("pretrain:galaxiesml")
    assert default_policy("pretrain:galaxiesml") == "pretraining_only"
    assert default_policy("sim:1") == default_policy(None) == "all"
    assert default_confidence("weak:gzoo") < 0.5 < default_confidence("obs:castles")
    with pytest.raises(BadInputError, match="must be pretraining_only"):
        check_policy("pretrain:galaxiesml", "all")
    with pytest.raises(BadInputError, match="use one of all"):
        check_policy(None, "any")
