"""The poses file: what is written is read back, and what others wrote is checked."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from motion_puppet import FPS, SIZE, bones, puppet, swing, track_of

from dancecli.errors import MediaError, NoPersonError, UsageError
from dancecli.motion import State, Track, read_poses, scaled, write_poses
from dancecli.motion.camera import apply
from dancecli.types import JOINT, Skeleton


def points(count: int) -> st.SearchStrategy[np.ndarray]:
    place = st.floats(-1e5, 1e5, width=32)
    trust = st.floats(0, 1, width=32)
    return st.tuples(
        hnp.arrays(np.float32, (count, 2), elements=place),
        hnp.arrays(np.float32, (count, 1), elements=trust),
    ).map(np.hstack)


def with_someone(body: np.ndarray) -> np.ndarray:
    body[0, 2] = 1.0
    return body


world = st.one_of(st.none(), hnp.arrays(np.float32, (25, 3), elements=st.floats(-3, 3, width=32)))
skeletons = st.builds(
    Skeleton, body=points(25).map(with_someone), left_hand=points(21), right_hand=points(21),
    face=points(70), world=world,
)  # fmt: skip
cameras = st.tuples(
    st.floats(0.5, 2), st.floats(-0.3, 0.3), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)
).map(lambda v: np.array([[v[0], -v[1], v[2]], [v[1], v[0], v[3]]]))


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    people = draw(st.lists(skeletons, min_size=1, max_size=3))
    count = len(people)
    state = draw(st.lists(st.sampled_from(State), min_size=count, max_size=count))
    cuts = draw(st.sets(st.integers(1, max(1, count - 1)))) if count > 1 else set()
    camera = np.stack([draw(cameras) for _ in people])
    fps = draw(st.fractions(Fraction(1), Fraction(240), max_denominator=1001))
    return Track(
        tuple(people), np.array(state, np.uint8), tuple(sorted(cuts)), camera, (640, 360), fps
    )


@settings(max_examples=20, deadline=None)
@given(track=tracks())
def test_a_track_is_read_back_as_it_was_written(tmp_path_factory, track):
    path = tmp_path_factory.mktemp("poses") / "poses.json"
    write_poses(path, track, "test 1")
    again = read_poses(path)
    for old, new in zip(track.skeletons, again.skeletons, strict=True):
        assert np.array_equal(old.points(), new.points())
        assert (old.world is None) == (new.world is None)
        assert old.world is None or np.array_equal(old.world, new.world)
    assert np.array_equal(again.camera, track.camera)
    assert again.state.tolist() == track.state.tolist()
    assert (again.cuts, again.size, again.fps) == (track.cuts, track.size, track.fps)


def clip(frames: int = 4) -> Track:
    return track_of([puppet(bones(300), angles) for angles in swing(frames)])


def written(path: Path) -> dict[str, Any]:
    write_poses(path, clip())
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_only_the_whole_file_appears(tmp_path):
    with pytest.raises(MediaError, match="missing"):
        write_poses(tmp_path / "missing" / "poses.json", clip())
    write_poses(tmp_path / "poses.json", clip())
    assert [p.name for p in tmp_path.iterdir()] == ["poses.json"]


def test_hands_face_depth_state_and_camera_may_be_missing(tmp_path):
    path = tmp_path / "poses.json"
    document = written(path)
    for frame in document["frames"]:
        for key in ("state", "cut", "camera", "time"):
            del frame[key]
        frame["people"] = [{"pose_keypoints_2d": frame["people"][0]["pose_keypoints_2d"]}]
    path.write_text(json.dumps(document))
    track = read_poses(path)
    assert track.summary() == {"frames": 4, "seen": 4, "interpolated": 0, "held": 0, "cuts": 0}
    assert np.array_equal(track.skeletons[2].body, clip().skeletons[2].body)
    assert track.skeletons[0].world is None


def test_a_frame_with_nobody_is_filled_in(tmp_path):
    path = tmp_path / "poses.json"
    document = written(path)
    document["frames"][1]["people"] = []
    path.write_text(json.dumps(document))
    assert read_poses(path).state.tolist() == [
        State.SEEN, State.INTERPOLATED, State.SEEN, State.SEEN
    ]  # fmt: skip
    for frame in document["frames"]:
        frame["people"] = []
    path.write_text(json.dumps(document))
    with pytest.raises(NoPersonError, match="4 frames"):
        read_poses(path)


def test_openpose_files_as_a_list(tmp_path):
    path = tmp_path / "poses.json"
    document = written(path)
    plain = [
        {"version": 1.3, "people": [{**frame["people"][0], "hand_left_keypoints_2d": []}]}
        for frame in document["frames"]
    ]
    path.write_text(json.dumps(plain))
    with pytest.raises(UsageError, match="fps"):
        read_poses(path)
    track = read_poses(path, fps=FPS, size=SIZE)
    assert np.array_equal(track.skeletons[3].body, clip().skeletons[3].body)


def test_poses_of_the_same_pictures_at_another_size_are_scaled(tmp_path):
    track = clip()
    width, height = track.size
    half = scaled(track, (width // 2, height // 2))
    assert half is not None and half.size == (width // 2, height // 2)
    points = np.array([[10.0, 20.0], [300.0, 40.0]])
    for t, (old, new) in enumerate(zip(track.skeletons, half.skeletons, strict=True)):
        assert np.allclose(new.points()[:, :2], old.points()[:, :2] / 2, atol=1e-3)
        assert np.array_equal(new.points()[:, 2], old.points()[:, 2])
        there = apply(track.camera[[t]], points[None])
        assert np.allclose(apply(half.camera[[t]], points[None] / 2), there / 2)
    assert scaled(track, track.size) is track
    assert scaled(track, (width // 2, height // 2 + 1)) is not None  # an even size
    assert scaled(track, (width // 2, round(0.51 * height))) is None


def change(document: dict[str, Any], where: str, value: Any) -> None:
    *path, last = [int(k) if k.isdigit() else k for k in where.split(".")]
    for key in path:
        document = document[key]  # type: ignore[index]
    document[last] = value  # type: ignore[index]


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("version", 99, "version 99"),
        ("fps", "fast", "fps"),
        ("fps", 0, "fps"),
        ("fps", True, "fps"),
        ("width", -3, "width"),
        ("height", 1 << 40, "height"),
        ("frames", [], "frames"),
        ("frames", {}, "frames"),
        ("frames.2", 7, "frame 2"),
        ("frames.2.people", None, "frame 2.*people"),
        ("frames.2.people.0", [], r"frame 2.*people\[0\]"),
        ("frames.1.people.0", {}, "frame 1.*pose_keypoints_2d is missing"),
        ("frames.1.people.0.pose_keypoints_2d", [1.0] * 74, "frame 1.*75 numbers.*74"),
        ("frames.1.people.0.pose_keypoints_2d", "abc", "frame 1.*75 numbers"),
        ("frames.1.people.0.pose_keypoints_2d.4", "x", "frame 1.*pose_keypoints_2d.*'x'"),
        ("frames.1.people.0.pose_keypoints_2d.4", float("nan"), "frame 1.*nan"),
        ("frames.1.people.0.pose_keypoints_2d.4", 1e300, "frame 1"),
        ("frames.1.people.0.pose_keypoints_2d.5", -0.5, "frame 1.*confidence"),
        ("frames.3.people.0.face_keypoints_2d", [0.0], "frame 3.*face_keypoints_2d"),
        ("frames.0.people.0.pose_keypoints_3d", [0.0], "frame 0.*pose_keypoints_3d"),
        ("frames.0.state", "lost", "frame 0.*seen, interpolated, held"),
        ("frames.0.cut", 1, "frame 0.*cut"),
        ("frames.0.camera", [1, 2, 3], "frame 0.*camera"),
        ("frames.0.camera", [0, 0, 0, 0, 0, 0], "frame 0.*undone"),
    ],
)
def test_what_is_wrong_is_named_with_its_frame(tmp_path, where, value, message):
    path = tmp_path / "poses.json"
    document = written(path)
    change(document, where, value)
    path.write_text(json.dumps(document))
    with pytest.raises(MediaError, match=message) as caught:
        read_poses(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "3", '"x"', "\x00"])
def test_files_that_are_no_poses(tmp_path, text):
    path = tmp_path / "poses.json"
    path.write_text(text)
    with pytest.raises(MediaError):
        read_poses(path, fps=FPS, size=SIZE)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(MediaError, match="cannot be read"):
            read_poses(path)


def test_a_cleared_frame_leaves_what_others_were_given(tmp_path):
    path = tmp_path / "poses.json"
    write_poses(path, track_of([puppet(bones(400))] * 30))
    document = json.loads(path.read_text())
    wrist = 3 * JOINT["right_wrist"]
    moved = document["frames"][10]["people"][0]["pose_keypoints_2d"]
    moved[wrist] += 100
    document["frames"][5]["state"] = "held"
    document["frames"][20]["people"] = []
    path.write_text(json.dumps(document))
    track = read_poses(path)
    assert track.skeletons[10].joint("right_wrist")[0] == pytest.approx(moved[wrist])
    assert track.skeletons[10].body[JOINT["right_wrist"], 2] == 1
    assert track.state[5] == State.HELD and track.state[20] == State.INTERPOLATED
    assert track.skeletons[20].seen("right_wrist")


def test_a_camera_that_mirrors_is_refused(tmp_path):
    path = tmp_path / "poses.json"
    write_poses(path, track_of([puppet(bones(400))] * 3))
    document = json.loads(path.read_text())
    document["frames"][1]["camera"] = [-1, 0, 640, 0, 1, 0]
    path.write_text(json.dumps(document))
    with pytest.raises(MediaError, match=r"frame 1: camera: .* mirror"):
        read_poses(path)


def test_a_mark_of_the_byte_order_is_passed_over(tmp_path):
    path = tmp_path / "poses.json"
    write_poses(path, track_of([puppet(bones(400))] * 3))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_poses(path)) == 3


def test_interrupted_while_writing_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Track) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dancecli.motion.poses._frames", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_poses(tmp_path / "poses.json", clip())
    assert not list(tmp_path.iterdir())
