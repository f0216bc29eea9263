"""Fixtures that every test may use."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Ran, Run
from hypothesis import settings

from dancecli.cli.main import main

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("dance", deadline=None)  # no test is about how long something takes
settings.load_profile("dance")

# A shell's `&` hands down an ignored Ctrl-C, also to what the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache or settings."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DANCE_CACHE", str(cache))
    monkeypatch.setenv("DANCE_CONFIG", str(cache / "config"))
    return cache


@pytest.fixture(autouse=True)
def own_log_levels() -> Iterator[None]:
    """A command's -q or -v does not outlast its test."""
    loggers = [logging.getLogger(name) for name in (None, "dancecli", "dancecli.workdir")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One cache for the module, so that poses are extracted once, as a user's would be."""
    return {"DANCE_CACHE": str(tmp_path_factory.mktemp("shared"))}


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """`dance` in this process."""

    def call(*args: object) -> Ran:
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        code = caught.value.code
        return Ran(code if isinstance(code, int) else 0, *capfd.readouterr())

    return call


@pytest.fixture(scope="session")
def demo_photo() -> Path:
    """The project's own photo of a (synthetic) person."""
    return ROOT / "docs" / "media" / "photo.jpg"


@pytest.fixture(scope="session")
def demo_video() -> Path:
    """The project's own dance video, with sound."""
    return ROOT / "docs" / "media" / "dance.mp4"


@pytest.fixture(scope="session")
def real_media() -> Path:
    """A folder of real photos and videos that is not part of the project."""
    folder = Path(os.environ.get("DANCE_TEST_MEDIA", ROOT.parent / "shared" / "media"))
    if not folder.is_dir():
        pytest.skip(f"no real media at {folder} (set DANCE_TEST_MEDIA)")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built distribution of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.glob("*.whl")
    return found
