"""Poses from the files that OpenPose wrote, whatever is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from dance_openpose.records import read_people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_samples import assert_one_line, make_video
from openpose_records import figure, record, write_record

from dancecli import registry
from dancecli.cli.reenact import command as reenact
from dancecli.errors import MediaError, UsageError
from dancecli.media import VideoStream, read_photo, write_png
from dancecli.stages import PoseExtractor, Settings
from dancecli.steps.photo import fitted
from dancecli.types import JOINT, SEEN, Box, Frame


def extractor(folder: Path) -> PoseExtractor:
    found: PoseExtractor = registry.load("dance.pose", f"openpose-json@{folder}", Settings())
    return found


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """30 numbered pictures a second apart, and what OpenPose said of them: in the n-th, somebody
    whose nose is at x = n + 10; frame 7 was lost."""
    for n in set(range(30)) - {7}:
        person = figure(60, 48).moved(1, 0, 0)
        person = person.moved(1, n + 10 - float(person.joint("nose")[0]), 0)
        write_record(tmp_path / "json" / f"dance_{n:012d}_keypoints.json", [person])
    return make_video(tmp_path / "dance.mp4", 30)


def nose_of(people: list[Any]) -> float:
    (person,) = people
    return float(person.joint("nose")[0])


def test_every_frame_has_its_own_file_however_the_video_is_cut(clip: Path) -> None:
    pose = extractor(clip.parent / "json")
    frames = VideoStream(clip, start=0.4, fps=VideoStream(clip).fps / 3).frames()
    assert [nose_of(pose.extract(frame)) for frame in frames][:4] == pytest.approx([20, 23, 26, 29])


def test_poses_follow_the_size_of_the_frame(clip: Path) -> None:
    pose = extractor(clip.parent / "json")
    frame = next(VideoStream(clip, max_side=32).frames(4))
    assert frame.width == 32
    assert nose_of(pose.extract(frame)) == pytest.approx(14 / 2)


def test_a_frame_without_a_file_shows_nobody(clip: Path) -> None:
    pose = extractor(clip.parent / "json")
    assert pose.extract(next(VideoStream(clip).frames(7))) == []
    assert pose.extract(Frame(np.zeros((48, 64, 3), np.uint8))) == []


def test_pictures_numbered_from_one_are_the_same_clip(clip: Path) -> None:
    for file in sorted((clip.parent / "json").iterdir()):
        number = int(file.name.split("_")[1]) + 1
        file.rename(clip.parent / "json" / f"{number:04d}_keypoints.json")
    frame = next(VideoStream(clip).frames(12))
    assert nose_of(extractor(clip.parent / "json").extract(frame)) == pytest.approx(22)


@pytest.mark.parametrize(
    ("numbers", "photo"),
    [
        ("{:04d}", "3"),  # ffmpeg's pictures, from 1
        ("{:012d}", "3"),  # a camera's, as OpenPose names them
        ("{}", "0007"),
        ("dance_{:012d}", "dance_2"),
        ("dance_{:012d}", "dance2"),
    ],
)
def test_a_photo_with_a_number_for_a_name_is_no_frame_of_the_video(
    clip: Path, caplog: pytest.LogCaptureFixture, numbers: str, photo: str
) -> None:
    folder = clip.parent / "json"
    from_one = not numbers.startswith("dance")
    for file in sorted(folder.iterdir(), reverse=True):
        number = int(file.name.split("_")[1]) + from_one
        file.rename(folder / f"{numbers.format(number)}_keypoints.json")
    write_png(clip.parent / f"{photo}.png", np.zeros((320, 200, 3), np.uint8))
    write_record(folder / f"{photo}_keypoints.json", [figure(200, 320)])
    pose = extractor(folder)
    assert nose_of(pose.extract(read_photo(clip.parent / f"{photo}.png"))) > 50
    noses = [nose_of(people) for f in VideoStream(clip).frames() if (people := pose.extract(f))]
    assert noses == pytest.approx([10 + n for n in range(30) if n != 7])
    (told,) = caplog.messages
    assert told.startswith(f"{photo}_keypoints.json") and "no frame of the video" in told


def test_a_photo_does_not_lead_to_longer_numbers_that_begin_elsewhere(
    clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = clip.parent / "json"
    for file in sorted(folder.iterdir(), reverse=True):
        file.rename(folder / f"{int(file.name.split('_')[1]) + 10}_keypoints.json")
    write_record(folder / "3_keypoints.json", [figure(200, 320)])
    pose = extractor(folder)
    assert nose_of(pose.extract(next(VideoStream(clip).frames(0)))) == pytest.approx(10)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("numbers", ["{}", "{:02d}"])
def test_numbers_may_get_longer_as_a_video_goes_on(
    clip: Path, caplog: pytest.LogCaptureFixture, numbers: str
) -> None:
    folder = clip.parent / "json"
    for file in sorted(folder.iterdir(), reverse=True):
        number = int(file.name.split("_")[1]) + 90
        file.rename(folder / f"{numbers.format(number)}_keypoints.json")
    pose = extractor(folder)
    assert nose_of(pose.extract(next(VideoStream(clip).frames(29)))) == pytest.approx(39)
    assert not caplog.messages


def test_the_photo_has_its_own_file_and_a_smaller_copy_its_pixels(tmp_path: Path) -> None:
    write_png(tmp_path / "me_1.png", np.zeros((640, 400, 3), np.uint8))
    write_record(tmp_path / "me_1_keypoints.json", [figure(400, 640)])
    write_record(tmp_path / "me_0_keypoints.json", [])
    photo = fitted(read_photo(tmp_path / "me_1.png"), 320)
    (person,) = extractor(tmp_path).extract(photo)
    np.testing.assert_allclose(person.body[:, :2], figure(200, 320).body[:, :2], atol=0.01)


def test_of_several_people_the_largest_comes_first_and_a_box_chooses(tmp_path: Path) -> None:
    write_png(tmp_path / "us.png", np.zeros((400, 640, 3), np.uint8))
    small, large = figure(200, 320).moved(0.5, 400, 0), figure(200, 320)
    write_record(tmp_path / "us_keypoints.json", [small, large])
    pose, photo = extractor(tmp_path), read_photo(tmp_path / "us.png")
    noses = [float(p.joint("nose")[0]) for p in pose.extract(photo)]
    assert noses == pytest.approx([large.joint("nose")[0], small.joint("nose")[0]], abs=0.01)
    boxes = [Box(380, 0, 640, 200), Box(0, 380, 20, 400), Box(0, 0, 220, 330)]
    assert [float(p.joint("nose")[0]) for p in pose.extract(photo, boxes)] == noses[::-1]


def test_left_and_right_scores_hands_and_face_stay_what_they_are(tmp_path: Path) -> None:
    truth = figure(200, 320)
    (person,) = read_people(write_record(tmp_path / "a_keypoints.json", [truth]))
    for part in ("body", "left_hand", "right_hand", "face"):
        found, wanted = getattr(person, part), getattr(truth, part)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[:, :2], wanted[:, :2], atol=0.001)
        assert (found[:, 2] > SEEN).all()


def test_what_openpose_draws_is_seen(tmp_path: Path) -> None:
    """Its render thresholds: 0.05 for the body, 0.2 for hands, 0.4 for the face."""
    (faint,) = read_people(write_record(tmp_path / "a_keypoints.json", [figure(score=0.21)]))
    assert (faint.body[:, 2] >= SEEN).all() and (faint.left_hand[:, 2] >= SEEN).all()
    assert (faint.face[:, 2] < SEEN).all() and (faint.face[:, 2] > 0).all()


def test_eighteen_joints_get_a_mid_hip_and_no_feet(tmp_path: Path) -> None:
    truth = figure(200, 320)
    (person,) = read_people(write_record(tmp_path / "a_keypoints.json", [truth], coco=True))
    hips = truth.body[[JOINT["left_hip"], JOINT["right_hip"]], :2].mean(0)
    np.testing.assert_allclose(person.joint("mid_hip"), hips, atol=0.001)
    np.testing.assert_allclose(person.body[:8, :2], truth.body[:8, :2], atol=0.001)
    np.testing.assert_allclose(person.body[9:19, :2], truth.body[9:19, :2], atol=0.001)
    assert (person.body[19:] == 0).all()


def test_people_without_hands_and_face_are_people(tmp_path: Path) -> None:
    body = {"pose_keypoints_2d": record(figure())["pose_keypoints_2d"], "face_keypoints_2d": []}
    (tmp_path / "a.json").write_text(json.dumps({"people": [body]}))
    (person,) = read_people(tmp_path / "a.json")
    assert person.seen("nose") and not person.face.any() and not person.left_hand.any()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"people": 3}', "no list 'people'"),
        (b"[]", "no list 'people'"),
        (b'{"people": [[]]}', "a person is list"),
        (b'{"people": [{}]}', "no pose_keypoints_2d"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2]}]}', "2 numbers, 75 or 54 expected"),
        (b'{"people": [{"pose_keypoints_2d": "x"}]}', "str, 75 or 54 expected"),
    ],
)
def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a_keypoints.json"
    path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_people(path)
    assert says in str(caught.value) and path.name in str(caught.value)
    assert_one_line(caught)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", "null", "true", '"7"', "[]", "1e7"])
def test_no_number_but_a_number_is_taken(tmp_path: Path, value: str) -> None:
    numbers = ["0"] * 74 + [value]
    path = tmp_path / "a_keypoints.json"
    path.write_text('{"people": [{"pose_keypoints_2d": [' + ",".join(numbers) + "]}]}")
    with pytest.raises(MediaError, match="no coordinate"):
        read_people(path)


def test_fractions_of_the_picture_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = write_record(tmp_path / "a_keypoints.json", [figure(1, 1)])
    with pytest.raises(MediaError, match="keypoint_scale 0"):
        read_people(path)


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_hostile_json_gives_people_or_one_line(tmp_path: Path, data: st.DataObject) -> None:
    """A right record with anything in the place of anything."""
    person = record(figure())
    for key in data.draw(st.lists(st.sampled_from(sorted(person)), max_size=3)):
        numbers = list(person[key]) if isinstance(person[key], list) else []
        if numbers and data.draw(st.booleans()):
            numbers[data.draw(st.integers(0, len(numbers) - 1))] = data.draw(json_value)
            person[key] = numbers
        else:
            person[key] = data.draw(json_value)
    whole = data.draw(st.sampled_from([{"people": [person]}, [person], person]) | json_value)
    path = tmp_path / "a_keypoints.json"
    path.write_text(json.dumps(whole))
    try:
        people = read_people(path)
    except MediaError as error:
        assert "\n" not in str(error) and path.name in str(error)
        return
    for found in people:
        points = found.points()
        assert points.shape == (137, 3) and np.isfinite(points).all()
        assert ((points[:, 2] >= 0) & (points[:, 2] <= 1)).all()


def test_a_folder_that_tells_nothing_of_the_file_says_what_it_lacks(tmp_path: Path) -> None:
    write_png(tmp_path / "photo.png", np.zeros((48, 64, 3), np.uint8))
    write_record(tmp_path / "other_keypoints.json", [figure()])
    with pytest.raises(MediaError, match=r"nothing of photo\.png: no photo_keypoints\.json"):
        extractor(tmp_path).extract(read_photo(tmp_path / "photo.png"))


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_no_folder_and_an_empty_one_are_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    write_png(tmp_path / "photo.png", np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(MediaError) as caught:
        extractor(tmp_path / name).extract(read_photo(tmp_path / "photo.png"))
    assert name in str(caught.value)
    assert_one_line(caught)


def test_the_command_reads_photo_and_video_from_one_folder(clip: Path) -> None:
    """Numbering people needs poses of both."""
    folder = clip.parent / "json"
    write_png(clip.parent / "group.png", np.full((320, 420, 3), 90, np.uint8))
    people = [figure(200, 320), figure(200, 320).moved(1, 200, 0)]
    write_record(folder / "group_keypoints.json", people)
    ran = CliRunner().invoke(
        reenact,
        [str(clip.parent / "group.png"), str(clip), "--list-people", "--json", "-o",
         str(clip.parent / "people.png"), "--pose", f"openpose-json@{folder}"],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (told["photo_people"], told["video_people"]) == (2, 1)


def test_without_a_folder_the_name_says_how_to_give_one() -> None:
    with pytest.raises(UsageError, match=r"--pose openpose-json@FOLDER"):
        registry.load("dance.pose", "openpose-json", Settings())
