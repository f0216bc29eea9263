"""docs/paper.md points at code that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "paper.md").read_text()
FOLDERS = (
    ROOT,
    ROOT / "backends",
    ROOT / "backends" / "dance_freestyle",
    ROOT / "backends" / "dance_freestyle" / "training",
)
POINTERS = re.findall(r"`([\w/]+\.py)(?:: ([\w., ]+))?`", TEXT)
"""(file, "name, Class.method, CONSTANT" or "")."""


def names_in(path: Path) -> set[str]:
    """Functions, classes, their methods and fields, and constants of a module."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        found |= defined(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for part in node.body for name in defined(part)}
    return found


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize(("file", "names"), sorted(set(POINTERS)))
def test_a_pointer_leads_to_code(file: str, names: str) -> None:
    path = next((folder / file for folder in FOLDERS if (folder / file).is_file()), None)
    assert path, f"{file} is in none of {[str(f.relative_to(ROOT)) for f in FOLDERS]}"
    missing = {name.strip() for name in names.split(",") if name.strip()} - names_in(path)
    assert not missing, f"{path.relative_to(ROOT)} has no {', '.join(sorted(missing))}"


def test_there_are_pointers_for_every_equation() -> None:
    table = TEXT.split("## Equations")[1].split("##")[0]
    rows = [row.split("|") for row in table.splitlines() if re.match(r"\| \d", row)]
    numbers = {number for row in rows for number in re.findall(r"\d+", row[1])}
    assert numbers == {str(number) for number in range(1, 20)}
    assert all("`" in row[3] for row in rows) and len(POINTERS) > 20
