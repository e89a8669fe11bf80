"""Pictures stay as they were: the cases and how to renew them are in ``golden/cases.py``."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parent / "golden"
CASES = runpy.run_path(str(FOLDER / "cases.py"))["CASES"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_picture_is_as_before(name):
    want = np.asarray(Image.open(FOLDER / f"{name}.png")) / 255.0
    error = np.mean((CASES[name]() - want) ** 2)
    assert -10 * np.log10(error + 1e-12) >= 45
