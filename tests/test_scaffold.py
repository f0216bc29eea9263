"""`dance plugins new` writes plugins that work, for every interface."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import Run
from installed_plugins import install, visible

from dancecli.cli.plugins import command
from dancecli.errors import DanceError, OutputExistsError, UsageError
from dancecli.media import probe, read_photo
from dancecli.scaffold import KINDS, Distribution, write
from dancecli.stages import GROUPS
from dancecli.testing import check

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_its_contract_as_it_is(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_photo: Path
) -> None:
    name = f"own-{kind}"
    folder = write(name, kind, tmp_path / "written")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    install(tmp_path / "site", project["name"], project["entry-points"])
    visible(monkeypatch, folder, tmp_path / "site")
    data = None
    if kind == "dataset":
        data = tmp_path / "data"
        data.mkdir()
        runpy.run_path(str(folder / "tests" / "test_contract.py"))["small_set"](data)
    outcomes = list(check(Distribution(name, kind).group, name, read_photo(demo_photo), data=data))
    assert [f"{o.check}: {o.detail}" for o in outcomes if not o.passed] == []
    assert name in (folder / "README.md").read_text()


def test_there_is_a_kind_for_every_interface() -> None:
    assert {Distribution("x", kind).group for kind in KINDS} == set(GROUPS)


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "Mine", "two--dashes", "-x", "x-", "1st", "a b", "x\n", "x" * 41]
)
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot name a plugin.*such as my-pose"):
        write(name, "pose", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'mediapipe' of dance\.\w+, from dancecli .*another"):
        write("mediapipe", "inpaint", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.py").write_text("precious")
    with pytest.raises(OutputExistsError, match="is there already"):
        write("mine", "pose", tmp_path / "mine")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "work.py"]


@pytest.mark.parametrize("kind", ["face-align", "face_align"])
@pytest.mark.parametrize("option", ["--kind", "--group"])
def test_a_kind_has_one_name_for_all_commands(
    run: Run, tmp_path: Path, option: str, kind: str
) -> None:
    listed = json.loads(run("plugins", "list", option, kind, "--json").out)
    assert {each["group"] for each in listed} == {"dance.face_align"}
    assert "ok" in run("plugins", "check", "mediapipe", option, kind).out
    assert run("plugins", "new", "mine", option, kind, "-o", tmp_path / "mine").code == 0
    ran = run("plugins", "isolate", "fan", option, kind, "--remove")
    assert "plugin 'fan' is not isolated" in ran.err
    assert "face-align" in run("plugins", "list", option, "face").err


def test_the_command_writes_here_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, ["new", "mine", "--kind", "face-align"])
    assert done.output.strip() == "dance-plugin-mine"
    written = sorted(p.name for p in Path("dance-plugin-mine").rglob("*") if p.is_file())
    assert written == ["README.md", "dance_plugin_mine.py", "pyproject.toml", "test_contract.py"]
    again = CliRunner().invoke(command, ["new", "mine", "--kind", "pose"])
    assert isinstance(again.exception, DanceError)
    wrong = CliRunner().invoke(command, ["new", "mine", "--kind", "poses"])
    assert wrong.exit_code == 2 and "face-embed" in wrong.output
    help_text = CliRunner().invoke(command, ["new", "--help"]).output
    assert "dance plugins new my-pose --kind pose" in help_text


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the built wheel and a plugin, and a folder with its sources.

    What dancecli depends on is seen where it is, so nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env", symlinks=os.name != "nt")
    source = write("own-pose", "pose", folder / "dance-plugin-own-pose")
    (site,) = (folder / "env").rglob("site-packages")
    outer = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    (site / "outer.pth").write_text("\n".join(outer))
    run = subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", str(python(folder)), "install", "--quiet",
            "--no-deps", "--no-index", "--no-build-isolation", "--no-compile", "--ignore-installed",
            str(wheel), str(source),
        ],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return folder


def python(folder: Path) -> Path:
    """The environment's interpreter."""
    return folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def within(
    environment: Path, *args: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a module of the environment, which sees nothing of this checkout."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python(environment)), "-m", *map(str, args)]
    return subprocess.run(
        command, cwd=cwd or environment, capture_output=True, text=True, env=env, timeout=570
    )


def test_an_installed_plugin_is_used_by_its_name(
    environment: Path, demo_photo: Path, demo_video: Path
) -> None:
    listed = within(environment, "dancecli", "plugins", "list", "--group", "pose", "--json")
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert rows["own-pose"]["distribution"] == "dance-plugin-own-pose"
    done = within(
        environment, "dancecli", "reenact", demo_photo, demo_video, "-o", "out.mp4",
        "--pose", "own-pose", "--end", "0.5", "--size", "192x256",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert probe(environment / "out.mp4").frames == 15
    assert "dance-plugin-own-pose" in (environment / "out.mp4.json").read_text()


def test_its_own_tests_pass_beside_the_wheel(environment: Path) -> None:
    done = within(environment, "pytest", "-v", cwd=environment / "dance-plugin-own-pose")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_contract[finds nobody in an empty picture] PASSED" in done.stdout
    assert "test_contract[tells left from right, also in a mirror] SKIPPED" in done.stdout
    where = "import dancecli; print(dancecli.__file__)"
    found = subprocess.run(
        [str(python(environment)), "-c", where], capture_output=True, text=True, cwd=environment
    )
    assert Path(found.stdout.strip()).is_relative_to(environment)
