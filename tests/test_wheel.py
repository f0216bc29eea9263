"""What is shipped: the packages, under their installed names, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_holds_every_package_under_its_installed_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    folders = [
        p.parent.name for kind in ("backends", "plugins") for p in ROOT.glob(f"{kind}/*/*.py")
    ]
    assert tops == {"dancecli", *folders}


def test_the_wheel_holds_every_manifest_of_weights(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    ours = {f"{path.parent.name}/weights.toml" for path in ROOT.glob("*/*/weights.toml")}
    assert len(ours) >= 3 and ours <= set(names)


def test_every_entry_point_of_the_wheel_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entries,) = [name for name in names if name.endswith("entry_points.txt")]
        lines = archive.read(entries).decode().splitlines()
    modules = [line.split("=")[1].split(":")[0].strip() for line in lines if "=" in line]
    assert len(modules) >= 8
    for module in modules:
        assert f"{module.replace('.', '/')}.py" in names, module


def test_the_command_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate_cli.py"), "--check"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
