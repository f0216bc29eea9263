"""A second Python environment, made of local means: it holds numpy and one small wheel."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parent

ENTRY_POINTS = """
[dance.pose]
tiny = dance_tiny.plugins:TinyPose
[dance.backend]
tiny = dance_tiny.plugins:TinyBackend
[dance.dataset]
tiny = dance_tiny.plugins:TinyReader
[dance.inpaint]
tiny = dance_tiny.plugins:TinyInpainter
old = dance_tiny.plugins:TinyOld
[dance.parser]
tiny = dance_tiny.plugins:TinyParser
quitting = dance_quitting:Plugin
lacking = dance_lacking:Plugin
"""

WEIGHTS = """
[[file]]
name = "tiny_weights"
file = "tiny.bin"
about = "what a tiny plugin has learned"
addresses = ["https://example.org/tiny.bin"]
licence = "MIT"
commercial = true
needed_by = ["dance.backend:tiny"]
"""


def make_environment(folder: Path) -> Path:
    """An empty virtual environment that sees this one's numpy and nothing else, but on Python 3.10,
    which reads no TOML, tomli; its Python."""
    python = empty_environment(folder)
    packages = site_packages(python)
    source = Path(np.__file__).parents[1]
    reader = ("tomli",) if sys.version_info < (3, 11) else ()
    for name in ("numpy", "numpy.libs", f"numpy-{np.__version__}.dist-info", *reader):
        if (source / name).exists():
            (packages / name).symlink_to(source / name)
    return python


def empty_environment(folder: Path) -> Path:
    """A virtual environment without any package; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def site_packages(python: Path) -> Path:
    """Where an environment's packages lie."""
    (found,) = python.parents[1].glob("lib/python*/site-packages")
    return found


def build_wheel(folder: Path, version: str) -> Path:
    """The wheel of the tiny plugins with their library, both of a version."""
    wheel = folder / f"dance_plugin_tiny-{version}-py3-none-any.whl"
    info = f"dance_plugin_tiny-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: dance-plugin-tiny\nVersion: {version}\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("dance_tiny/__init__.py", "")
        archive.write(TESTS / "tiny_plugin.py", "dance_tiny/plugins.py")
        archive.writestr("dance_tiny/weights.toml", WEIGHTS)
        archive.writestr("dance_lacking.py", "import a_library_that_is_not_there\n")
        quitting = "import sys\nsys.exit('no licence file')\n"
        archive.writestr("dance_quitting.py", quitting)
        archive.writestr("tinylib.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", about)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", ENTRY_POINTS)
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def install(python: Path, wheel: Path) -> None:
    """What an installer does with a wheel of pure Python."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages(python))


def pip_install(python: Path, *packages: str) -> None:
    """Packages from the registry, by this environment's pip."""
    options = ("--disable-pip-version-check", "--quiet", "--python", str(python))
    command = [sys.executable, "-m", "pip", *options, "install", *packages]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
