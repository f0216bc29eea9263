"""The README's commands fit the files that they are about."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_torch_that_is_installed_first_is_the_one_that_the_constraints_keep() -> None:
    (pinned,) = re.findall(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    (line,) = re.findall(r"^.*pip install torch\b.*$", (ROOT / "README.md").read_text(), re.M)
    assert f" torch=={pinned} " in line and "--index-url" in line
