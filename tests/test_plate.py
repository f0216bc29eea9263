"""Plates: backgrounds told apart, videos behind the dance, scenes emptied of their people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from dance_opencv.inpaint import OpenCVInpainter
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.composite import cover
from dancecli.errors import MediaError, UsageError
from dancecli.figures import standing_skeleton
from dancecli.plate import (
    WIDE,
    DrivingPlate,
    Sample,
    StillPlate,
    VideoPlate,
    body_region,
    build_clean_plate,
    colour_plate,
    fitted,
    parse_background,
    person_hole,
    sample_indices,
)
from dancecli.stages import Settings
from dancecli.steps.background import others
from dancecli.types import JOINT, Box, Frame, Skeleton

WIDTH, HEIGHT = 160, 120
STILL = np.eye(2, 3)


class Clip:
    """Frames in memory, read as a video is; counts how often it is opened."""

    def __init__(self, frames: list[np.ndarray], promised: int | None = None) -> None:
        self.pictures = frames
        self.count = promised or len(frames)
        self.opened = 0

    def frames(self, first: int = 0, stop: int | None = None) -> Iterator[Frame]:
        self.opened += 1
        for index in range(first, min(stop or self.count, len(self.pictures))):
            yield Frame(self.pictures[index], index)


def inpainter() -> OpenCVInpainter:
    return OpenCVInpainter(Settings())


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rgb = 120 + cv2.GaussianBlur(rng.normal(0, 400, (height, width, 3)), (0, 0), 4)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def with_person(
    scene: np.ndarray, x: int, y: int = 40, size: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """The scene with a red block in it, and the block's alpha."""
    rgb, alpha = scene.copy(), np.zeros(scene.shape[:2], np.float32)
    rgb[y : y + 2 * size, x : x + size] = (250, 10, 10)
    alpha[y : y + 2 * size, x : x + size] = 1
    return rgb, alpha


def test_a_moving_person_is_taken_out_and_what_was_behind_is_the_real_scene() -> None:
    scene = texture(HEIGHT, WIDTH)
    pairs = [with_person(scene, x) for x in range(10, 120, 11)]
    samples = [Sample(Frame(rgb), alpha, STILL) for rgb, alpha in pairs]
    plate = build_clean_plate(samples, inpainter())
    assert plate.still and plate.rgb.shape == scene.shape
    assert np.array_equal(plate.rgb, scene)


def test_a_person_who_stays_is_inpainted() -> None:
    scene = texture(HEIGHT, WIDTH)
    rgb, alpha = with_person(scene, 70)
    plate = build_clean_plate([Sample(Frame(rgb), alpha, STILL)] * 5, inpainter())
    away = person_hole(alpha) == 0
    assert np.array_equal(plate.rgb[away], scene[away])
    red = (plate.rgb[..., 0].astype(int) > 200) & (plate.rgb[..., 1] < 60)
    assert not red.any()


def test_a_mask_that_misses_the_person_once_leaves_no_ghost() -> None:
    scene = texture(HEIGHT, WIDTH)
    samples = []
    for number, x in enumerate([20] * 8 + [100] * 8):
        rgb, alpha = with_person(scene, x)
        samples.append(Sample(Frame(rgb), alpha * (number != 3), STILL))
    plate = build_clean_plate(samples, inpainter())
    assert np.abs(plate.rgb.astype(int) - scene).max() <= 1


def test_flicker_of_the_light_does_not_end_up_in_the_plate() -> None:
    scene = np.clip(texture(HEIGHT, WIDTH), 40, 190)
    samples = []
    for number, x in enumerate(range(10, 120, 10)):
        rgb, alpha = with_person(scene, x)
        gain = 1.15 if number % 4 == 0 else 1.0
        bright = np.clip(rgb * gain, 0, 255).astype(np.uint8)
        samples.append(Sample(Frame(bright), alpha, STILL))
    plate = build_clean_plate(samples, inpainter())
    assert np.abs(plate.rgb.astype(int) - scene).mean() < 1.5


def panned(
    count: int, step: float = 4.0, person: bool = True
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray], np.ndarray]:
    """A camera that pans over a wide scene after a person: frames, alphas, cameras, scene."""
    scene = texture(HEIGHT, WIDTH + int(step * count) + 20)
    frames, alphas, cameras = [], [], []
    for k in range(count):
        dx = k * step
        shift = np.array([[1, 0, -dx], [0, 1, 0]])
        view = cv2.warpAffine(scene, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        rgb, alpha = with_person(view, 40 + (7 * k) % 60) if person else (view, None)
        frames.append(rgb)
        alphas.append(alpha)
        cameras.append(np.array([[1, 0, dx], [0, 1, 0]], np.float64))
    return frames, alphas, cameras, scene


@pytest.mark.parametrize("step", [4.0, 2.5])
def test_a_panned_scene_is_filled_with_what_the_camera_saw_elsewhere(step: float) -> None:
    frames, alphas, cameras, scene = panned(20, step)
    clip = Clip(frames)
    plate = DrivingPlate(
        clip, cameras, (), lambda frame: alphas[frame.index], inpainter(), (WIDTH, HEIGHT)
    )
    for k in (0, 7, 8, 19):
        got = plate.frame(k).astype(int)
        dx = k * step
        want = cv2.warpAffine(scene, np.array([[1, 0, -dx], [0, 1, 0]]), (WIDTH, HEIGHT))
        assert np.abs(got - want).mean() < 0.5
        assert np.abs(got - want).max() < 25
        far = cv2.dilate(person_hole(alphas[k]), np.ones((25, 25), np.uint8)) == 0
        assert np.array_equal(got[far], frames[k][far])


def test_only_the_dancer_leaves_a_moving_scene() -> None:
    frames, alphas, cameras, _ = panned(12)
    dancer = np.zeros((HEIGHT, WIDTH), np.float32)
    plate = DrivingPlate(
        Clip(frames), cameras, (), lambda frame: dancer, inpainter(),
        (WIDTH, HEIGHT), people=lambda frame: (alphas[frame.index], True),
    )  # fmt: skip
    assert np.array_equal(plate.frame(4), frames[4])


def test_others_stay_in_a_still_scene_and_move_as_filmed() -> None:
    scene = texture(HEIGHT, WIDTH)
    frames, dancers, bystanders = [], [], []
    for k in range(16):
        rgb, other = with_person(scene, 10 + 6 * (k % 7))
        rgb, dancer = with_person(rgb, 60 + 6 * (k % 8))
        frames.append(rgb)
        dancers.append(dancer)
        bystanders.append(other * (1 - dancer))
    plate = DrivingPlate(
        Clip(frames), [STILL] * 16, (), lambda frame: dancers[frame.index], inpainter(),
        (WIDTH, HEIGHT),
        people=lambda frame: (np.maximum(dancers[frame.index], bystanders[frame.index]), True),
    )  # fmt: skip
    for k in range(16):
        got = plate.frame(k).astype(int)
        hole = cv2.dilate(person_hole(dancers[k]), np.ones((9, 9), np.uint8)) > 0
        stays = (bystanders[k] > 0) & ~hole
        assert np.array_equal(got[stays], frames[k][stays])
        gone = (dancers[k] > 0) & (bystanders[k] == 0)
        assert np.abs(got - scene)[gone].mean() < 6


@pytest.mark.parametrize("mistaken", [(), (7,)])
def test_a_limb_that_the_mask_misses_under_a_moving_camera_goes_too(
    mistaken: tuple[int, ...],
) -> None:
    frames, alphas, cameras, scene = panned(20)
    partial = [alpha.copy() for alpha in alphas]
    partial[9][40:52] = 0  # the upper quarter of the person
    plate = DrivingPlate(
        Clip(frames), cameras, (), lambda frame: partial[frame.index], inpainter(),
        (WIDTH, HEIGHT), people=lambda frame: (partial[frame.index], frame.index in mistaken),
    )  # fmt: skip
    want = cv2.warpAffine(scene, np.array([[1.0, 0, -36], [0, 1, 0]]), (WIDTH, HEIGHT))
    assert np.abs(plate.frame(9).astype(int) - want).mean() < 1
    red = (plate.frame(9)[..., 0].astype(int) > 200) & (plate.frame(9)[..., 1] < 60)
    assert not red.any()


def test_a_zoom_and_a_tilt_are_undone_with_the_camera() -> None:
    scene = texture(2 * HEIGHT, 2 * WIDTH)
    frames, alphas, cameras = [], [], []
    for k in range(12):
        turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 1.5 * k, 1 + 0.02 * k)
        turn[:, 2] -= (40, 30)
        whole = cv2.invertAffineTransform(turn)
        view = cv2.warpAffine(scene, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        rgb, alpha = with_person(view, 30 + 8 * k % 70)
        frames.append(rgb)
        alphas.append(alpha)
        # cv2 counts from pixel centres, the project from pixel corners.
        cameras.append(
            np.column_stack([whole[:, :2], whole[:, 2] + 0.5 - whole[:, :2] @ (0.5, 0.5)])
        )
    first = np.vstack([cameras[0], [0, 0, 1]])
    relative = [(np.linalg.inv(first) @ np.vstack([c, [0, 0, 1]]))[:2] for c in cameras]
    plate = DrivingPlate(
        Clip(frames), relative, (), lambda frame: alphas[frame.index], inpainter(), (WIDTH, HEIGHT)
    )
    got = plate.frame(6).astype(int)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 9, 1.12)
    turn[:, 2] -= (40, 30)
    want = cv2.warpAffine(scene, turn, (WIDTH, HEIGHT))
    assert np.abs(got - want).mean() < 1.0
    assert np.abs(got - want).max() < 30


def test_each_scene_of_a_cut_video_has_its_own_plate_in_any_order() -> None:
    scenes = [texture(HEIGHT, WIDTH, seed) for seed in (1, 2)]
    pairs = [with_person(scenes[k // 8], 10 + 12 * (k % 8)) for k in range(16)]
    clip = Clip([rgb for rgb, _ in pairs])
    plate = DrivingPlate(
        clip, [STILL] * 16, (8,), lambda frame: pairs[frame.index][1], inpainter(), (WIDTH, HEIGHT)
    )
    for index in (15, 0, 7, 8, 3, 99):
        assert np.array_equal(plate.frame(index), scenes[int(index >= 8)])


def test_the_driving_plate_is_fitted_to_the_output() -> None:
    scene = texture(HEIGHT, WIDTH)
    plate = DrivingPlate(
        Clip([scene] * 4), [STILL] * 4, (), lambda f: np.zeros((HEIGHT, WIDTH), np.float32),
        inpainter(), (80, 80),
    )  # fmt: skip
    assert plate.frame(0).shape == (80, 80, 3) and (plate.width, plate.height) == (80, 80)
    assert np.array_equal(plate.frame(2), fitted(scene, (80, 80)))


def test_samples_are_few_and_spread_over_the_scene() -> None:
    assert sample_indices(5, 9) == [5, 6, 7, 8]
    many = sample_indices(100, 2000, 10)
    assert len(many) == 10 and many[0] == 100 and many[-1] == 1999
    assert np.ptp(np.diff(many)) <= 1


def test_of_those_found_one_at_most_is_the_dancer() -> None:
    dancer = standing_skeleton(200, 400)
    partner, stranger = dancer.moved(1.0, 50.0, 0.0), dancer.moved(1.0, 400.0, 0.0)
    seen = dancer.moved(1.0, 3.0, 1.0)
    assert others([partner, seen, stranger], dancer) == [partner, stranger]
    assert others([stranger], dancer) == [stranger]
    assert others([seen], dancer) == others([], dancer) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.integers(1, 700), st.booleans())
def test_the_hole_covers_the_mask_and_a_margin(
    seed: int, height: int, width: int, whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    alpha = np.zeros((height, width), np.float32)
    for _ in range(2):
        top, left = rng.integers(0, height), rng.integers(0, width)
        alpha[top : top + height // 3 + 1, left : left + width // 4 + 1] = rng.random() * whole
    hole = person_hole(alpha)
    assert set(np.unique(hole)) <= {0, 255}
    assert (hole[alpha > 0.1] == 255).all()
    assert np.array_equal(hole, person_hole((alpha * 255).round().astype(np.uint8))) or whole
    if not (alpha > 0.1).any():
        assert not hole.any()


def test_the_hole_grows_with_the_person_and_closes_gaps_between_limbs() -> None:
    alpha = np.zeros((400, 400), np.float32)
    alpha[50:350, 150:190] = alpha[50:350, 202:240] = 1
    hole = person_hole(alpha)
    assert hole[200, 196] == 255
    assert hole[200, 146] == 255 and hole[200, 120] == 0
    assert hole[348, 138] == 255


def test_a_picture_alone_loses_the_shade_between_the_legs_as_well() -> None:
    alpha = np.zeros((400, 400), np.float32)
    alpha[50:200, 150:240] = alpha[50:350, 150:180] = alpha[50:350, 210:240] = 1
    assert person_hole(alpha)[280, 195] == 0
    alone = person_hole(alpha, WIDE)
    assert alone[280, 195] == 255
    assert alone[280, 120] == 0 and alone[280, 270] == 0


def test_a_body_drawn_from_joints_covers_the_limbs() -> None:
    body = np.zeros((25, 3), np.float32)
    at = {
        "neck": (60, 30), "mid_hip": (60, 60), "right_hip": (55, 60), "right_knee": (50, 85),
        "right_ankle": (50, 110), "nose": (60, 20),
    }  # fmt: skip
    for name, (x, y) in at.items():
        body[JOINT[name]] = (x, y, 1)
    region = body_region(Skeleton(body), (120, 120), 100)
    assert region[45, 60] and region[95, 50] and region[20, 60]
    assert not region[:, 100:].any() and not region[100, 90]


def test_a_video_behind_the_dance_loops() -> None:
    clip = Clip([np.full((40, 60, 3), k * 20, np.uint8) for k in range(5)])
    looped = VideoPlate(clip, (60, 40))
    assert [int(looped.frame(k)[0, 0, 0]) // 20 for k in range(12)] == [0, 1, 2, 3, 4] * 2 + [0, 1]
    assert clip.opened == 3
    assert [int(looped.frame(k)[0, 0, 0]) // 20 for k in (3, 4, 5, 50, 1)] == [3, 4, 0, 0, 1]


def test_a_video_that_ends_early_is_reported() -> None:
    clip = Clip([np.zeros((8, 8, 3), np.uint8)] * 3, promised=9)
    with pytest.raises(MediaError, match="frame 5"):
        VideoPlate(clip, (8, 8)).frame(5)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(1, 40))
def test_fitting_covers_the_output_without_stretching(w: int, h: int, a: int, b: int) -> None:
    assert fitted(np.zeros((h, w, 3), np.uint8), (2 * a, 2 * b)).shape == (2 * b, 2 * a, 3)


def test_fitting_crops_evenly_about_the_centre() -> None:
    rgb = np.zeros((100, 300, 3), np.uint8)
    rgb[:, 150:] = 200
    square = fitted(rgb, (50, 50))
    assert square[:, :24].max() == 0 and square[:, 26:].min() == 200
    assert fitted(rgb, (300, 100)) is rgb


@pytest.mark.parametrize("size", [(40, 60), (120, 30), (90, 90)])
@pytest.mark.parametrize("x, y", [(10, 30), (150, 80), (285, 12)])
def test_what_is_kept_lies_where_its_placement_says(x: int, y: int, size: tuple[int, int]) -> None:
    rgb = np.zeros((100, 300, 3), np.uint8)
    rgb[y - 5 : y + 5, x - 5 : x + 5] = 255
    fit = cover((300, 100), size, Box(x - 6, y - 6, x + 6, y + 6))
    shown = fitted(rgb, size, fit)[..., 0].astype(float)
    rows, columns = np.mgrid[: size[1], : size[0]] + 0.5
    centre = (columns * shown).sum() / shown.sum(), (rows * shown).sum() / shown.sum()
    assert centre == pytest.approx(fit.point(x, y), abs=1.0 * max(1, fit.scale))


@pytest.mark.parametrize("size", [(1280, 720), (333, 500), (640, 90)])
def test_a_small_picture_lies_exactly_where_its_placement_says(size: tuple[int, int]) -> None:
    y, x = np.mgrid[:130, :90] + 0.5
    rgb = np.dstack([x * 2, y * 1.5, x * 0 + 60]).astype(np.uint8)
    fit = cover((90, 130), size, Box(20, 10, 30, 60))
    shown = fitted(rgb, size, fit).astype(float)
    for px, py in ((40, 30), (50, 45)):
        u, v = (int(c) for c in fit.point(px, py))
        if 8 < u < size[0] - 8 and 8 < v < size[1] - 8:
            near = shown[v - 4 : v + 4, u - 4 : u + 4].mean((0, 1))
            assert near[:2] == pytest.approx((px * 2, py * 1.5), abs=1.6)


def test_still_plates_repeat_themselves() -> None:
    plate = colour_plate((10, 20, 30), (64, 36))
    assert (plate.width, plate.height) == (64, 36)
    assert plate.frame(0) is plate.frame(7)
    assert plate.frame(3)[5, 5].tolist() == [10, 20, 30]
    assert StillPlate(texture(90, 160), (80, 40)).frame(0).shape == (40, 80, 3)


@pytest.mark.parametrize(
    "text, kind, colour",
    [
        ("photo", "photo", None),
        ("Driving", "driving", None),
        ("#1e90ff", "colour", (30, 144, 255)),
        ("#fff", "colour", (255, 255, 255)),
        ("white", "colour", (255, 255, 255)),
        ("green", "colour", (0, 128, 0)),
        ("rgb(1, 2, 3)", "colour", (1, 2, 3)),
    ],
)
def test_backgrounds_that_are_words(
    text: str, kind: str, colour: tuple[int, int, int] | None
) -> None:
    spec = parse_background(text)
    assert (spec.kind, spec.colour, spec.path) == (kind, colour, None)


@pytest.mark.parametrize(
    "name, kind", [("a.jpg", "image"), ("b.HEIC", "image"), ("c.mp4", "video"), ("d.gif", "video")]
)
def test_backgrounds_that_are_files(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    spec = parse_background(str(tmp_path / name))
    assert (spec.kind, spec.path) == (kind, tmp_path / name)


@pytest.mark.parametrize(
    "text, says",
    [
        ("beach.jpg", "no such file"),
        ("some/where/else", "no such file"),
        ("blurple", "neither a colour nor a file"),
        ("", "neither a colour nor a file"),
        ("#12", "#rrggbb"),
        ("#11223344", "transparent"),
        ("x\0y", "neither"),
        ("a" * 5000, "neither"),
    ],
)
def test_bad_backgrounds_say_what_is_valid(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_background(text)
    assert "\n" not in str(caught.value) and "\0" not in str(caught.value)


def test_folders_and_unknown_files_are_refused_as_backgrounds(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        parse_background(str(tmp_path))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UsageError, match="picture or a video"):
        parse_background(str(tmp_path / "notes.txt"))


@pytest.mark.parametrize("text", ["rgb(300,0,0)", "rgb(200%, 0%, 0%)"])
def test_a_colour_beyond_the_brightest_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="0-255"):
        parse_background(text)


def test_a_name_may_begin_as_a_home_that_is_nobody_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~old.jpg").write_bytes(b"x")
    assert parse_background("~old.jpg").path == Path("~old.jpg")
    with pytest.raises(UsageError, match="no such file"):
        parse_background("~new.jpg")
