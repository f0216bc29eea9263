"""Every installed plugin keeps the contract: the suite that its authors run too."""

from __future__ import annotations

from pathlib import Path

import pytest

from dancecli import registry
from dancecli.media import read_photo
from dancecli.testing import check

PLUGINS = [(info.group, info.name) for info in registry.installed()]


@pytest.mark.parametrize(("group", "name"), PLUGINS, ids=[f"{g}:{n}" for g, n in PLUGINS])
def test_contract(group: str, name: str, demo_photo: Path) -> None:
    outcomes = list(check(group, name, read_photo(demo_photo)))
    assert [f"{o.check}: {o.detail}" for o in outcomes if not o.passed] == []
    assert len(outcomes) >= 3
