"""What somebody else's plugin does wrong is said of it, in one line, before it does harm."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import foreign_plugins
import numpy as np
import pytest
from commands import Run
from installed_plugins import install, visible

from dancecli import registry, sources
from dancecli.data.people import Options
from dancecli.errors import DanceError, PluginError, Terminated
from dancecli.evaluate.reenactment import Contender, Protocol, SelfClip
from dancecli.figures import made_target, standing_skeleton
from dancecli.guarding import blamed
from dancecli.health import examine_plugin
from dancecli.isolation.registered import Isolated, add
from dancecli.job import Job
from dancecli.live.stage import LiveStage
from dancecli.media import VideoStream
from dancecli.media.encoding import Encoder
from dancecli.media.files import sha256_of
from dancecli.media.formats import format_of
from dancecli.progress import Progress
from dancecli.stages import DEFAULTS, GROUPS, Settings
from dancecli.steps.painting import Painter, batch_of
from dancecli.steps.stages import Stages
from dancecli.testing import check
from dancecli.types import Box, Canvas, Motion
from dancecli.workdir import WorkDir

KINDS = {
    "Inpainter": "inpaint", "Masker": "mask", "Dense": "dense", "Parser": "parser",
    "Pose": "pose", "Reader": "dataset", "Embedder": "face_embed",
}  # fmt: skip


def kind_of(name: str) -> str:
    """By the end of a class's name; what has none is a backend."""
    return next((kind for end, kind in KINDS.items() if name.endswith(end)), "backend")


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All classes of `foreign_plugins` under their names, and two that cannot be imported."""
    site = tmp_path / "site"
    entries: dict[str, dict[str, str]] = {}
    for name, value in vars(foreign_plugins).items():
        if isinstance(value, type) and value.__module__ == "foreign_plugins":
            group = f"dance.{kind_of(name)}"
            entries.setdefault(group, {})[name] = f"foreign_plugins:{name}"
    entries["dance.backend"]["Quits"] = "quitting_on_import:Backend"
    install(site, "dance-plugin-foreign", entries)
    (site / "quitting_on_import.py").write_text("import sys\nsys.exit('no licence file')\n")
    visible(monkeypatch, site)
    return site


def asked(name: str, plugin: Any) -> Any:
    """What a run asks of a plugin of its kind."""
    target, canvas = made_target(60, 90), Canvas(60, 90)
    frame, skeleton = target.frame, target.skeleton
    if kind_of(name) == "backend":
        person = plugin.prepare(target)
        motion = Motion(standing_skeleton(60, 90), None, canvas)
        plugin.render(person, [motion, motion])
        if hasattr(plugin, "weights"):
            plugin.weights()
        return plugin.refine(person, frame, None)
    asks = {
        "inpaint": lambda: plugin.inpaint(frame, np.zeros((90, 60), np.uint8)),
        "mask": lambda: plugin.mask(frame, skeleton),
        "dense": lambda: plugin.dense(frame, None, skeleton),
        "parser": lambda: plugin.parse(frame, skeleton=skeleton, mask=target.mask),
        "pose": lambda: plugin.extract(frame, [Box(0, 0, 60, 90)]),
        "dataset": lambda: list(plugin.read(None, "a", Options())),
        "face_embed": lambda: plugin.embed(np.zeros((256, 256, 3), np.uint8)),
    }
    return asks[kind_of(name)]()


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("FloatInpainter", "Frame.rgb is float32 (90, 60, 3), not uint8 (90, 60, 3)"),
        ("HalfInpainter", "inpaint.return is 30x45 pixels, not 60x90"),
        ("RaisingInpainter", "failed in inpaint: RuntimeError: CUDA error: device-side assert"),
        ("QuittingInpainter", "failed in inpaint: SystemExit: no licence server"),
        ("HalfMasker", "mask.return is 30x45 pixels, not 60x90"),
        ("UnknownMasker", "PersonMask.alpha holds NaN or infinity"),
        ("BytesMasker", "PersonMask.alpha holds 255, above 1"),
        ("LogitsMasker", "PersonMask.alpha holds -3, below 0"),
        ("BytesDense", "DenseMap.iuv holds 24, above 1"),
        ("HighReader", "View.labels holds 30, above 21"),
        ("BytesBackend", "Layer.z holds 255, above 1"),
        ("SignedBackend", "Layer.z holds -1, below 0"),
        ("HalfDense", "dense.return is 30x45 pixels, not 60x90"),
        ("LongParser", "LabelMap.labels is int64 (90, 60), not uint8"),
        ("HighParser", "LabelMap.labels holds 99, above 21"),
        ("TwicePose", "extract.return has 2 people for 1 box(es)"),
        ("ShortPose", "Skeleton.body is float32 (18, 3), not float32 (25, 3)"),
        ("NanBackend", "Layer.z holds NaN or infinity"),
        ("InfiniteBackend", "Layer.m holds NaN or infinity"),
        ("FewBackend", "render.return has 1 layers for 2 motions"),
        ("CroppingBackend", "Layer.z is 60x87 pixels, not 60x90"),
        ("BareBackend", "refine.return is ndarray, not Frame"),
        ("UnsureBackend", "uses_dense is str, not bool"),
        ("RawReader", "read.return is ndarray, not Person"),
        ("ShortEmbedder", "embed.return has 255 numbers, `size` says otherwise"),
        ("ElsewhereBackend", "Layer.canvas is not its motion's"),
        ("MislabelledBackend", "Layer.labels is 7x9 pixels, not 60x90"),
        ("ListingBackend", "weights.return is list, not Mapping"),
        ("PerhapsBackend", "weights.return: COMMERCIAL is 'perhaps', not True, False or None"),
        ("NoneBackend", "batch is 0, not 1 or more"),
        ("FlatBackend", "canvas is 0x320, not 1 or more a side"),
        ("WordBackend", "batch is str, not int"),
        ("NumberBackend", "dense_size is int, not tuple"),
    ],
)
def test_what_is_no_result_is_refused_and_the_plugin_named(name: str, says: str) -> None:
    group = f"dance.{kind_of(name)}"
    with pytest.raises(PluginError) as caught:
        asked(name, registry.load(group, name, Settings()))
    text = str(caught.value)
    assert text.startswith(f"plugin '{name}' ({group}, dance-plugin-foreign 0.1.0) ")
    assert says in text and "\n" not in text
    assert text.endswith(f"run: dance plugins check {name}")
    if "failed" in says:  # where in the plugin, for --debug
        assert caught.value.__cause__ is not None and caught.value.__cause__.__traceback__


@pytest.mark.usefixtures("foreign")
def test_a_plugin_that_is_watched_is_still_itself() -> None:
    plugin = registry.load("dance.backend", "OddBackend", Settings())
    assert isinstance(plugin, GROUPS["dance.backend"]) and plugin.canvas is None
    assert (plugin.colour, plugin.takes_weights, plugin.weights()) == ("red", False, None)
    assert not hasattr(plugin, "batch")
    assert asked("OddBackend", plugin).rgb.shape == (90, 60, 3)


@pytest.mark.usefixtures("foreign")
def test_rounding_is_no_fault() -> None:
    asked("RoundingBackend", registry.load("dance.backend", "RoundingBackend", Settings()))


@pytest.mark.usefixtures("foreign")
def test_an_end_from_outside_and_want_of_memory_are_no_plugin_s_fault() -> None:
    info = registry.find("dance.backend", "OddBackend")
    for error in (Terminated(143), MemoryError(), KeyboardInterrupt()):
        with pytest.raises(type(error)), blamed(info, "failed"):
            raise error


@pytest.mark.usefixtures("foreign")
def test_quitting_on_import_costs_a_batch_its_row_only(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text("photo,video,out,backend\na.jpg,a.mp4,a.mov,Quits\nb.jpg,b.mp4,b.mov,\n")
    ran = run("batch", table)
    assert ran.code == 2 and "of 2 rows cannot be used" in ran.err
    assert "cannot be loaded: SystemExit: no licence file" in ran.err
    assert "b.jpg does not exist" in ran.err
    ran = run("plugins", "check", "Quits")
    assert ran.code == 1 and "FAIL loads and is built from Settings" in ran.out


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("name", "says", "fix"),
    [
        ("Quits", "SystemExit: no licence file", "reinstall dance-plugin-foreign"),
        ("Unclear", "COMMERCIAL is 'unclear', not True, False or None", "reinstall"),
        ("Turncoat", "COMMERCIAL is 'perhaps', not True, False or None", "reinstall"),
        ("Asking", "cannot be built: it needs --weights DIR", "give it what it asks for"),
        ("Bursting", "cannot be built: OSError: no driver", "reinstall"),
    ],
)
def test_doctor_says_of_a_bad_plugin_what_is_wrong_with_it(name: str, says: str, fix: str) -> None:
    health = examine_plugin(registry.find("dance.backend", name))
    assert not health.ok
    assert says in str(health) and "\n" not in str(health)
    assert fix in health.fix


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Unlicensed", "LICENCE is ' ', not a line of text"),
        ("Verbose", r"LICENCE is 'code: MIT\nweights: mine', not a line of text"),
        ("Unclear", "COMMERCIAL is 'unclear'"),
        ("One", "COMMERCIAL is 1"),
        ("Turncoat", "COMMERCIAL is 'perhaps'"),
    ],
)
def test_a_plugin_that_does_not_say_its_terms_is_refused_before_any_work(
    name: str, says: str
) -> None:
    with pytest.raises(
        PluginError, match=f"plugin '{name}'.* does not say its terms: {re.escape(says)}"
    ):
        registry.load("dance.backend", name, Settings())
    assert any(outcome.failed and says in outcome.detail for outcome in check_of(name))


def check_of(name: str) -> list[Any]:
    return list(check("dance.backend", name))


def test_what_cannot_be_described_leaves_no_video(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Stages) -> list[Any]:
        raise PluginError("it has no words")

    monkeypatch.setattr(Stages, "describe", fail)
    out = tmp_path / "o.mp4"
    cheap = ("--backend", "posewarp", "--parser", "heuristic", "--background", "white")
    ran = run("reenact", demo_photo, demo_video, "-o", out, "--end", "0.1", "--preview", *cheap)
    assert ran.code == 1 and "it has no words" in ran.err
    assert not out.exists()


def identity(tmp_path: Path, group: str, name: str, content: str | None) -> str:
    weights = tmp_path / "w.bin"
    weights.write_text(content or "")
    job = Job(tmp_path, tmp_path, tmp_path, {f"dance.{group}": name},
              weights=str(weights) if content else None)  # fmt: skip
    (found,) = Stages(job).identity(group)
    return found


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("group", "name", "known"),
    [
        ("pose", "WeightedPose", 3), ("backend", "NanBackend", 3), ("parser", "LongParser", 3),
        ("pose", "PlainPose", 1), ("backend", "OddBackend", 1), ("pose", "mediapipe", 1),
        ("parser", "heuristic", 1), ("parser", "KeyedParser", 2),
    ],
)  # fmt: skip
def test_results_are_kept_per_weights_where_they_may_matter(
    tmp_path: Path, group: str, name: str, known: int
) -> None:
    keys = {identity(tmp_path, group, name, each) for each in (None, "one", "two")}
    assert len(keys) == known
    if known == 1:  # as it is where no --weights are given: nothing is computed anew
        assert keys == {registry.find(f"dance.{group}", name).identity}


@pytest.mark.usefixtures("foreign")
def test_weights_in_a_folder_of_the_folder_matter(tmp_path: Path) -> None:
    """And of a flat folder the key is what it has been."""
    weights, found = tmp_path / "weights", []
    (weights / "decoder").mkdir(parents=True)
    (weights / "a.bin").write_text("a")
    (weights / "b.bin").write_text("b")
    assert sha256_of(weights) == FLAT
    for text in ("one", "two"):
        (weights / "decoder" / "net.bin").write_text(text)
        job = Job(tmp_path, tmp_path, tmp_path, {"dance.pose": "WeightedPose"},
                  weights=str(weights))  # fmt: skip
        found += Stages(job).identity("pose")
    (weights / "decoder").rename(weights / "encoder")
    found += Stages(job).identity("pose")
    assert len(set(found)) == 3


FLAT = "043d4541cc8ebce4e9628c6a1f9db75fb74aca3e78c9bfe08a657ed011a0fbed"
"""SHA-256 over the lines "a.bin", zero byte, hash of "a", and the same of b."""


@pytest.mark.usefixtures("foreign")
def test_a_backend_is_given_as_many_motions_as_it_says(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    """By the conformance suite, live, and in self-reenactment."""
    assert [each for each in check("dance.backend", "PairsBackend") if each.failed] == []
    plugins = {"dance.backend": "PairsBackend", "dance.parser": "heuristic"}
    job = Job(demo_photo, tmp_path / "none.mp4", tmp_path / "none.mov", {**DEFAULTS, **plugins},
              background="white", size="96x160")  # fmt: skip
    work = WorkDir(tmp_path / "work")
    assert LiveStage(job, work).at_rest().shape == (160, 96, 3)
    clip, video = tmp_path / "clip.mp4", VideoStream(demo_video, max_side=480)
    size = (video.width, video.height)
    with Encoder(clip, format_of(clip), video.fps, size, False) as encoder:
        for frame in video.frames(0, 3):
            encoder.write(frame.rgb)
    contender = Contender("pairs", "PairsBackend")
    protocol = Protocol((contender,), plugins={"dance.parser": "heuristic"}, device="cpu")
    _, made = next(SelfClip(clip, protocol, work, tmp_path, Progress("quiet")).moments())
    assert "pairs" in made


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(("name", "batch"), [("PairsBackend", 2), ("FlexibleBackend", 1)])
def test_frames_that_come_one_by_one_fill_a_batch_only_where_they_must(
    name: str, batch: int
) -> None:
    backend = registry.load("dance.backend", name, Settings())
    painter = Painter.of_single_frames(backend, made_target(60, 90))
    assert (painter.batch, batch_of(backend)) == (batch, 2)
    assert [each for each in check("dance.backend", name) if each.failed] == []


def project(folder: Path, site: Path, monkeypatch: pytest.MonkeyPatch, editable: bool) -> Path:
    """A plugin of two modules and a package, as pip installs it; the folder of its code."""
    install(site, "dance-plugin-mine", {"dance.pose": {"mine": "mine_plugin:Mine"}})
    (folder / "mine_parts" / "deep").mkdir(parents=True)
    files = ("mine_plugin.py", "mine_helper.py", "mine_parts/__init__.py", "mine_parts/deep/x.py")
    for name in files:
        (folder / name).write_text("A = 1\n")
    told = {"url": folder.as_uri(), "dir_info": {"editable": editable}}
    (site / "dance_plugin_mine-0.1.0.dist-info" / "direct_url.json").write_text(json.dumps(told))
    visible(monkeypatch, site, folder)
    return folder


def mine() -> str:
    """The plugin's part in cache keys, as the next run sees it."""
    sources.edited.cache_clear()
    return registry.find("dance.pose", "mine").identity


@pytest.mark.parametrize(
    "edited", ["mine_plugin.py", "mine_helper.py", "mine_parts/__init__.py", "mine_parts/deep/x.py"]
)
def test_editing_a_plugin_in_its_project_changes_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: str
) -> None:
    folder = project(tmp_path / "code", tmp_path / "site", monkeypatch, editable=True)
    before = mine()
    assert before == mine()
    (folder / edited).write_text("A = 12\n")
    after = mine()
    assert after != before
    (folder / "notes.txt").write_text("no code")
    assert after == mine()


def test_what_is_no_file_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor's lock, which is a link to nowhere."""
    folder = project(tmp_path / "code", tmp_path / "site", monkeypatch, editable=True)
    before = mine()
    (folder / "mine_parts" / ".#x.py").symlink_to("somebody@somewhere.1234")
    assert mine() == before


def test_code_that_only_an_import_hook_finds_counts_with_its_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As setuptools installs a project in another environment; what is not its code does not."""
    folder, site = tmp_path / "code", tmp_path / "site"
    project(folder, site, monkeypatch, editable=True)
    moved = folder / "lib" / "deep"
    moved.mkdir(parents=True)
    (folder / "mine_plugin.py").rename(moved / "mine_plugin.py")
    (folder / "venv").mkdir()
    (folder / "venv" / "pyvenv.cfg").touch()

    def there() -> str:
        sources.edited.cache_clear()
        return sources.edited("dance-plugin-mine", "mine_plugin", (str(site),))

    before = there()
    for other in ("venv", ".git", "build", "node_modules"):
        (folder / other).mkdir(exist_ok=True)
        (folder / other / "copied.py").write_text("B = 1\n")
    assert there() == before
    for name in (moved / "mine_plugin.py", folder / "mine_helper.py"):
        known = there()
        name.write_text("A = 123\n")
        assert there() != known


@pytest.mark.parametrize("inside", ["elsewhere", "code/.venv"])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_of_a_namespace_the_project_s_portion_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, elsewhere: bool
) -> None:
    """Where another distribution's comes first on the path, be it of the project's environment."""
    site, folder, other = tmp_path / "site", tmp_path / "code", tmp_path / inside
    project(folder, site, monkeypatch, editable=True)
    for place, name in ((other, "theirs.py"), (folder, "mine.py")):
        (place / "corp").mkdir(parents=True)
        (place / "corp" / name).write_text("A = 1\n")
    visible(monkeypatch, folder, other)
    folders = (str(site), str(other), str(folder)) if elsewhere else ()

    def known() -> str:
        sources.edited.cache_clear()
        return sources.edited("dance-plugin-mine", "corp", folders)

    before = known()
    (other / "corp" / "theirs.py").write_text("A = 12\n")
    assert known() == before
    (folder / "corp" / "mine.py").write_text("A = 12\n")
    assert known() != before


def test_editing_a_plugin_of_another_environment_changes_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as unseen:
        folder = project(tmp_path / "code", tmp_path / "site", unseen, editable=True)
    folders = (str(tmp_path / "site"), str(folder))
    add([Isolated("dance.pose", "mine", sys.executable, "3.12", folders,
                  distribution="dance-plugin-mine")])  # fmt: skip
    before = mine()
    assert before == mine()
    (folder / "mine_helper.py").write_text("A = 12\n")
    assert mine() != before


def test_a_plugin_installed_as_a_copy_is_known_by_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "code", tmp_path / "site", monkeypatch, editable=False)
    before = mine()
    (folder / "mine_plugin.py").write_text("A = 12\n")
    assert mine() == before == "dance.pose:mine=mine_plugin:Mine dance-plugin-mine 0.1.0"


@pytest.fixture
def twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that gives a plugin the name of one of ours, and two that share a name."""
    entry = {"dance.pose": {"mediapipe": "foreign_plugins:PlainPose"}}
    install(tmp_path / "one", "dance-twin", entry)
    for name in ("a-one", "a-two", "a-three"):
        entry = {"dance.mask": {"shared": "foreign_plugins:HalfMasker"}}
        install(tmp_path / name, name, entry)
    visible(monkeypatch, *(tmp_path / each for each in ("one", "a-one", "a-two", "a-three")))


@pytest.mark.usefixtures("twins")
def test_a_name_that_two_packages_bring_is_refused_with_both_named(run: Run) -> None:
    says = (
        "two packages bring 'mediapipe' (dance.pose): dancecli 0.1.0 and dance-twin 0.1.0; "
        "pip uninstall one of them"
    )
    for ask in (
        lambda: registry.find("dance.pose", "mediapipe"),
        lambda: registry.load("dance.pose", "mediapipe", Settings()),
    ):
        with pytest.raises(DanceError) as caught:
            ask()
        assert str(caught.value) == says
    with pytest.raises(PluginError, match=r"3 packages bring 'shared'.*all but one of them"):
        registry.find("dance.mask", "shared")
    listed = next(i for i in registry.installed("dance.pose") if i.name == "mediapipe")
    health = examine_plugin(listed)
    assert not health.ok and says in str(health) and health.fix == "pip uninstall one of them"
    rows = run("plugins", "list").out.splitlines()
    (row,) = [row for row in rows if row.startswith("dance.pose") and " mediapipe " in row]
    assert "dancecli 0.1.0" in row and "also in dance-twin 0.1.0: pip uninstall" in row
    (found,) = [
        row for row in json.loads(run("plugins", "list", "--json").out)
        if (row["group"], row["name"]) == ("dance.pose", "mediapipe")
    ]  # fmt: skip
    assert found["rivals"] == ["dance-twin 0.1.0"]
