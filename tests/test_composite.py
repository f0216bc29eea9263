"""Equation 7, sizes, placement and canvases."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dancecli.composite import (
    LONGEST,
    Placement,
    canvas_for,
    compose,
    compose_rgba,
    contact_shadow,
    cover,
    even_size,
    foreground,
    ground_point,
    output_size,
    place_at,
    place_centred,
    place_cut_off,
    place_within,
    shown,
    standing_height,
)
from dancecli.errors import NoPersonError, UsageError
from dancecli.motion import Observation, build_track
from dancecli.plate import colour_plate
from dancecli.steps.placing import Scene, floor_levels
from dancecli.types import JOINT, Box, Canvas, Layer, Skeleton

SIZES = st.integers(1, 12)
SEEDS = st.integers(0, 2**32 - 1)


def random_layer(rng: np.random.Generator, canvas: Canvas, hard: bool = False) -> Layer:
    z = rng.random((canvas.height, canvas.width, 3), dtype=np.float32)
    m = rng.random((canvas.height, canvas.width), dtype=np.float32)
    if hard:
        m = np.round(m)
    return Layer(z, m, canvas)


def random_plate(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def blob(canvas: Canvas, colour: tuple[float, float, float], outside: float) -> Layer:
    """A soft disc of one colour; where m is 0, z holds `outside`, which must never be seen."""
    y, x = np.mgrid[0 : canvas.height, 0 : canvas.width] + 0.5
    radius = np.hypot(x - canvas.width / 2, y - canvas.height / 2)
    m = np.clip((canvas.width * 0.35 - radius) / 3 + 0.5, 0, 1).astype(np.float32)
    z = np.where(m[..., None] > 0, np.array(colour, np.float32), np.float32(outside))
    return Layer(z.astype(np.float32), m, canvas)


def standing(height: float = 200.0, x: float = 0.0, ground: float = 0.0) -> Skeleton:
    """A person of that height facing the camera, feet at (x, ground), arms hanging."""
    at = {
        "neck": (0, 0.82), "nose": (0, 0.92), "mid_hip": (0, 0.53), "right_shoulder": (-0.1, 0.81),
        "left_shoulder": (0.1, 0.81), "right_elbow": (-0.12, 0.64), "left_elbow": (0.12, 0.64),
        "right_wrist": (-0.13, 0.49), "left_wrist": (0.13, 0.49), "right_hip": (-0.055, 0.53),
        "left_hip": (0.055, 0.53), "right_knee": (-0.06, 0.285), "left_knee": (0.06, 0.285),
        "right_ankle": (-0.06, 0.039), "left_ankle": (0.06, 0.039),
        "right_big_toe": (-0.08, 0.015), "left_big_toe": (0.08, 0.015),
        "right_heel": (-0.06, 0.015), "left_heel": (0.06, 0.015),
    }  # fmt: skip
    body = np.zeros((25, 3), np.float32)
    for name, (dx, up) in at.items():
        body[JOINT[name]] = (x + dx * height, ground - up * height, 1)
    return Skeleton(body)


@settings(max_examples=60, deadline=None)
@given(SEEDS, SIZES, SIZES, st.integers(-14, 14), st.integers(-14, 14))
def test_equation_7_is_exact_at_whole_pixels(seed: int, w: int, h: int, x: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    plate, layer = random_plate(rng, 10, 9), random_layer(rng, Canvas(w, h, 1, x, y))
    want = plate.astype(np.float64)
    for row in range(9):
        for column in range(10):
            i, j = row - y, column - x
            if 0 <= i < h and 0 <= j < w:
                m = float(layer.m[i, j])
                want[row, column] = 255 * layer.z[i, j] * m + plate[row, column] * (1 - m)
    assert np.abs(compose(layer, plate) - want).max() <= 0.5 + 1e-3


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(0.3, 4), st.floats(-20, 40), st.floats(-20, 40))
def test_an_empty_mask_leaves_the_plate_to_the_bit(
    seed: int, scale: float, x: float, y: float
) -> None:
    rng = np.random.default_rng(seed)
    plate = random_plate(rng, 40, 30)
    layer = random_layer(rng, Canvas(20, 16, scale, x, y))
    before = plate.copy()
    assert np.array_equal(compose(replace(layer, m=layer.m * 0), plate), plate)
    assert np.array_equal(plate, before)


def test_a_full_mask_shows_the_layer_alone() -> None:
    rng = np.random.default_rng(1)
    plate = random_plate(rng, 30, 20)
    layer = replace(random_layer(rng, Canvas(8, 6, 1, 3, 4)), m=np.ones((6, 8), np.float32))
    out = compose(layer, plate)
    assert np.abs(out[4:10, 3:11] - layer.z * 255).max() <= 0.5 + 1e-3
    out[4:10, 3:11] = plate[4:10, 3:11]
    assert np.array_equal(out, plate)


@pytest.mark.parametrize("x, y", [(-50, 0), (0, -50), (50, 0), (0, 50), (-20.5, 3.25)])
def test_a_layer_wholly_outside_changes_nothing(x: float, y: float) -> None:
    plate = random_plate(np.random.default_rng(2), 30, 20)
    layer = replace(
        random_layer(np.random.default_rng(3), Canvas(8, 6, 2, x, y)), m=np.ones((6, 8), np.float32)
    )
    assert np.array_equal(compose(layer, plate), plate)


@pytest.mark.parametrize("scale", [0.3, 0.55, 0.9, 1.0, 1.7, 3.2])
@pytest.mark.parametrize("x, y", [(10, 12), (9.4, 12.7), (-11.3, -9.6)])
@pytest.mark.parametrize("outside", [0.0, 1.0])
def test_soft_edges_have_no_fringe_and_sit_where_the_canvas_says(
    scale: float, x: float, y: float, outside: float
) -> None:
    colour = (0.6, 0.5, 0.4)
    layer = blob(Canvas(40, 40, scale, x, y), colour, outside)
    plate = np.full((90, 110, 3), [round(255 * c) for c in colour], np.uint8)
    # The same colour in front and behind: any fringe would be the only thing to see.
    assert np.abs(compose(layer, plate).astype(int) - plate).max() <= 1
    shown = foreground(layer, (400, 400))[..., 3] / 255.0
    row, column = np.mgrid[0:400, 0:400] + 0.5
    if x > 0:
        assert (shown * column).sum() / shown.sum() == pytest.approx(x + 20 * scale, abs=0.05)
        assert (shown * row).sum() / shown.sum() == pytest.approx(y + 20 * scale, abs=0.05)
        assert shown.sum() == pytest.approx(layer.m.sum() * scale**2, rel=0.02)


def test_values_just_outside_the_unit_range_are_clamped_not_wrapped() -> None:
    plate = np.full((4, 4, 3), 128, np.uint8)
    layer = Layer(
        np.stack([np.full((4, 4), v, np.float32) for v in (1.2, -0.2, 0.5)], -1),
        np.ones((4, 4), np.float32), Canvas(4, 4),
    )  # fmt: skip
    assert compose(layer, plate)[0, 0].tolist() == [255, 0, 128]


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from([1.0, 0.6, 1.4]))
def test_a_saved_foreground_composes_like_the_layer(seed: int, hard: bool, scale: float) -> None:
    rng = np.random.default_rng(seed)
    plate = random_plate(rng, 30, 24)
    layer = random_layer(rng, Canvas(16, 14, scale, 5, 4), hard)
    direct = compose(layer, plate).astype(int)
    again = compose_rgba(foreground(layer, (30, 24)), plate).astype(int)
    # Half a step of colour and half a step of alpha, then two roundings.
    assert np.abs(direct - again).max() <= 2
    assert np.abs(direct - again).mean() <= 0.5


def test_a_saved_foreground_carries_colour_past_its_edge() -> None:
    layer = blob(Canvas(40, 40, 1, 10, 10), (0.8, 0.2, 0.2), 0.0)
    rgba = foreground(layer, (60, 60))
    beside = rgba[30, 10 + 20 + 14 + 4]
    assert beside[3] == 0
    assert np.abs(beside[:3].astype(int) - [204, 51, 51]).max() <= 2


@pytest.mark.parametrize(
    "spec, want",
    [
        (None, (1280, 720)),
        ("photo", (1000, 1500)),
        ("driving", (640, 360)),
        ("321x201", (320, 200)),
        (" 1280X720 ", (1280, 720)),
    ],
)
def test_output_size(spec: str | None, want: tuple[int, int]) -> None:
    assert output_size(spec, (2560, 1440), (1000, 1500), (640, 360)) == want


def test_a_plate_without_a_size_gets_the_photos() -> None:
    assert output_size(None, None, (900, 1600), (640, 360)) == (720, 1280)


@given(st.integers(16, 6000), st.integers(16, 6000))
def test_default_sizes_are_even_and_capped(width: int, height: int) -> None:
    w, h = output_size(None, (width, height), (2, 2), (2, 2))
    assert w % 2 == 0 and h % 2 == 0 and max(w, h) <= LONGEST and min(w, h) >= 2
    if min(w, h) > 100:
        assert w / h == pytest.approx(width / height, rel=0.03)


@pytest.mark.parametrize("spec", ["big", "0x0", "100", "100x", "-5x10", "9x99999", "1e3x10", ""])
def test_nonsense_sizes_are_refused_with_the_valid_forms(spec: str) -> None:
    with pytest.raises(UsageError, match="photo, driving or WxH"):
        output_size(spec, (100, 100), (100, 100), (100, 100))


def test_standing_height_is_the_persons_not_the_poses() -> None:
    crouched = standing(200)
    body = crouched.body.copy()
    body[JOINT["right_knee"], :2] += (30, 20)
    assert standing_height([standing(200), replace(crouched, body=body)]) == pytest.approx(
        200, rel=0.05
    )
    with pytest.raises(NoPersonError):
        standing_height([Skeleton(np.zeros((25, 3), np.float32))])


@given(st.floats(0.1, 0.9), st.floats(0.3, 1.0), st.floats(0.2, 0.95))
def test_place_puts_feet_and_height_where_asked(x: float, y: float, height: float) -> None:
    dance = [standing(180, 40, 300), standing(180, 90, 300)]
    placed = [place_at(x, y, height, dance, (640, 360)).apply(s) for s in dance]
    tall = standing_height(placed)
    assert tall == pytest.approx(height * 360, rel=0.02)
    feet = ground_point(placed[0], tall)
    assert feet == pytest.approx((x * 640, y * 360), abs=1)


def test_feet_out_of_the_picture_are_found_below_the_hips() -> None:
    whole = standing(200, 50, 400)
    body = whole.body.copy()
    for name in JOINT:
        if any(part in name for part in ("ankle", "toe", "heel", "knee")):
            body[JOINT[name], 2] = 0
    assert ground_point(replace(whole, body=body), 200) == pytest.approx((50, 400), abs=6)


def test_the_default_place_is_centred_and_keeps_the_whole_dance_inside() -> None:
    still = [standing(200, 500, 900)] * 3
    placed = [place_centred(still, (640, 480)).apply(s) for s in still]
    assert standing_height(placed) == pytest.approx(0.75 * 480, rel=0.02)
    assert ground_point(placed[0], 360)[0] == pytest.approx(320, abs=2)
    walk = [standing(200, x, 900) for x in range(0, 900, 100)]
    for skeleton in [place_centred(walk, (640, 480)).apply(s) for s in walk]:
        box = skeleton.box()
        assert box is not None
        assert box.left > 0 and box.right < 640 and box.top > 0 and box.bottom < 480


def test_the_photos_place_follows_the_fit_of_the_plate() -> None:
    assert place_within((1000, 500), (500, 250), [standing(200, 100, 400)]) == Placement(0.5, 0, 0)
    wide = cover((1000, 500), (400, 400))
    assert wide.point(500, 250) == (200, 200)
    assert wide.point(0, 0)[0] < 0 and wide.point(0, 0)[1] == 0


sides = st.integers(20, 2000)


@given(sides, sides, sides, sides, st.tuples(*[st.floats(0, 1)] * 4))
def test_an_output_of_another_shape_shows_what_is_to_be_kept(
    w: int, h: int, a: int, b: int, at: tuple[float, float, float, float]
) -> None:
    (left, right), (top, bottom) = sorted(at[:2]), sorted(at[2:])
    keep = Box(left * w, top * h, right * w, bottom * h)
    view = shown(cover((w, h), (a, b), keep), (a, b))
    near = 1e-6 * (w + h)
    assert view.left >= -near and view.right <= w + near
    assert view.top >= -near and view.bottom <= h + near
    if keep.width <= view.width:
        assert view.left <= keep.left + near and view.right >= keep.right - near
    else:
        assert view.center[0] == pytest.approx(keep.center[0], abs=near)
    assert view.top <= keep.top + near
    assert view.bottom >= min(keep.bottom, keep.top + view.height) - near


def test_what_needs_no_room_aside_is_centred() -> None:
    keep = Box(480, 100, 600, 400)
    assert cover((1000, 500), (400, 400), keep) == cover((1000, 500), (400, 400))
    view = shown(cover((1000, 500), (400, 400), Box(100, 100, 200, 400)), (400, 400))
    assert view.left == pytest.approx(100)  # no farther aside than it must


def test_native_canvases_cover_the_person_inside_the_frame_at_whole_pixels() -> None:
    for x in (-30, 10, 160, 310, 1000):
        (canvas,) = canvas_for([standing(150, x, 170)], None, (320, 180))
        assert canvas.scale == 1 and canvas.x == int(canvas.x) and canvas.y == int(canvas.y)
        assert canvas.x >= 0 and canvas.x + canvas.width <= 320
        assert canvas.y >= 0 and canvas.y + canvas.height <= 180
        assert canvas.width >= 16 and canvas.height >= 16
    (canvas,) = canvas_for([standing(100, 160, 150)], None, (320, 180))
    assert canvas.x < 160 - 20 and canvas.x + canvas.width > 160 + 20
    assert canvas.y < 50 - 3 and canvas.y + canvas.height > 153


def test_fixed_canvases_hold_every_pose_and_do_not_jitter() -> None:
    rng = np.random.default_rng(5)
    dance = [standing(200, 300 + t, 400 + rng.normal(0, 2)) for t in range(40)]
    canvases = canvas_for(dance, (512, 320), (640, 480))
    assert {(c.width, c.height) for c in canvases} == {(320, 512)}
    assert len({c.scale for c in canvases}) == 1
    assert canvases[0].scale * 512 == pytest.approx(1.2 * 200, rel=0.02)
    for skeleton, canvas in zip(dance, canvases, strict=True):
        box = canvas.from_frame(skeleton).box()
        assert box is not None
        assert box.left >= 0 and box.right <= 320 and box.top >= 0 and box.bottom <= 512
    steps = np.diff([c.y for c in canvases])
    assert np.abs(steps).max() < 1


@pytest.mark.parametrize("tall", [80, 300])
def test_a_scalable_canvas_is_the_outputs_own_pixels_about_the_full_one(tall: int) -> None:
    dance = [standing(tall, 300 + 1.3 * t, 400) for t in range(20)]
    full = canvas_for(dance, (768, 480), (640, 480))
    fitted = canvas_for(dance, (768, 480), (640, 480), scalable=True)
    for one, other in zip(full, fitted, strict=True):
        assert other.width * 8 == other.height * 5
        assert (other.scale, other.x % 1, other.y % 1) == (1, 0, 0)
        assert one.x - 8 <= other.x <= one.x and one.y - 8 <= other.y <= one.y
        assert other.x + other.width >= one.x + one.width * one.scale
        assert other.y + other.height >= one.y + one.height * one.scale
    assert len({c.height for c in fitted}) == 1


def test_a_canvas_that_comes_in_few_sizes_stays_about_as_fine_as_the_output() -> None:
    dance = [standing(60, 300 + t, 400) for t in range(20)]
    (first, *_) = canvas_for(dance, (513, 320), (640, 480), scalable=True)
    assert first.height * first.scale == pytest.approx(1.2 * 60, rel=0.1)


def test_a_dance_larger_than_the_backends_canvas_fills_it() -> None:
    dance = [standing(1000, 300 + t, 1200) for t in range(20)]
    assert canvas_for(dance, (768, 480), (1280, 1300), scalable=True) == canvas_for(
        dance, (768, 480), (1280, 1300)
    )


def test_a_scalable_canvas_that_breathes_stays_about_as_fine_as_the_output() -> None:
    dance = [standing(200, 300 + t, 400) for t in range(60)]
    body = dance[-1].body.copy()
    body[JOINT["left_wrist"], 0] += 200
    dance[-1] = replace(dance[-1], body=body)
    full = canvas_for(dance, (768, 480), (640, 480))
    fitted = canvas_for(dance, (768, 480), (640, 480), scalable=True)
    for one, other in zip(full, fitted, strict=True):
        assert (other.x, other.y) == (one.x, one.y)
        assert other.height * other.scale == pytest.approx(one.height * one.scale)
    assert len({c.scale for c in fitted}) > 1
    assert 0.7 <= max(c.scale for c in fitted) <= 1


@given(tall=st.floats(300, 3000), x=st.floats(-200, 800), feet=st.floats(100, 3000))
def test_no_canvas_is_spent_on_what_the_frame_does_not_show(
    tall: float, x: float, feet: float
) -> None:
    out = (600, 480)
    dance = [standing(tall, x, feet)] * 3
    for canvas in canvas_for(dance, (512, 320), out):
        wide, high = canvas.width * canvas.scale, canvas.height * canvas.scale
        assert high <= 1.6 * max(out) + 32  # the canvas's shape
        box = dance[0].box()
        assert box is not None
        left, right = np.clip([box.left, box.right], 0, out[0])
        top, bottom = np.clip([box.top, box.bottom], 0, out[1])
        if right - left > 1 and bottom - top > 1:  # anything in sight is on the canvas
            assert canvas.x <= left + 1 and canvas.x + wide >= right - 1
            assert canvas.y <= top + 1 and canvas.y + high >= bottom - 1


@pytest.mark.parametrize("tall", [700, 1000, 1500])
def test_one_scale_serves_a_close_up_whose_arms_swing(tall: int) -> None:
    dance = []
    for t in range(60):
        skeleton = standing(tall, 640, 100 + tall)
        body = skeleton.body.copy()
        reach = 0.3 * tall * abs(np.sin(t / 9))
        body[JOINT["left_wrist"], 0] = 640 + 0.15 * tall + reach
        body[JOINT["right_wrist"], 0] = 640 - 0.15 * tall - reach
        dance.append(replace(skeleton, body=body))
    scales = [canvas.scale for canvas in canvas_for(dance, (512, 320), (1280, 720))]
    assert max(scales) <= 1.01 * min(scales)


def test_a_wide_pose_widens_its_own_boxes_only() -> None:
    wide = standing(200, 300, 400)
    body = wide.body.copy()
    body[JOINT["left_wrist"], :2] = (460, 240)
    body[JOINT["right_wrist"], :2] = (140, 240)
    dance = [standing(200, 300, 400)] * 60 + [replace(wide, body=body)] * 5
    dance += [standing(200, 300, 400)] * 60
    canvases = canvas_for(dance, (512, 320), (640, 480))
    box = canvases[62].from_frame(dance[62]).box()
    assert box is not None and box.left >= 0 and box.right <= 320
    assert canvases[0].scale == pytest.approx(1.2 * 200 / 512, rel=0.02)
    assert canvases[62].scale > 1.3 * canvases[0].scale
    assert np.abs(np.diff([c.scale for c in canvases])).max() < 0.1 * canvases[0].scale


def test_the_contact_shadow_darkens_the_floor_and_not_the_person() -> None:
    canvas = Canvas(200, 260)
    skeleton = standing(200, 100, 230)
    m = np.zeros((260, 200), np.float32)
    m[40:228, 80:120] = 1
    layer = Layer(np.full((260, 200, 3), 0.9, np.float32), m, canvas)
    plate = np.full((260, 200, 3), 180, np.uint8)
    plain = compose(layer, plate).astype(int)
    shaded = compose(contact_shadow(layer, skeleton, 200, 0.5), plate).astype(int)
    assert np.array_equal(shaded[m == 1], plain[m == 1])
    assert shaded[229, 122, 0] < 170
    assert np.array_equal(shaded[:150], plain[:150])
    assert contact_shadow(layer, skeleton, 200, 0.0) is layer


def test_feet_in_the_air_cast_no_contact_shadow() -> None:
    layer = Layer(
        np.zeros((260, 200, 3), np.float32), np.zeros((260, 200), np.float32), Canvas(200, 260)
    )
    up = contact_shadow(layer, standing(200, 100, 200), 200, 0.5, ground=240)
    assert up.m.max() == 0
    down = contact_shadow(layer, standing(200, 100, 240), 200, 0.5, ground=240)
    assert down.m.max() > 0.2


def test_even_size_keeps_small_pictures() -> None:
    assert even_size((101, 57), 1280) in {(100, 56), (102, 58), (100, 58), (102, 56)}


def test_a_body_of_which_nothing_is_seen_has_no_place() -> None:
    with pytest.raises(NoPersonError, match="where it is"):
        place_within((640, 480), (360, 640), [Skeleton(np.zeros((25, 3), np.float32))])


def test_shadows_lie_under_the_feet_on_both_sides_of_a_cut() -> None:
    dance = [standing(200, 320, 450)] * 50 + [standing(200, 320, 300)] * 50
    seen = [Observation(skeleton, cut=index == 50) for index, skeleton in enumerate(dance)]
    track = build_track(seen, Fraction(25), (640, 480), smooth=0.0)
    tall = standing_height(dance)
    soles = [ground_point(skeleton, tall)[1] for skeleton in dance]
    assert floor_levels(dance, tall, track) == pytest.approx(soles, abs=0.5)


def test_a_scene_is_another_where_limbs_lie_before_each_other_in_another_way() -> None:
    front = standing(200)
    world = np.zeros((25, 3), np.float32)
    world[:, 1] = np.linspace(-1, 1, 25)

    def key(turned: float) -> dict[str, object]:
        world[4, 2] = turned
        person = replace(front, world=world.copy())
        return Scene(
            colour_plate((0, 0, 0), (64, 64)), (person,), (front,), (Canvas(64, 64),),
            np.zeros(1, np.float32), 200.0, (64, 64), Fraction(25), 0.0,
        ).key()  # fmt: skip

    assert key(0.2) == key(0.2) != key(-0.2)


@given(st.integers(100, 2000), st.integers(100, 2000))
def test_who_is_cut_off_by_the_photo_is_cut_off_by_the_output(width: int, height: int) -> None:
    bust = standing(900, 500, 1500)
    body = bust.body.copy()
    hidden = [row for name, row in JOINT.items() if body[row, 1] > 1000 or "hip" in name]
    body[hidden, 2] = 0
    bust = replace(bust, body=body)
    placed = place_cut_off((1000, 1000), (width, height), bust, 1000)
    box = placed.apply(bust).box()
    assert box is not None
    assert box.top > 0 and box.left > 0 and box.right < width
    assert placed.point(500, 1000)[1] == pytest.approx(height)
