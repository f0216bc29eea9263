"""The figure behind a skeleton: every joint placed, the body's size known.

Pose estimators leave joints out: behind the body, below the picture's edge. A warp needs them
all, so `photo_figure` completes a photo's skeleton from body proportions and `driven_figure`
completes a driving one from the photo's. Proportions are those of Drillis and Contini, "Body
Segment Parameters" (1966), with shoulders, hips and neck where pose estimators put them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dancecli.motion.body import PORTRAIT, height_by_one_bone, height_of
from dancecli.types import JOINT, SEEN, BoolArray, FloatArray, Skeleton

HAND_TIP = {"left": 25, "right": 26}
"""Rows of `Figure.points` behind BODY_25: the tip of the middle finger."""

HEAD = 27
"""Row of `Figure.points`: the middle between the ears."""

POINTS = 28

SIDES = ("left", "right")


def _side(side: str, *names: str) -> tuple[int, ...]:
    return tuple(JOINT[f"{side}_{name}"] for name in names)


ARM = {side: (*_side(side, "shoulder", "elbow", "wrist"), HAND_TIP[side]) for side in SIDES}
LEG = {side: _side(side, "hip", "knee", "ankle", "big_toe") for side in SIDES}
NECK, MID_HIP = JOINT["neck"], JOINT["mid_hip"]


def _rest() -> list[tuple[int, int, float, float]]:
    """(joint, parent, x, y) of a person who stands and faces us, heights of the body, y down.

    Rounded apart from `motion.body.BONES`, which measures: these are places to suppose hidden
    joints at, and would change pictures if they followed it.
    """
    rest = [(MID_HIP, NECK, 0.0, 0.29), (HEAD, NECK, 0.0, -0.125)]
    for side, out in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow, wrist, tip = ARM[side]
        hip, knee, ankle, toe = LEG[side]
        rest += [
            (shoulder, NECK, out * 0.105, 0.0), (elbow, shoulder, out * 0.03, 0.17),
            (wrist, elbow, out * 0.02, 0.145), (tip, wrist, out * 0.01, 0.1),
            (hip, MID_HIP, out * 0.055, 0.0), (knee, hip, out * 0.01, 0.24),
            (ankle, knee, 0.0, 0.24), (toe, ankle, out * 0.02, 0.07),
            (JOINT[f"{side}_small_toe"], ankle, out * 0.04, 0.06),
            (JOINT[f"{side}_heel"], ankle, 0.0, 0.03),
            (JOINT[f"{side}_eye"], HEAD, out * 0.018, -0.01),
            (JOINT[f"{side}_ear"], HEAD, out * 0.042, 0.0),
        ]  # fmt: skip
    return [*rest, (JOINT["nose"], HEAD, 0.0, 0.01)]


REST = _rest()
"""Parents come before their children."""

_PARENT = {joint: parent for joint, parent, _, _ in REST}

_STRAIGHT = {j for limb in ARM.values() for j in limb[2:]} | {limb[2] for limb in LEG.values()}
"""Joints that, when unknown, continue their parent's bone: wrists, fingertips, ankles."""

LIKELY = 0.5, 2.0
"""Shortest and longest, beside its usual length, that a guessed bone may be."""

BONES = [(NECK, MID_HIP)] + [
    (limb[i], limb[i + 1]) for limbs in (ARM, LEG) for limb in limbs.values() for i in (0, 1)
]


SPAN_ENDS = [(JOINT[a], JOINT[b]) for a, b, _ in PORTRAIT]
"""Head and shoulders span these."""


@dataclass(frozen=True, eq=False)
class Figure:
    """A person whose every joint has a place.

    points: float32 (28, 2), pixels: BODY_25, both hand tips, the head's centre. depth: float32
    (28,), pixels towards the camera, mid-hip 0. known: bool (28,), False where completed.
    size: the body's height when standing, pixels. has_depth: whether depth was measured; all
    zeros otherwise. shortening: float32 (9,), see `_shortening`.
    """

    points: FloatArray
    depth: FloatArray
    known: BoolArray
    size: float
    has_depth: bool
    shortening: FloatArray

    def length(self, a: int, b: int) -> float:
        """Distance of two points in the picture and in depth, pixels."""
        flat = self.points[a] - self.points[b]
        return float(np.hypot(np.hypot(*flat), self.depth[a] - self.depth[b]))

    def rise(self, points: FloatArray) -> FloatArray:
        """Float32 (...): heights of points (..., 2) over the neck, 1 at the ears."""
        axis = self.points[HEAD] - self.points[NECK]
        rise = (points - self.points[NECK]) @ axis / max(float(axis @ axis), 1e-6)
        return np.asarray(rise, np.float32)

    def moved(self, scale: float, dx: float, dy: float) -> Figure:
        """Every point at scale * (x, y) + (dx, dy)."""
        points = self.points * np.float32(scale) + np.array([dx, dy], np.float32)
        return replace(self, points=points, depth=self.depth * scale, size=self.size * scale)


def thighs_raised(figure: Figure) -> list[bool]:
    """Whether the left and the right thigh lead away from the trunk's axis: a squat or a seat."""
    trunk = figure.points[MID_HIP] - figure.points[NECK]
    thighs = [figure.points[knee] - figure.points[hip] for hip, knee, *_ in LEG.values()]
    return [bool(t @ trunk < BENT * np.hypot(*t) * np.hypot(*trunk)) for t in thighs]


BENT = 0.5
"""Cosine of the angle between trunk and thigh below which somebody sits or squats."""

_HEAD_CLUES = (
    (JOINT["left_ear"], JOINT["right_ear"]),
    (JOINT["left_eye"], JOINT["right_eye"]),
    (JOINT["nose"],),
)


def photo_figure(skeleton: Skeleton, width: int, height: int) -> Figure:
    """The figure in a photo of that size; joints outside it count as unknown.

    Elbows and wrists below its edge lie where the pose estimator guesses them, as far as that may
    be: sleeves that the photo shows lead there.
    """
    figure = _measured(skeleton)
    slack = 0.02 * height
    inside = (figure.points > -slack).all(1)
    inside &= (figure.points < (width + slack, height + slack)).all(1)
    figure = replace(figure, known=figure.known & inside)
    size = max(_size(figure) or height_of(skeleton) or height_by_one_bone(skeleton), 1.0)
    offsets = np.zeros((POINTS, 2), np.float32)
    for joint, _, x, y in REST:
        offsets[joint] = (x * size, y * size)
    guessed = _cut_off(skeleton, figure, width, height, offsets)
    return replace(_completed(figure, offsets, guessed), size=size)


def _cut_off(
    skeleton: Skeleton, figure: Figure, width: int, height: int, offsets: FloatArray
) -> dict[int, FloatArray]:
    """Where elbows and wrists outside the photo are said to be: joint -> (x, y)."""
    body, guessed = skeleton.body, dict[int, FloatArray]()
    for shoulder, elbow, wrist, _ in ARM.values():
        for parent, joint in ((shoulder, elbow), (elbow, wrist)):
            x, y = point = body[joint, :2]
            inside = 0 <= x <= width and 0 <= y <= height
            if figure.known[joint] or inside or not (figure.known[parent] or parent in guessed):
                continue
            long = np.hypot(*(point - body[parent, :2])) / max(np.hypot(*offsets[joint]), 1e-6)
            if LIKELY[0] < long < LIKELY[1]:
                guessed[joint] = point
    return guessed


def driven_figure(skeleton: Skeleton, source: Figure) -> Figure | None:
    """The figure to be painted, or None when too little of the torso was seen to place it."""
    figure = _measured(skeleton)
    if not (figure.known[NECK] or figure.known[MID_HIP]):
        return None
    scale = max(_scale(figure, source), 1e-3)
    offsets = np.zeros((POINTS, 2), np.float32)
    for joint, parent, _, _ in REST:
        offsets[joint] = (source.points[joint] - source.points[parent]) * scale
    return replace(_completed(figure, offsets), size=source.size * scale)


def _measured(skeleton: Skeleton) -> Figure:
    """What the skeleton itself tells: unknown rows are meaningless, size is 0."""
    points, known = np.zeros((POINTS, 2), np.float32), np.zeros(POINTS, bool)
    points[:25] = skeleton.body[:, :2]
    known[:25] = (skeleton.body[:, 2] >= SEEN) & np.isfinite(skeleton.body).all(1)
    for clue in _HEAD_CLUES:
        if known[list(clue)].all():
            points[HEAD], known[HEAD] = points[list(clue)].mean(0), True
            break
    for side, hand in zip(SIDES, (skeleton.left_hand, skeleton.right_hand), strict=True):
        wrist = ARM[side][2]
        # Fingers are about as long as the palm.
        if min(hand[0, 2], hand[9, 2]) >= SEEN and known[wrist]:
            points[HAND_TIP[side]] = points[wrist] + 1.9 * (hand[9, :2] - hand[0, :2])
            known[HAND_TIP[side]] = True
    depth, measured = np.zeros(POINTS, np.float32), skeleton.depth()
    if measured is not None:
        depth[:25] = np.nan_to_num(measured)
        depth[HEAD] = depth[list(_HEAD_CLUES[0])].mean()
    points[~known] = 0
    return Figure(points, depth, known, 0.0, measured is not None, _shortening(skeleton))


def _size(figure: Figure) -> float:
    """Standing height from the longest evidence: torso and legs, or shoulders; 0 without any, as
    when the photo's edge cuts somebody in two."""
    known, length = figure.known, figure.length
    guesses = [0.0]
    if known[NECK] and known[MID_HIP]:
        torso = length(NECK, MID_HIP)
        guesses.append(torso / 0.29)
        legs = [
            length(hip, knee) + length(knee, ankle)
            for hip, knee, ankle, _ in LEG.values()
            if known[[hip, knee, ankle]].all()
        ]
        if legs:
            guesses = [(torso + max(legs)) / 0.77]
    if known[[ARM["left"][0], ARM["right"][0]]].all():
        guesses.append(0.8 * length(ARM["left"][0], ARM["right"][0]) / 0.21)
    return max(guesses)


def _scale(figure: Figure, source: Figure) -> float:
    """Driven pixels per photo pixel, from the bones that both show.

    A bone of true length L at scale s appears as s c L long, c being its foreshortening; s is the
    least-squares fit, in which bones that point at the camera hardly count.
    """
    both = figure.known & source.known
    bones = [i for i, b in enumerate(BONES) if both[list(b)].all()]
    if not bones:
        return _portrait_scale(figure, source, both)
    ends = np.array(BONES)[bones]
    seen = np.hypot(*(figure.points[ends[:, 0]] - figure.points[ends[:, 1]]).T)
    photo = np.hypot(*(source.points[ends[:, 0]] - source.points[ends[:, 1]]).T)
    if not (figure.has_depth and source.has_depth):
        # Any bone may be foreshortened: trust the least foreshortened ones.
        return float(np.quantile(np.clip(seen / np.maximum(photo, 1e-6), 0.05, 20), 0.7))
    usual = np.maximum(source.shortening[bones], 0.35)
    expected = figure.shortening[bones] * photo / usual
    return float((usual * seen * expected).sum() / max((usual * expected**2).sum(), 1e-6))


def _portrait_scale(figure: Figure, source: Figure, both: BoolArray) -> float:
    """The same by head and shoulders, the second largest of what their spans tell: turning only
    shortens, and in the photo hardly."""
    spans = [(one, other) for one, other in SPAN_ENDS if both[[one, other]].all()]
    ratios = sorted(
        float(np.hypot(*(figure.points[one] - figure.points[other])))
        / max(float(np.hypot(*(source.points[one] - source.points[other]))), 1e-6)
        for one, other in spans
    )
    return float(np.clip(ratios[-min(2, len(ratios))], 0.05, 20)) if ratios else 1.0


def _shortening(skeleton: Skeleton) -> FloatArray:
    """Float32 (9,): how long each bone looks over how long it is; 1 where not known."""
    if skeleton.world is None:
        return np.ones(len(BONES), np.float32)
    ends = np.array(BONES)
    steps = skeleton.world[ends[:, 0]] - skeleton.world[ends[:, 1]]
    whole = np.linalg.norm(steps, axis=1)
    ratio = np.hypot(steps[:, 0], steps[:, 1]) / np.maximum(whole, 1e-6)
    known = np.isfinite(ratio) & (whole > 1e-6)
    return np.where(known, ratio, 1).astype(np.float32)


def _completed(
    figure: Figure, offsets: FloatArray, guessed: Mapping[int, FloatArray] | None = None
) -> Figure:
    """Unknown joints put where they are guessed, else at their parent plus an offset; limbs
    continue straight on."""
    points, depth = figure.points.copy(), figure.depth.copy()
    if not figure.known[NECK]:
        points[NECK] = _neck(figure, offsets)
    for joint, parent, _, _ in REST:
        if figure.known[joint]:
            continue
        step = offsets[joint]
        if guessed and joint in guessed:
            points[joint], depth[joint] = guessed[joint], depth[parent]
            continue
        if joint in _STRAIGHT:
            bone = points[parent] - points[_PARENT[parent]]
            length = float(np.hypot(*bone))
            if length > 1e-3:
                step = bone * (np.hypot(*step) / length)
        points[joint], depth[joint] = points[parent] + step, depth[parent]
    return replace(figure, points=points, depth=depth)


def _neck(figure: Figure, offsets: FloatArray) -> FloatArray:
    """Where the neck (2,) is guessed: over the hips, else beside a shoulder or over one hip."""
    points, hip = figure.points, offsets[MID_HIP]
    if figure.known[MID_HIP]:
        return np.asarray(points[MID_HIP] - hip)
    clues = [points[j] - offsets[j] for j in (ARM[side][0] for side in SIDES) if figure.known[j]]
    clues = clues or [
        points[j] - offsets[j] - hip for j in (LEG[side][0] for side in SIDES) if figure.known[j]
    ]
    return np.asarray(np.mean(clues, 0) if clues else -hip, np.float32)
