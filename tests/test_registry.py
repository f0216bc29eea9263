"""Plugins are listed without importing; a broken one hurts only whoever asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from stevedore import ExtensionManager

from dancecli import registry
from dancecli.errors import PluginError, UsageError
from dancecli.job import Job
from dancecli.stages import DEFAULTS, Settings


@pytest.fixture
def third_party(tmp_path: Path) -> Path:
    """A folder like site-packages, with one distribution of good and bad plugins."""
    code = "INTERFACE_VERSION = {v}\n    LICENCE = 'MIT'\n    COMMERCIAL = True\n"
    (tmp_path / "dance_thirdparty.py").write_text(
        "class Old:\n    " + code.format(v=0) + "    def __init__(self, settings): pass\n"
        "class Lame:\n    " + code.format(v=1) + "    def __init__(self, settings): pass\n"
        "class Falsy:\n    " + code.format(v=1) + "    def __init__(self, settings): self.me = 7\n"
        "    def __bool__(self): return False\n"
        "    def inpaint(self, frame, hole): return frame\n"
        "class Given:\n    OPTION = 'FOLDER'\n    "
        + code.format(v=1)
        + "    def __init__(self, settings): self.me = settings.option\n"
        "    def inpaint(self, frame, hole): return frame\n"
        "class Free(Given):\n    OPTION = '[MODEL]'\n"
    )
    (tmp_path / "dance_broken.py").write_text("import a_library_that_is_not_there\n")
    info = tmp_path / "dance_plugin_x-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dance-plugin-x\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[dance.inpaint]\nbroken = dance_broken:Plugin\nold = dance_thirdparty:Old\n"
        "lame = dance_thirdparty:Lame\nfalsy = dance_thirdparty:Falsy\n"
        "given = dance_thirdparty:Given\nfree = dance_thirdparty:Free\n"
    )
    return tmp_path


def dance(*args: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    import os

    env = {**os.environ, "PYTHONPATH": str(path)} if path else None
    command = [sys.executable, "-m", "dancecli", *args]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)


def test_every_default_is_installed() -> None:
    for group, name in DEFAULTS.items():
        assert registry.find(group, name).name == name


def test_an_unknown_name_prints_those_that_exist_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"mediapipe.*did you mean 'mediapipe'"):
        registry.find("dance.pose", "mediapip")


def test_listing_sees_broken_plugins_without_importing_any(third_party: Path) -> None:
    done = dance("plugins", "list", "--json", path=third_party)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout) if row["group"] == "dance.inpaint"}
    assert rows.keys() >= {"broken", "old", "lame", "falsy", "opencv"}
    assert rows["broken"]["distribution"] == "dance-plugin-x"
    assert rows["broken"]["version"] == "1.2"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("broken", "a_library_that_is_not_there"),
        ("old", "INTERFACE_VERSION 0, this dance needs 1"),
        ("lame", "methods or attributes of Inpainter are missing"),
    ],
)
def test_checking_a_bad_plugin_fails_and_says_why(third_party: Path, name: str, says: str) -> None:
    done = dance("plugins", "check", name, path=third_party)
    assert done.returncode == 1
    assert says in done.stdout
    assert "Traceback" not in done.stderr


def test_a_falsy_plugin_object_is_still_the_object(third_party: Path) -> None:
    code = (
        "from dancecli import registry; from dancecli.stages import Settings;"
        "print(registry.load('dance.inpaint', 'falsy', Settings()).me)"
    )
    import os

    env = {**os.environ, "PYTHONPATH": str(third_party)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.stdout.strip() == "7", done.stderr


def test_checking_an_unknown_name_is_a_usage_error() -> None:
    done = dance("plugins", "check", "nonesuch")
    assert done.returncode == 2
    assert "mediapipe" in done.stderr


def test_a_missing_optional_library_comes_with_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "from dancecli import registry\n"
        "from dancecli.stages import Settings\n"
        "registry.load('dance.dataset', 'synth', Settings())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode != 0
    assert "pip install 'dancecli[synth]'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("given@a@b", "a@b"),
        ("free@large", "large"),
        ("free", "None"),
        ("given", "--inpaint given: plugin 'given' needs a FOLDER; say --inpaint given@FOLDER"),
        ("given@", "needs a FOLDER"),
        ("falsy@x", "--inpaint falsy@x: plugin 'falsy' takes nothing after its name"),
        ("opencv@x", "takes nothing after its name; say --inpaint opencv"),
    ],
)
def test_what_follows_a_plugins_name_reaches_it_or_is_refused(
    third_party: Path, asked: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(third_party))
    # What stevedore remembers of this process's earlier loads does not know the new folder.
    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})
    try:
        told = str(registry.load("dance.inpaint", asked, Settings()).me)
    except UsageError as error:
        told = str(error)
    assert says in told


def test_a_folder_after_the_name_counts_by_what_is_in_it(tmp_path: Path) -> None:
    """Cached poses must not outlive the files that they came from, and need not when these move."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        (folder / "a.json").write_text("{}")
    one, two = (registry.find("dance.pose", f"openpose-json@{f}").identity for f in folders)
    assert one == two != registry.find("dance.pose", "openpose-json").identity
    (folders[1] / "a.json").write_text("[]")
    assert registry.find("dance.pose", f"openpose-json@{folders[1]}").identity != one


def test_a_record_of_options_holds_no_folder(tmp_path: Path) -> None:
    job = Job(tmp_path, tmp_path, tmp_path, {"dance.pose": f"openpose-json@{tmp_path}"})
    assert job.options()["plugins"] == {"dance.pose": "openpose-json"}


@pytest.mark.parametrize(
    ("group", "name", "module"),
    [
        ("dance.pose", "rtmpose", "rtmlib"),
        ("dance.pose", "openpose", "controlnet_aux"),
        ("dance.face_align", "fan", "face_alignment"),
    ],
)
def test_a_plugin_without_its_library_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, group: str, name: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert registry.load_class(registry.find(group, name)).LICENCE
    with pytest.raises(PluginError) as caught:
        registry.load(group, name, Settings())
    message = str(caught.value)
    assert f"'{name}' needs {module}" in message and "; install it: pip install" in message
    assert "\n" not in message
