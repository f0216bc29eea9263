"""Flat-coloured people drawn about a skeleton, with the labels that are true of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import cv2
import numpy as np

from dancecli.figures import standing_skeleton
from dancecli.labels import Label
from dancecli.types import Frame, PersonMask, Skeleton, UInt8Array

Colour = tuple[int, int, int]
Cloth = tuple[Colour, Label]

SKIN, HAIR, GROUND = (215, 160, 130), (60, 40, 30), (150, 160, 150)
BLUE, BLACK, WHITE, GREEN = (40, 70, 170), (25, 25, 28), (235, 235, 235), (40, 120, 60)

SIZE = (240, 480)
"""Width and height of the picture."""


@dataclass(frozen=True)
class Outfit:
    """Colours, and how far they go. sleeve: shoulder 0, elbow 1, wrist 2; hem: hip 0 to ankle 2."""

    top: tuple[int, int, int] | None = BLUE
    bottom: tuple[int, int, int] = BLACK
    shoes: tuple[int, int, int] | None = WHITE
    sleeve: float = 0.5
    hem: float = 2.0
    skirt: bool = False
    hair: tuple[int, int, int] = HAIR
    from_behind: bool = False
    spread: float = 0.0
    labels: dict[str, Label] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture, what is true of it, and what a pose extractor would say."""

    frame: Frame
    labels: UInt8Array
    mask: PersonMask
    skeleton: Skeleton


def paint(outfit: Outfit, seed: int = 0) -> Painted:
    """Draws the person from back to front; a little noise keeps the colours from being exact."""
    skeleton = _posed(outfit)
    brush = _Brush(*SIZE)
    h = SIZE[1]
    for side in ("left", "right"):
        _leg(brush, skeleton, outfit, side, h)
    _trunk(brush, skeleton, outfit, h)
    for side in ("left", "right"):
        _arm(brush, skeleton, outfit, side, h)
    _head(brush, skeleton, outfit, h)
    noise = np.random.default_rng(seed).integers(-3, 4, brush.rgb.shape)
    rgb = np.clip(brush.rgb + noise, 0, 255).astype(np.uint8)
    mask = PersonMask((brush.labels > 0).astype(np.float32))
    return Painted(Frame(rgb), brush.labels, mask, skeleton)


class _Brush:
    def __init__(self, width: int, height: int) -> None:
        self.rgb = np.full((height, width, 3), GROUND, np.int32)
        self.labels = np.zeros((height, width), np.uint8)

    def stroke(
        self, start: np.ndarray, end: np.ndarray, radius: float, colour: Colour, label: Label
    ) -> None:
        area = np.zeros(self.labels.shape, np.uint8)
        points = [tuple(round(v) for v in p) for p in (start, end)]
        cv2.line(area, *points, 1, max(1, round(2 * radius)))
        self.paint(area, colour, label)

    def polygon(self, points: list[np.ndarray], colour: Colour, label: Label) -> None:
        area = np.zeros(self.labels.shape, np.uint8)
        cv2.fillPoly(area, [np.rint(np.array(points)).astype(np.int32)], 1)
        self.paint(area, colour, label)

    def ellipse(
        self, centre: np.ndarray, axes: tuple[float, float], colour: Colour, label: Label
    ) -> None:
        area = np.zeros(self.labels.shape, np.uint8)
        whole = tuple(round(v) for v in centre), tuple(round(v) for v in axes)
        cv2.ellipse(area, *whole, 0, 0, 360, 1, -1)
        self.paint(area, colour, label)

    def paint(self, area: np.ndarray, colour: Colour, label: Label) -> None:
        self.rgb[area > 0], self.labels[area > 0] = colour, label


def _posed(outfit: Outfit) -> Skeleton:
    width, height = SIZE
    skeleton = standing_skeleton(width, height)
    body = skeleton.body.copy()
    for joint, share in ((10, 0.5), (11, 1.0), (13, -0.5), (14, -1.0)):
        body[joint, 0] -= share * outfit.spread * width
    for joint in range(19, 22):
        body[joint, 0] += outfit.spread * width
    for joint in range(22, 25):
        body[joint, 0] -= outfit.spread * width
    if outfit.from_behind:
        return replace(skeleton, body=_turned(body, width))
    hands = [_hand(body[elbow, :2], body[wrist, :2], height) for elbow, wrist in ((6, 7), (3, 4))]
    face = _face(skeleton.joint("nose"), 0.035 * height, 0.05 * height)
    return Skeleton(body, *hands, face)


def _turned(body: np.ndarray, width: int) -> np.ndarray:
    """Seen from behind: every joint on the other side of the picture, the face not seen."""
    turned = body.copy()
    turned[:, 0] = width - body[:, 0]
    turned[[0, 15, 16], 2] = 0
    return turned


def _hand(elbow: np.ndarray, wrist: np.ndarray, height: float) -> np.ndarray:
    """Five straight fingers."""
    along = (wrist - elbow) / np.hypot(*(wrist - elbow))
    aside = np.array([-along[1], along[0]])
    points = np.ones((21, 3), np.float32)
    points[0, :2] = wrist
    for finger in range(5):
        for bone in range(4):
            reach = (0.03 + 0.012 * bone) * height
            points[1 + 4 * finger + bone, :2] = (
                wrist + reach * along + (finger - 2) * 0.006 * height * aside
            )
    return points


def _face(centre: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    """70 points in OpenPose's order on an upright oval face."""
    turn = np.linspace(0, np.pi, 17)
    shapes = {
        range(17): (-np.cos(turn), np.sin(turn)),
        range(17, 22): (np.linspace(-0.8, -0.2, 5), np.full(5, -0.35)),
        range(22, 27): (np.linspace(0.2, 0.8, 5), np.full(5, -0.35)),
        range(27, 31): (np.zeros(4), np.linspace(-0.1, 0.25, 4)),
        range(31, 36): (np.linspace(-0.2, 0.2, 5), np.full(5, 0.3)),
        range(36, 42): _ring(-0.45, -0.15, 0.2, 0.08, 6),
        range(42, 48): _ring(0.45, -0.15, 0.2, 0.08, 6),
        range(48, 60): _ring(0.0, 0.55, 0.4, 0.15, 12),
        range(60, 68): _ring(0.0, 0.55, 0.25, 0.06, 8),
        range(68, 70): (np.array([-0.45, 0.45]), np.full(2, -0.15)),
    }
    points = np.ones((70, 3), np.float32)
    for rows, (x, y) in shapes.items():
        points[list(rows), 0] = centre[0] + half_width * x
        points[list(rows), 1] = centre[1] + half_height * y
    return points


def _ring(
    x: float, y: float, wide: float, high: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    turn = np.pi + np.arange(count) * 2 * np.pi / count
    return x + wide * np.cos(turn), y + high * np.sin(turn)


def _between(points: list[np.ndarray], t: float) -> np.ndarray:
    bone = min(int(t), len(points) - 2)
    return points[bone] + (t - bone) * (points[bone + 1] - points[bone])


def _chain(
    brush: _Brush, points: list[np.ndarray], radius: float, until: float, cloth: Cloth, skin: Cloth
) -> None:
    """A limb in skin, then cloth over it from its root to `until`."""
    for start, end in pairwise(points):
        brush.stroke(start, end, radius, *skin)
    if until <= 0:
        return
    stops = [t for t in range(len(points) - 1) if t < until] + [until]
    for first, last in pairwise(stops):
        brush.stroke(_between(points, first), _between(points, last), 1.1 * radius, *cloth)


def _leg(brush: _Brush, skeleton: Skeleton, outfit: Outfit, side: str, h: int) -> None:
    points = [skeleton.joint(f"{side}_{j}") for j in ("hip", "knee", "ankle")]
    label = Label.LEFT_LEG if side == "left" else Label.RIGHT_LEG
    shoe = Label.LEFT_SHOE if side == "left" else Label.RIGHT_SHOE
    cloth = (outfit.bottom, outfit.labels.get("bottom", Label.PANTS))
    _chain(brush, points, 0.036 * h, 0 if outfit.skirt else outfit.hem, cloth, (SKIN, label))
    foot = (SKIN, label) if outfit.shoes is None else (outfit.shoes, shoe)
    brush.stroke(
        skeleton.joint(f"{side}_heel"), skeleton.joint(f"{side}_big_toe"), 0.022 * h, *foot
    )


def _trunk(brush: _Brush, skeleton: Skeleton, outfit: Outfit, h: int) -> None:
    neck, hip = skeleton.joint("neck"), skeleton.joint("mid_hip")
    brush.stroke(neck, skeleton.joint("nose"), 0.03 * h, SKIN, Label.TORSO_SKIN)
    corners = [skeleton.joint(f"{s}_shoulder") for s in ("left", "right")]
    low = [hip + 1.5 * (skeleton.joint(f"{s}_hip") - hip) for s in ("right", "left")]
    top = (SKIN, Label.TORSO_SKIN)
    if outfit.top is not None:
        top = (outfit.top, outfit.labels.get("top", Label.UPPER_CLOTHES))
    brush.polygon([*corners, *low], *top)
    bottom = (outfit.bottom, outfit.labels.get("bottom", Label.PANTS))
    belt = [place + np.array([0, shift * h]) for place, shift in zip([*low, *low[::-1]],
            (-0.02, -0.02, 0.03, 0.03), strict=True)]  # fmt: skip
    brush.polygon(belt, *bottom)
    if outfit.skirt:
        hem = [_between([skeleton.joint(f"{s}_{j}") for j in ("hip", "knee", "ankle")], outfit.hem)
               for s in ("left", "right")]  # fmt: skip
        flare = [hem[0] + [0.05 * h, 0], hem[1] - [0.05 * h, 0]]
        if skeleton.joint("left_hip")[0] < skeleton.joint("right_hip")[0]:
            flare = [hem[0] - [0.05 * h, 0], hem[1] + [0.05 * h, 0]]
        brush.polygon([*low, *flare], *bottom)


def _arm(brush: _Brush, skeleton: Skeleton, outfit: Outfit, side: str, h: int) -> None:
    points = [skeleton.joint(f"{side}_{j}") for j in ("shoulder", "elbow", "wrist")]
    arm = Label.LEFT_ARM if side == "left" else Label.RIGHT_ARM
    hand = Label.LEFT_HAND if side == "left" else Label.RIGHT_HAND
    along = (points[2] - points[1]) / np.hypot(*(points[2] - points[1]))
    brush.stroke(points[2] + 0.02 * h * along, points[2] + 0.06 * h * along, 0.02 * h, SKIN, hand)
    cloth = (outfit.top, outfit.labels.get("top", Label.UPPER_CLOTHES))
    _chain(brush, points, 0.022 * h, outfit.sleeve if outfit.top else 0, cloth, (SKIN, arm))


def _head(brush: _Brush, skeleton: Skeleton, outfit: Outfit, h: int) -> None:
    centre = skeleton.joint("nose")
    top = (outfit.hair, Label.HAIR)
    brush.ellipse(centre - np.array([0, 0.012 * h]), (0.048 * h, 0.068 * h), *top)
    if not outfit.from_behind:
        brush.ellipse(centre + np.array([0, 0.004 * h]), (0.036 * h, 0.046 * h), SKIN, Label.FACE)
