"""Pictures of poses and labels: the stick figure P^S, hand and face labels, overlays for people.

Colours and pairs are OpenPose's BODY_25 rendering, line widths few-shot-vid2vid's (Wang et al.,
2019: half-widths of height / 150 for the body and height / 450 for hands and face).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dancecli.labels import Label
from dancecli.types import SEEN, FloatArray, Skeleton, UInt8Array

LIMBS = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12),
    (12, 13), (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20),
    (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip
"""Pairs of BODY_25 joints that are joined; a limb has its second joint's colour."""

JOINT_COLOURS = (
    (255, 0, 85), (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0),
    (85, 255, 0), (0, 255, 0), (255, 0, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255),
    (0, 170, 255), (0, 85, 255), (0, 0, 255), (255, 0, 170), (170, 0, 255), (255, 0, 255),
    (85, 0, 255), *[(0, 0, 255)] * 3, *[(0, 255, 255)] * 3,
)  # fmt: skip
"""RGB of the BODY_25 joints."""

FINGERS = tuple((0, *range(first, first + 4)) for first in (1, 5, 9, 13, 17))
"""Chains of hand points from the wrist, thumb first."""

FINGER_COLOURS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1))
FINGER_LIGHT = (100, 150, 200, 255)
"""Brightness of a finger's bones towards its tip."""

PALM = (0, 1, 5, 9, 13, 17)

FACE_CHAINS = tuple(range(a, b) for a, b in ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36)))
FACE_LOOPS = tuple(range(a, b) for a, b in ((36, 42), (42, 48), (48, 60), (60, 68)))
PUPILS = (68, 69)

BODY_SEEN, HAND_SEEN, FACE_SEEN = 0.01, 0.01, 0.1
"""Confidence from which a point is drawn (few-shot-vid2vid)."""

SHIFT = 4
"""Binary places that OpenCV's drawing keeps of a coordinate."""

FARTHEST = 20000
"""Pixels beyond which a coordinate is cut off: OpenCV's fixed point has no more room."""

Colour = tuple[int, int, int]


def stick_figure(skeleton: Skeleton, height: int, width: int) -> UInt8Array:
    """P^S of equation 2: uint8 (height, width, 3), RGB body, hands and face on black."""
    picture = np.zeros((height, width, 3), np.uint8)
    _draw_bones(picture, skeleton, max(1.0, height / 150), max(1.0, height / 450))
    return picture


def _draw_bones(picture: UInt8Array, skeleton: Skeleton, thick: float, thin: float) -> None:
    for start, end, colour in _body_lines(skeleton.body):
        _line(picture, start, end, colour, thick)
    for hand in (skeleton.left_hand, skeleton.right_hand):
        for start, end, colour in _hand_lines(hand):
            _line(picture, start, end, colour, thin)
    for start, end in _face_lines(skeleton.face):
        _line(picture, start, end, (255, 255, 255), thin)


def _body_lines(body: FloatArray) -> Iterator[tuple[FloatArray, FloatArray, Colour]]:
    for first, second in LIMBS:
        if min(body[first, 2], body[second, 2]) >= BODY_SEEN:
            yield body[first, :2], body[second, :2], JOINT_COLOURS[second]


def _hand_lines(hand: FloatArray) -> Iterator[tuple[FloatArray, FloatArray, Colour]]:
    for finger, (red, green, blue) in zip(FINGERS, FINGER_COLOURS, strict=True):
        for (first, second), light in zip(pairwise(finger), FINGER_LIGHT, strict=True):
            if min(hand[first, 2], hand[second, 2]) >= HAND_SEEN:
                yield hand[first, :2], hand[second, :2], (red * light, green * light, blue * light)


def _face_lines(face: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    chains = [list(chain) for chain in FACE_CHAINS] + [[*loop, loop[0]] for loop in FACE_LOOPS]
    pairs = [pair for chain in chains for pair in pairwise(chain)] + [(p, p) for p in PUPILS]
    for first, second in pairs:
        if min(face[first, 2], face[second, 2]) >= FACE_SEEN:
            yield face[first, :2], face[second, :2]


def hand_labels(labels: UInt8Array, skeleton: Skeleton) -> UInt8Array:
    """The labels (H, W) with both hands drawn over them as 20 and 21 (section 3.1).

    Palm and finger bones, as wide as 0.012 of the person's height, 2 pixels at least; points below
    SEEN are left out. The nearer hand is drawn last where depth is known.
    """
    box = skeleton.box()
    half_width = max(2.0, 0.012 * box.height if box else 0.0) / 2
    hands = {Label.LEFT_HAND: skeleton.left_hand, Label.RIGHT_HAND: skeleton.right_hand}
    depth = skeleton.depth()
    wrists = {Label.LEFT_HAND: 7, Label.RIGHT_HAND: 4}
    order = sorted(hands, key=lambda hand: 0.0 if depth is None else _known(depth[wrists[hand]]))
    drawn = labels.copy()
    for label in order:
        points = hands[label]
        _fill(drawn, points[list(PALM)], int(label))
        for finger in FINGERS:
            for first, second in pairwise(finger):
                if min(points[first, 2], points[second, 2]) >= SEEN:
                    _line(drawn, points[first, :2], points[second, :2], int(label), half_width)
    return drawn


def face_labels(labels: UInt8Array, landmarks: FloatArray | None) -> UInt8Array:
    """The labels (H, W) with 22-26 drawn over them from the landmarks (70, 3) (section 3.2).

    Brows as strokes, eyes, nose, lips and inner mouth filled, in this order. A feature with a point
    below SEEN is left out; None draws nothing.
    """
    drawn = labels.copy()
    if landmarks is None:
        return drawn
    eyes = landmarks[[36, 45]]
    apart = float(np.hypot(*(eyes[1] - eyes[0])[:2])) if eyes[:, 2].min() >= SEEN else 0.0
    brow = max(1.0, 0.04 * apart) / 2
    for first, last in ((17, 22), (22, 27)):
        points = landmarks[first:last]
        if points[:, 2].min() >= SEEN:
            for start, end in pairwise(points[:, :2]):
                _line(drawn, start, end, int(Label.EYEBROWS), brow)
    for first, last, label in (
        (36, 42, Label.EYES), (42, 48, Label.EYES), (27, 36, Label.NOSE), (48, 60, Label.LIPS),
        (60, 68, Label.INNER_MOUTH),
    ):  # fmt: skip
        if landmarks[first:last, 2].min() >= SEEN:
            _fill(drawn, landmarks[first:last], int(label), hull=label == Label.NOSE)
    return drawn


def overlay(rgb: UInt8Array, skeleton: Skeleton) -> UInt8Array:
    """A picture for people: rgb (H, W, 3) with a skeleton drawn over it."""
    picture, box = rgb.copy(), skeleton.box()
    size = box.height if box else float(rgb.shape[0])
    _draw_bones(picture, skeleton, max(1.0, size / 150), max(0.5, size / 450))
    return picture


def number_people(rgb: UInt8Array, skeletons: Sequence[Skeleton]) -> UInt8Array:
    """rgb (H, W, 3) with a box about each person and its number, from 1 in the order given."""
    import cv2

    picture = rgb.copy()
    line = max(2, round(max(rgb.shape[:2]) / 300))
    for number, skeleton in enumerate(skeletons, 1):
        box = skeleton.box()
        if box is None:
            continue
        left, top, right, bottom = box.grown(1.1).pixels(rgb.shape[1], rgb.shape[0])
        colour = NUMBER_COLOURS[(number - 1) % len(NUMBER_COLOURS)]
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), (0, 0, 0), 2 * line)
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), colour, line)
        write(picture, str(number), (left + 2 * line, top + 2 * line), rgb.shape[0] / 12, colour)
    return picture


NUMBER_COLOURS = (
    (255, 215, 0), (0, 220, 255), (255, 105, 180), (124, 252, 0), (255, 140, 0), (190, 150, 255),
)  # fmt: skip
"""RGB of the first six people's boxes, told apart also by lightness."""


def write(
    picture: UInt8Array, text: str, place: tuple[float, float], size: float,
    colour: Colour = (255, 255, 255), outline: Colour = (0, 0, 0),
) -> None:  # fmt: skip
    """Writes into picture (H, W, 3): `place` is the text's top left, `size` its height in pixels.

    Light letters with a dark outline can be read on anything. The text is moved into the picture
    where it would leave it.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(max(8.0, size))
    stroke = max(1, round(size / 12))
    left, _, right, _ = font.getbbox(text, stroke_width=stroke)
    # One height for all texts of a size, so that words with and without tails stand in line.
    _, top, _, bottom = font.getbbox("Ag", stroke_width=stroke)
    x = int(min(max(place[0], 0), max(picture.shape[1] - (right - left), 0)))
    y = int(min(max(place[1], 0), max(picture.shape[0] - (bottom - top), 0)))
    field = picture[y : y + int(bottom - top) + 1, x : x + int(right - left) + 1]
    image = Image.fromarray(np.ascontiguousarray(field))
    ImageDraw.Draw(image).text(
        (-left, -top), text, colour, font, stroke_width=stroke, stroke_fill=outline
    )
    field[:] = np.asarray(image)


def _known(depth: float) -> float:
    return float(depth) if np.isfinite(depth) else 0.0


def _fixed(points: FloatArray) -> NDArray[np.int32]:
    """Pixel coordinates as OpenCV's fixed point, whose origin is the middle of the first pixel."""
    places = np.clip(points, -FARTHEST, FARTHEST)
    fixed: NDArray[np.int32] = np.rint((places - 0.5) * 2**SHIFT).astype(np.int32)
    return fixed


def _place(point: FloatArray) -> tuple[int, ...]:
    """`_fixed` of one point (2,): a figure has hundreds, and numpy takes its time over each."""
    held = (min(max(-FARTHEST, value), FARTHEST) for value in point.tolist())
    return tuple(round((value - 0.5) * 2**SHIFT) for value in held)


def _line(
    picture: UInt8Array, start: FloatArray, end: FloatArray, value: Colour | int, half: float
) -> None:
    import cv2

    colour = value if isinstance(value, tuple) else (value,)
    ends = _place(start), _place(end)
    cv2.line(picture, *ends, colour, max(1, round(2 * half)), cv2.LINE_8, SHIFT)


def _fill(drawn: UInt8Array, points: FloatArray, value: int, hull: bool = False) -> None:
    """Fills the polygon of the points that are seen; fewer than three fill nothing."""
    import cv2

    seen = _fixed(points[points[:, 2] >= SEEN, :2])
    if len(seen) < 3:
        return
    outline = cv2.convexHull(seen) if hull else seen
    cv2.fillPoly(drawn, [outline], (value,), cv2.LINE_8, SHIFT)
