"""`dance doctor`: what works here, and the fix for what does not."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click

from dancecli import __version__, cores, registry
from dancecli.errors import DanceError, one_line
from dancecli.health import Health, examine_plugin
from dancecli.stages import DEFAULTS
from dancecli.weights import catalogue
from dancecli.workdir import WorkDir, cache_root

LIBRARIES = (
    "torch", "numpy", "mediapipe", "opencv-contrib-python", "av", "moviepy", "pillow", "scipy",
    "stevedore", "click", "safetensors",
)  # fmt: skip
ROOM = 2_000_000_000
"""Free bytes that a run of some minutes may want in the cache."""


@dataclass(frozen=True)
class Finding:
    """One line of the report; fix is empty when all is well, needed False for optional parts."""

    topic: str
    found: str
    ok: bool = True
    fix: str = ""
    needed: bool = True


@dataclass(frozen=True)
class PluginFinding(Finding):
    """What was found of a plugin, also field by field for --json."""

    plugin: Health | None = None


@click.command(
    epilog="""\b
Examples:
  dance doctor
  dance doctor --json"""
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def command(as_json: bool) -> None:
    """Say what works on this machine; exit code 1 when something a run needs does not."""
    findings = list(examine())
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings], indent=1))
    else:
        for finding in findings:
            mark = "ok  " if finding.ok else "FAIL" if finding.needed else "warn"
            click.echo(f"{mark} {finding.topic:24} {finding.found}")
            if finding.fix:
                click.echo(f"     {'':24} fix: {finding.fix}")
    bad = sum(f.needed and not f.ok for f in findings)
    if bad:
        raise DanceError(f"{bad} problem(s); the fixes are listed above")


def examine() -> Iterator[Finding]:
    """All findings: versions, system libraries, devices, plugins, cache and disk."""
    yield _python()
    for name in LIBRARIES:
        yield _library(name)
    yield _one_opencv()
    yield _guarded("OpenCV loads", _opencv)
    yield _guarded("devices", _devices)
    yield _guarded("video encoders", _encoders)
    yield from _plugins()
    yield _cache()


def _python() -> Finding:
    version = platform.python_version()
    ok = (3, 10) <= sys.version_info[:2] < (3, 13)
    return Finding(
        "python", f"{version}, dance {__version__}, {platform.platform()}", ok,
        "" if ok else "use Python 3.10, 3.11 or 3.12",
    )  # fmt: skip


def _library(name: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "not installed", False, f'pip install "{name}"')


def _one_opencv() -> Finding:
    names = sorted(
        name
        for name in ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")
        if _installed(name)
    )
    fix = f"pip uninstall {' '.join(names)}; pip install --force-reinstall opencv-contrib-python"
    return Finding(
        "one copy of OpenCV", ", ".join(["opencv-contrib-python", *names]), not names,
        fix if names else "",
    )  # fmt: skip


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _guarded(topic: str, examine: Callable[[], Finding]) -> Finding:
    try:
        return examine()
    except Exception as error:
        text = one_line(error, type(error).__name__)
        return Finding(topic, text, False, _fix_for(text))


def _fix_for(text: str) -> str:
    if "libGL" in text or "libgthread" in text or "libglib" in text:
        return "apt-get install libgl1 libglib2.0-0 (or your system's packages of these libraries)"
    return "reinstall dancecli in a new virtual environment"


def _opencv() -> Finding:
    cv2 = importlib.import_module("cv2")
    return Finding("OpenCV loads", str(cv2.__version__))


def _devices() -> Finding:
    from dancecli.device import available

    return Finding("devices", f"{', '.join(available())}; {cores.usable()} processor cores")


def _encoders() -> Finding:
    av = importlib.import_module("av")
    wanted = ("libx264", "prores_ks", "libvpx-vp9", "aac", "libopus")
    missing = [name for name in wanted if name not in av.codecs_available]
    return Finding(
        "video encoders", ", ".join(name for name in wanted if name not in missing),
        not missing, f"reinstall av; missing: {', '.join(missing)}" if missing else "",
    )  # fmt: skip


def _plugins() -> Iterator[Finding]:
    """Every plugin, and every weights.toml that was left out."""
    for info in registry.installed():
        health = examine_plugin(info)
        needed = DEFAULTS.get(info.group) == info.name
        yield PluginFinding(info.group, str(health), health.ok, health.fix, needed, health)
    for problem in catalogue()[1]:
        yield Finding("weights.toml", problem, False, "install another version of it", False)


def _cache() -> Finding:
    root = cache_root()
    fix = "set DANCE_CACHE to a writable folder with room, or: dance cache clean"
    try:
        within = (path for path in (root, *root.absolute().parents) if path.exists())
        place = next(within, root)  # of a drive that is not there nothing exists
        if not place.is_dir():
            return Finding("cache", f"{root}: {place} is no folder", False, fix)
        free = shutil.disk_usage(place).free
        used = sum(entry.size() for entry in WorkDir().entries())
    except OSError as error:
        return Finding("cache", f"{root}: cannot be read ({one_line(error.strerror)})", False, fix)
    ok = free > ROOM and os.access(place, os.W_OK)
    said = f"{root}: {used / 1e6:.0f} MB used, {free / 1e9:.1f} GB free"
    return Finding("cache", said, ok, "" if ok else fix)
