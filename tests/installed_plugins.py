"""Plugins as an installer would leave them, in a folder like site-packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from stevedore import ExtensionManager


def visible(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Puts folders on the path for a test; stevedore looks only once in a process."""
    for folder in folders:
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})


def install(site: Path, package: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    """Metadata of a distribution; entries: group -> name -> "module:Class"."""
    info = site / f"{package.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n")
    lines = []
    for group, plugins in entries.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in plugins.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
