"""The conformance suite finds what is wrong, and says what it could not look at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from installed_plugins import install, visible
from PIL import Image

from dancecli.errors import UsageError
from dancecli.media import read_photo
from dancecli.mirror import OTHER_FACE, OTHER_PART, OTHER_SIDE, mirrored_skeleton
from dancecli.stages import GROUPS
from dancecli.testing import Contract, check, suite, titles
from dancecli.testing.memory import growth
from dancecli.types import JOINT, Skeleton

FAULTS = [
    ("dance.pose", "MirroredPose", "tells left from right, also in a mirror"),
    ("dance.pose", "SmallestFirstPose", "finds two people, the larger first"),
    ("dance.pose", "BoxlessPose", "looks into the boxes, in their order"),
    ("dance.pose", "EverywherePose", "finds nobody in an empty picture"),
    ("dance.mask", "EverybodyMask", "masks the one of two people it is asked for"),
    ("dance.mask", "LoudMask", "returns alpha of the frame's size"),
    ("dance.dense", "SwappedDense", "tells left from right, also in a mirror"),
    ("dance.dense", "ReadingDense", "reads the pixels only if it says so"),
    ("dance.dense", "DoubleDense", "returns parts, U and V"),
    ("dance.parser", "MasklessParser", "labels the one of two people it is asked for"),
    ("dance.parser", "GuessingParser", "labels nobody where nobody is"),
    ("dance.inpaint", "SmearingInpainter", "fills the hole and nothing else"),
    ("dance.inpaint", "TimelessInpainter", "fills the hole and nothing else"),
    ("dance.inpaint", "FragileInpainter", "takes a picture of a few pixels"),
    ("dance.inpaint", "RandomInpainter", "gives the same again"),
    ("dance.inpaint", "NumberedInpainter", "gives the same when built again"),
    ("dance.inpaint", "RememberingInpainter", "remembers nothing of another frame"),
    ("dance.inpaint", "WritingInpainter", "leaves its arguments as they are"),
    ("dance.inpaint", "OneAtATimeInpainter", "may be called from several threads"),
    ("dance.inpaint", "HoardingInpainter", "gathers no memory"),
    ("dance.face_align", "HopefulAligner", "finds no face in an empty picture"),
    ("dance.face_align", "HintlessAligner", "finds the face nearest the hint"),
    ("dance.face_embed", "BlindEmbedder", "tells two people apart"),
    ("dance.backend", "ForgetfulBackend", "keeps two people apart"),
    ("dance.backend", "BlendingBackend", "renders motions in any order"),
    ("dance.backend", "RefiningBackend", "refines only if it says so"),
    ("dance.dataset", "LaxReader", "refuses a setting it does not know"),
    ("dance.dataset", "NamesakeReader", "gives people of the right types"),
    ("dance.dataset", "ShyReader", "refuses a folder of another shape"),
]


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faulty plugins, installed under the names of their classes."""
    entries: dict[str, dict[str, str]] = {}
    for group, name, _ in FAULTS:
        entries.setdefault(group, {})[name] = f"faulty_plugins:{name}"
    install(tmp_path / "site", "dance-plugin-faulty", entries)
    visible(monkeypatch, tmp_path / "site")


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(("group", "name", "title"), FAULTS)
def test_a_fault_is_found(
    group: str, name: str, title: str, demo_photo: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for unit in ("a", "b"):
        Image.new("RGB", (40, 60), "grey").save(photos / f"{unit}.jpg")
    outcome = Contract(group, name, read_photo(demo_photo), data=photos).outcome(title)
    assert outcome.failed, outcome
    assert outcome.check == title and outcome.detail


def test_what_takes_a_photo_is_skipped_without_one() -> None:
    outcomes = {o.check: o for o in check("dance.face_align", "mediapipe")}
    assert not any(outcome.failed for outcome in outcomes.values())
    for title in ("finds the face in the frame", "gives the same again"):
        assert outcomes[title].skipped and not outcomes[title].passed
        assert "give a photo" in outcomes[title].detail
    assert outcomes["finds no face in an empty picture"].passed


def test_every_interface_has_a_suite() -> None:
    for group in GROUPS:
        assert len(titles(group)) > 8
    with pytest.raises(UsageError, match=r"dance\.pose, dance\.mask"):
        suite("dance.poses", "mine")


def test_three_lines_of_pytest(tmp_path: Path) -> None:
    """One item per check; what cannot be told is skipped, a fault fails with what is wrong."""
    install(tmp_path, "dance-plugin-x", {"dance.dense": {"x": "faulty_plugins:DoubleDense"}})
    lines = [
        "from dancecli.testing import suite",
        "test_dense = suite('dance.dense', 'x')",
        "test_reader = suite('dance.dataset', 'atr')",
    ]
    (tmp_path / "test_mine.py").write_text("\n".join(lines))
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rfs", "test_mine.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED test_mine.py::test_dense[returns parts, U and V]" in done.stdout
    assert "iuv is float64, not float32" in done.stdout
    assert "give a data set in the reader's layout" in done.stdout
    assert "Traceback" not in done.stdout


def test_memory_that_settles_is_no_growth() -> None:
    kept: list[bytes] = []
    assert growth(lambda number: kept.append(b"x" * 100_000) if number < 5 else None) == ""
    assert "kB" in growth(lambda _: kept.append(bytes(100_000)))


@given(arrays(np.float32, (137, 3), elements=st.floats(0, 1000, width=16)), st.integers(1, 2000))
def test_a_mirror_of_a_mirror_is_the_person(points: np.ndarray, width: int) -> None:
    world = points[:25] / 100
    skeleton = Skeleton(points[:25], points[25:46], points[46:67], points[67:], world)
    twice = mirrored_skeleton(mirrored_skeleton(skeleton, width), width)
    assert np.allclose(twice.points(), skeleton.points(), atol=1e-3)
    assert np.array_equal(twice.world, world)


def test_a_mirror_exchanges_the_sides() -> None:
    assert OTHER_SIDE[JOINT["left_ankle"]] == JOINT["right_ankle"]
    assert OTHER_SIDE[JOINT["nose"]] == JOINT["nose"]
    assert OTHER_FACE[36] == 45 and OTHER_PART[3] == 4 and OTHER_PART[2] == 2


@pytest.mark.parametrize("table", [OTHER_SIDE, OTHER_FACE, OTHER_PART])
def test_sides_change_places_in_pairs(table: list[int]) -> None:
    assert [table[other] for other in table] == list(range(len(table)))
    assert table != list(range(len(table)))


def test_the_suite_needs_no_heavy_library_to_be_imported() -> None:
    code = (
        "import sys, dancecli.testing\n"
        "print(sorted({'torch', 'cv2', 'av', 'PIL', 'pytest', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
