"""A plugin in another environment is a plugin like any other, whatever happens to its process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import second_environment as second
from click.testing import CliRunner, Result
from installed_plugins import install, visible

from dancecli import registry
from dancecli.cli.plugins import command
from dancecli.data.people import Options, Person, Skipped
from dancecli.errors import DanceError, NoPersonError, PluginError, UsageError
from dancecli.figures import made_target, standing_skeleton
from dancecli.health import examine_plugin
from dancecli.isolation.isolating import isolate
from dancecli.isolation.proxy import isolated_class
from dancecli.isolation.registered import Isolated, add, registry_file, remove
from dancecli.job import Job
from dancecli.overlap import ordered_map
from dancecli.stages import DatasetReader, Settings
from dancecli.steps.stages import Stages
from dancecli.testing import check
from dancecli.types import Box, Canvas, Frame, Motion
from dancecli.weights import known

PRINT, FAIL, NOBODY, EXIT, HANG, DOUBLE, CRASH, CHILD, LACK, QUIT = range(1, 11)
"""What `tiny_plugin` does with a frame of that index."""

GREY = np.full((30, 40, 3), 51, np.uint8)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment is made with links")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def python(room: Path) -> Path:
    """A second environment with version 2.0 of the tiny plugins and their library."""
    python = second.make_environment(room / "env")
    second.install(python, second.build_wheel(room, "2.0"))
    return python


@pytest.fixture(scope="module")
def records(python: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Isolated]:
    """What isolating the tiny plugins puts on the list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DANCE_CONFIG", str(tmp_path_factory.mktemp("config")))
        patch.setenv("DANCE_CACHE", str(tmp_path_factory.mktemp("cache")))
        infos = isolate("tiny", python)
    isolated_class.cache_clear()
    return [info.isolated for info in infos if info.isolated]


@pytest.fixture(autouse=True)
def own_workers() -> Iterator[None]:
    """Every test is a run of its own."""
    yield
    isolated_class.cache_clear()


@pytest.fixture
def tiny(records: list[Isolated], tmp_path: Path) -> Callable[[str], Any]:
    """The isolated plugin of a kind, with a folder of its own."""
    add(records)
    return lambda kind: registry.load(f"dance.{kind}", "tiny", Settings(weights=str(tmp_path)))


def dance(*args: object) -> Result:
    """`dance plugins`, in this process."""
    return CliRunner().invoke(command, list(map(str, args)))


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    for _ in range(600):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # dead, and whoever adopted it has not looked yet
            return True
        time.sleep(0.05)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")


def test_it_runs_with_that_environments_packages_and_sees_no_others(
    tiny: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tinylib.py").write_text("VERSION = '1.0'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import tinylib

    assert tinylib.VERSION == "1.0"
    backend = tiny("backend")
    files = ["schp_lip", "tiny_weights"]
    has = {"tinylib": "2.0", "numpy": np.__version__, "sees": [], "files": files}
    assert backend.weights() == has
    assert (backend.LICENCE, backend.COMMERCIAL) == ("MIT, tinylib 2.0", None)
    plugin = registry.load_class(registry.find("dance.backend", "tiny"))
    assert (plugin.LICENCE, plugin.COMMERCIAL) == ("MIT, tinylib 2.0", None)
    del sys.modules["tinylib"]


def test_the_command_isolates_lists_and_forgets(python: Path) -> None:
    done = dance("isolate", "tiny", "--python", python.parents[1], "--kind", "pose")
    assert done.exit_code == 0, done.output
    assert f"dance.pose: tiny (dance-plugin-tiny 2.0, isolated in {python}" in done.output
    (row,) = [row for row in json.loads(dance("list", "--json").output) if row["name"] == "tiny"]
    assert (row["python"], row["version"]) == (str(python), "2.0")
    assert f"isolated in {python}" in dance("list").output
    assert dance("isolate", "tiny", "--remove").exit_code == 0
    assert "tiny" not in dance("list").output


def test_arguments_and_results_cross_whole(tiny: Callable[[str], Any]) -> None:
    pose = tiny("pose")
    rgb = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    (found,) = pose.extract(Frame(rgb))
    np.testing.assert_allclose(found.body[0], rgb.mean((0, 1)) / 255, rtol=1e-6)
    assert found.body[1, 0] != os.getpid()
    assert len(pose.extract(Frame(rgb[:, ::2]), boxes=[Box(0, 0, 5, 5.5)] * 2)) == 2


def test_threads_get_their_own_answers(tiny: Callable[[str], Any]) -> None:
    pose = tiny("pose")
    frames = (Frame(np.full((90, 90, 3), n, np.uint8)) for n in range(40))
    noses = [found[0].body[0, 0] for found in ordered_map(pose.extract, frames, 4)]
    np.testing.assert_allclose(noses, np.arange(40) / 255, rtol=1e-6)


def test_errors_of_ours_come_by_name_and_others_by_their_last_line(
    tiny: Callable[[str], Any],
) -> None:
    pose = tiny("pose")
    with pytest.raises(NoPersonError, match=r"^nobody wants to be seen$"):
        pose.extract(Frame(GREY, NOBODY))
    with pytest.raises(PluginError, match="ValueError: the value is wrong; its log: ") as caught:
        pose.extract(Frame(GREY, FAIL))
    assert "raise ValueError" in Path(str(caught.value).rpartition(": ")[2]).read_text()
    assert pose.extract(Frame(GREY))


def test_quitting_costs_a_call_and_no_worker(
    tiny: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    pose = tiny("pose")
    with pytest.raises(PluginError, match="failed: SystemExit: no licence server; its log: "):
        pose.extract(Frame(GREY, QUIT))
    assert pose.extract(Frame(GREY)) and not caplog.records


def test_what_a_plugin_says_beyond_its_interface_crosses(
    tiny: Callable[[str], Any], tmp_path: Path
) -> None:
    """The batch that it needs, and what its results depend on."""
    backend = tiny("backend")
    assert (backend.batch, backend.any_batch) == (2, True) and tiny("pose").RECORDED is True
    assert tiny("parser").takes_weights is False
    assert tiny("inpaint").weights() is None
    assert registry.load_class(registry.find("dance.parser", "tiny")).takes_weights is False
    plugins = {"dance.parser": "tiny"}
    job = Job(Path("p"), Path("v"), Path("o"), plugins, weights=str(tmp_path), seed=7)
    (identity,) = Stages(job).identity("parser")
    assert identity.endswith(" tinylib 2.0, 7")


LENT = """
import lent_words
class Plugin:
    INTERFACE_VERSION, LICENCE, COMMERCIAL = 1, lent_words.MIT, True
    def __init__(self, settings): pass
    def inpaint(self, frame, hole): return frame
"""


@pytest.mark.parametrize("editable", [False, True])
def test_a_plugin_that_is_lent_has_all_modules_of_its_package(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editable: bool
) -> None:
    """Copied, as its list of files says; editable, as they lie beside it."""
    (tmp_path / "lent_plugin.py").write_text(LENT)
    (tmp_path / "lent_words").mkdir()
    (tmp_path / "lent_words" / "__init__.py").write_text("MIT = 'MIT'\n")
    site = tmp_path / "site" if editable else tmp_path
    install(site, "dance-plugin-lent", {"dance.inpaint": {"lent": "lent_plugin:Plugin"}})
    info = site / "dance_plugin_lent-0.1.0.dist-info"
    if editable:
        told = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(told))
    else:
        (info / "RECORD").write_text("lent_plugin.py,,\nlent_words/__init__.py,,\n")
    visible(monkeypatch, *{tmp_path, site})
    (found,) = isolate("lent", python)
    plugin = registry.load("dance.inpaint", "lent", Settings())
    assert found.isolated and plugin.LICENCE == "MIT"
    assert np.array_equal(plugin.inpaint(Frame(GREY), GREY[..., 0]).rgb, GREY)


def test_advice_to_install_is_advice_for_that_environment(
    tiny: Callable[[str], Any], python: Path
) -> None:
    with pytest.raises(PluginError, match=f"needs it: {python} -m pip install it$"):
        tiny("pose").extract(Frame(GREY, LACK))


def test_what_a_plugin_prints_goes_to_its_log(tiny: Callable[[str], Any], own_cache: Path) -> None:
    pose = tiny("pose")
    assert pose.extract(Frame(GREY, PRINT)) and pose.extract(Frame(GREY))
    (log,) = own_cache.glob("logs/dance.pose-tiny-*.log")
    assert b"a line for a person" in log.read_bytes() and b"bytes from C" in log.read_bytes()


def test_a_result_of_another_type_is_refused(tiny: Callable[[str], Any]) -> None:
    says = r"breaks its contract: Skeleton.body is float64 \(25, 3\), not float32 \(25, 3\)"
    with pytest.raises(PluginError, match=says):
        tiny("pose").extract(Frame(GREY, DOUBLE))


@pytest.mark.parametrize(
    ("index", "how", "last"),
    [
        (EXIT, "exit code 3", "the last words"),
        (CRASH, "signal 11 SIGSEGV", "Fatal Python error: Segmentation fault"),
    ],
)
def test_a_dead_worker_is_started_once_more_and_then_reported(
    tiny: Callable[[str], Any], caplog: pytest.LogCaptureFixture, index: int, how: str, last: str
) -> None:
    pose = tiny("pose")
    with pytest.raises(PluginError) as caught:
        pose.extract(Frame(GREY, index))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert how in caplog.text and "started again" in caplog.text
    says = str(caught.value)
    assert "\n" not in says and f"died again ({how})" in says and last in says
    assert last in Path(says.rpartition(": ")[2]).read_text()


def test_after_a_death_the_person_is_prepared_again(
    tiny: Callable[[str], Any], tmp_path: Path
) -> None:
    backend, canvas = tiny("backend"), Canvas(6, 4)
    persons = [backend.prepare(made_target(60, 90)), backend.prepare(made_target(40, 60))]
    motions = [Motion(standing_skeleton(6, 4), None, canvas, index) for index in range(2)]
    layers = backend.render(persons[1], motions)
    assert [layer.z.shape for layer in layers] == [(4, 6, 3)] * 2
    assert layers[0].canvas == canvas and layers[0].labels is None
    assert (tmp_path / "prepared").read_text() == "xxx"
    colour = int(made_target(60, 90).frame.rgb[0, 0, 0])
    refined = backend.refine(persons[0], Frame(GREY, 5, 0.5), landmarks=None)
    assert (refined.rgb == colour).all() and (refined.index, refined.time) == (5, 0.5)


def test_a_data_set_goes_on_after_a_death_without_repeating_itself(
    tiny: Callable[[str], Any], tmp_path: Path
) -> None:
    reader = tiny("dataset")
    assert isinstance(reader, DatasetReader) and reader.layout == "ROOT/anything"
    options = Options(people=3, set={"a": "b"})
    assert reader.units(tmp_path, options) == [f"{tmp_path}-a-b"]
    first, skipped, last = reader.read(None, "unit", options)
    assert isinstance(first, Person) and isinstance(last, Person)
    assert (first.key, first.about) == ("first", {"tall": [1, 2.5, None]})
    assert skipped == Skipped("unit", "too small")
    assert [view.number for view in last.views] == [0, 1]
    assert np.array_equal(last.views[1].mask, np.eye(4, dtype=bool))


def test_a_worker_that_hangs_is_ended(
    records: list[Isolated], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (pose,) = [record for record in records if record.group == "dance.pose"]
    add([Isolated(**{**vars(pose), "limit": 2.0})])
    plugin = registry.load("dance.pose", "tiny", Settings(weights=str(tmp_path)))
    with pytest.raises(PluginError, match=r"no answer within 2 s.*Timeout \(0:00:02\)"):
        plugin.extract(Frame(GREY, HANG))
    assert gone(int((tmp_path / "pid").read_text()))
    assert "started again" in caplog.text


PARENT = """
import signal
import sys
from dancecli import registry
from dancecli.stages import Settings
from dancecli.types import Frame
import numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
pose = registry.load("dance.pose", "tiny", Settings(weights=sys.argv[1]))
found = pose.extract(Frame(np.zeros((9, 9, 3), np.uint8)))
print(int(found[0].body[1, 0]), flush=True)
if int(sys.argv[2]) >= 0:
    pose.extract(Frame(np.zeros((9, 9, 3), np.uint8), int(sys.argv[2])))
else:
    sys.stdin.read()
"""


def started(folder: Path, index: int) -> tuple[subprocess.Popen[str], int]:
    """A process that uses the plugin, and its worker's process number."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), str(index)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout
    return parent, int(parent.stdout.readline())


def wait_for(path: Path) -> str:
    """What a file holds once it is there."""
    for _ in range(600):
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{path} was never written")


@needs_proc
@pytest.mark.parametrize("index", [-1, CHILD], ids=["idle", "busy"])
def test_no_worker_outlives_a_killed_parent(
    records: list[Isolated], tmp_path: Path, index: int
) -> None:
    add(records)
    parent, worker = started(tmp_path, index)
    child = int(wait_for(tmp_path / "child")) if index == CHILD else None
    parent.kill()
    parent.communicate()
    assert gone(worker)
    assert child is None or gone(child)
    assert not [path for path in Path("/dev/shm").glob("dance-*") if path.owner() == os.getpid()]


@needs_proc
def test_an_interrupt_ends_the_worker_too(records: list[Isolated], tmp_path: Path) -> None:
    add(records)
    parent, worker = started(tmp_path, HANG)
    wait_for(tmp_path / "pid")
    parent.send_signal(signal.SIGINT)
    _out, err = parent.communicate(timeout=60)
    assert parent.returncode == -signal.SIGINT and "KeyboardInterrupt" in err
    assert gone(worker)


def test_cached_results_know_the_environment(
    room: Path, python: Path, records: list[Isolated]
) -> None:
    add(records)
    before = registry.find("dance.pose", "tiny")
    assert before.identity == registry.find("dance.pose", "tiny").identity
    assert before.as_dict()["environment"] in before.identity
    other = second.site_packages(python) / "an_unrelated_library-3.1.dist-info"
    other.mkdir()
    try:
        assert registry.find("dance.pose", "tiny").identity != before.identity
    finally:
        other.rmdir()
    assert registry.find("dance.pose", "tiny").identity == before.identity
    assert known("tiny_weights").package == "dance_tiny"
    remove("tiny")
    with pytest.raises(UsageError, match=r"no dance.pose plugin is called 'tiny'"):
        registry.find("dance.pose", "tiny")


def test_a_plugin_of_ours_runs_elsewhere_and_gives_the_same() -> None:
    here = registry.load("dance.backend", "posewarp", Settings())
    isolate("posewarp", Path(sys.executable))
    there = registry.load("dance.backend", "posewarp", Settings())
    target, canvas = made_target(90, 140), Canvas(90, 140)
    motion = Motion(standing_skeleton(90, 140), None, canvas)
    (one,) = here.render(here.prepare(target), [motion])
    (two,) = there.render(there.prepare(target), [motion])
    assert np.array_equal(one.z, two.z) and np.array_equal(one.m, two.m)
    assert type(there) is not type(here)


def test_an_isolated_plugin_passes_the_conformance_suite() -> None:
    isolate("template", Path(sys.executable))
    outcomes = list(check("dance.dense", "template"))
    assert [o.detail for o in outcomes if o.failed] == [] and len(outcomes) >= 5


def refused(name: str, *more: object) -> str:
    """The one line of an isolation that fails; nothing is registered by it."""
    done = dance("isolate", name, *more)
    assert isinstance(done.exception, DanceError) and not registry_file().exists()
    assert "\n" not in str(done.exception)
    return str(done.exception)


def test_what_cannot_be_isolated_is_said_in_one_line(python: Path, room: Path) -> None:
    there = ("--python", python)
    assert "No module named 'a_library_that_is_not_there'" in refused("lacking", *there)
    assert "SystemExit: no licence file" in refused("quitting", *there)
    assert "INTERFACE_VERSION 0, this dance needs 1" in refused("old", *there)
    assert "that environment has: lacking, old, quitting, tiny" in refused("nonesuch", *there)
    assert "no dance.mask plugin" in refused("tiny", *there, "--kind", "mask")
    assert "no Python there" in refused("tiny", "--python", room)
    empty = second.empty_environment(room / "empty")
    assert f"{empty} -m pip install numpy" in refused("tiny", "--python", empty)
    assert "exit code 0; its log ends: (empty)" in refused("tiny", "--python", "/bin/true")
    liar = room / "liar"
    liar.write_text("#!/bin/sh\necho Python 3.11 says hello\n")
    liar.chmod(0o755)
    assert "it answered with a message of" in refused("tiny", "--python", liar)
    assert "not isolated; isolated: none" in refused("tiny", "--remove")


def test_an_environment_that_has_changed_is_said(records: list[Isolated], tmp_path: Path) -> None:
    (pose,) = [record for record in records if record.group == "dance.pose"]
    add([Isolated(**{**vars(pose), "python": str(tmp_path / "python")})])
    with pytest.raises(PluginError, match=r"cannot be started: No such file.*isolate"):
        registry.load("dance.pose", "tiny", Settings())
    health = examine_plugin(registry.find("dance.pose", "tiny"))
    assert not health.ok and health.fix == "dance plugins isolate tiny --python PATH, or --remove"
    add([Isolated(**{**vars(pose), "folders": (str(tmp_path),)})])
    with pytest.raises(PluginError, match=r"no longer brings it there.*isolate tiny --remove"):
        registry.load("dance.pose", "tiny", Settings())


@pytest.mark.parametrize("text", ["", "[]", '{"plugins": [{"group": 1}]}', "[" * 100_000])
def test_a_damaged_list_is_one_clear_line(text: str) -> None:
    registry_file().parent.mkdir(parents=True)
    registry_file().write_text(text)
    found = dance("list").exception
    assert isinstance(found, PluginError) and "isolated.json is damaged" in str(found)


@pytest.mark.slow
def test_another_numpy(room: Path) -> None:
    """The core and a plugin with the next major version of numpy, from the registry."""
    python = second.empty_environment(room / "numpy2")
    second.pip_install(python, "--only-binary=:all:", "numpy>=2,<3")
    second.install(python, second.build_wheel(room, "2.1"))
    isolate("tiny", python)
    backend = registry.load("dance.backend", "tiny", Settings())
    assert backend.weights()["numpy"].startswith("2.") and np.__version__.startswith("1.")
    (found,) = registry.load("dance.pose", "tiny", Settings()).extract(Frame(GREY))
    np.testing.assert_allclose(found.body[0], 0.2, rtol=1e-6)


def test_labels_of_an_isolated_parser_are_kept_as_those_of_one_here(tmp_path: Path) -> None:
    """By the parser that the weights hold: a folder without one leaves it the shipped one's."""
    known = set()
    for isolated in (False, True):
        stages = Stages(Job(Path("p"), Path("v"), Path("o"), weights=str(tmp_path)))
        if isolated:
            here = stages.infos["dance.parser"]
            elsewhere = Isolated(here.group, here.name, sys.executable, "3.11", ())
            stages.infos["dance.parser"] = replace(here, isolated=elsewhere)
        known.update(stages.identity("parser"))
    assert len(known) == 1
