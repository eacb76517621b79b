"""What a test needs and a machine may lack: left out in words, or a failure where all must run."""

from __future__ import annotations

import os
from collections import Counter

import pytest

left_out: Counter[str] = Counter()  # what was skipped here and why, to how many tests


def require(name: str, ok: object, why: str) -> None:
    """Skip this test unless *ok*; with ``GENJIN_REQUIRE=all`` it fails instead.

    ``check`` prints the reasons at the end, so *why* is written for the person who reads that.
    """
    if ok:
        return
    if os.environ.get("GENJIN_REQUIRE") == "all":
        pytest.fail(f"{name} is required here: {why}", pytrace=False)
    left_out[f"{name}: {why}"] += 1
    pytest.skip(f"{name}: {why}")
