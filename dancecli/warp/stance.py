"""What a figure means for the parts: where torso and head stand and how they are turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dancecli.types import JOINT, FloatArray
from dancecli.warp.anatomy import ARM, HEAD, LEG, MID_HIP, NECK, Figure
from dancecli.warp.pixels import unit
from dancecli.warp.round import Place

LEFT_EAR, RIGHT_EAR, NOSE = JOINT["left_ear"], JOINT["right_ear"], JOINT["nose"]


@dataclass(frozen=True, eq=False)
class Stance:
    """A figure and the places of its torso and head.

    scale: canvas pixels per picture pixel. root_turn: radians by which the torso leans otherwise
    than in the photo. back: whether the body is turned by more than a right angle from the photo.
    """

    figure: Figure
    torso: Place
    head: Place
    scale: float
    root_turn: float
    back: bool


def stance(figure: Figure, source: Figure) -> Stance:
    """Of a driven figure; of the photo's own when both are the same."""
    scale = figure.size / source.size
    torso, photo = torso_place(figure, source, scale), torso_place(source, source, 1.0)
    turn = np.arctan2(*torso.axis[::-1]) - np.arctan2(*photo.axis[::-1])
    head = head_place(figure, source, scale)
    turn = float((turn + np.pi) % (2 * np.pi) - np.pi)
    return Stance(figure, torso, head, scale, turn, bool(np.cos(torso.yaw - photo.yaw) < 0))


def torso_place(figure: Figure, source: Figure, scale: float) -> Place:
    """The axis runs from the collar to mid-hip; the yaw is that of shoulders and hips together.

    figure: on the canvas. source: in the photo. scale: canvas pixels per picture pixel.
    """
    points, depth = figure.points, figure.depth
    top = collar(figure, source, scale)
    spine = points[MID_HIP] - top
    axis = unit(spine) if np.hypot(*spine) > 1e-3 else np.array([0, 1], np.float32)
    pairs = [(ARM["left"][0], ARM["right"][0]), (LEG["left"][0], LEG["right"][0])]
    tilt = []
    for left, right in pairs:
        breadth = max(scale * source.length(left, right), 1e-3)
        tilt.append(float(np.clip((points[left] - points[right]) @ axis / breadth, -0.6, 0.6)))
    photo = source.points[MID_HIP] - collar(source, source, 1.0)
    length = max(float(np.hypot(*photo)), 1e-3)
    breadths = sum(points[left] - points[right] for left, right in pairs)
    return Place(
        top, axis, _yaw(figure, axis),
        along=float(np.hypot(*spine)) / length, across=scale, tilt=(tilt[0], tilt[1]),
        depth=(float(depth[NECK]), float(depth[MID_HIP])),
        slope=_slope(breadths, axis, figure.size),
    )  # fmt: skip


def _slope(breadths: FloatArray, axis: FloatArray, size: float) -> float:
    """Of shoulders and hips (2,), pixels down the axis per pixel across; 0 in profile, where they
    show no breadth to tell it by."""
    down, across = float(breadths @ axis), float(breadths @ (axis[1], -axis[0]))
    return float(np.clip(down * across / (across**2 + (PROFILE * size) ** 2), -1, 1))


PROFILE = 0.06
"""Breadth of shoulders and hips together, heights, below which it tells no slope; the usual one is
0.32."""


def collar(figure: Figure, source: Figure, scale: float) -> FloatArray:
    """(2,): where the neck is while the arms hang.

    Pose estimators put it between the shoulders, which raised arms lift, so that trunks seem to
    grow and throats to shrink; clothes stay, and would cover the chin. source, scale: as for
    `stance`.
    """
    neck = figure.points[NECK]
    spine = figure.points[MID_HIP] - neck
    axis, raised = unit(spine), 0.0
    for shoulder, elbow, *_ in ARM.values():
        arm = max(scale * source.length(shoulder, elbow), 1e-3)
        up = float((figure.points[shoulder] - figure.points[elbow]) @ axis) / arm
        raised += float(np.clip(up, 0, 1)) / len(ARM)
    throat = _throat(source) * scale - _throat(figure)
    most = min(LIFT * raised, MOST_LIFT) * float(np.hypot(*spine))
    return np.asarray(neck + np.clip(throat, 0, most) * axis, np.float32)


def _throat(figure: Figure) -> float:
    """Pixels from the neck to the middle of the ears."""
    return float(np.hypot(*(figure.points[NECK] - figure.points[HEAD])))


LIFT, MOST_LIFT = 0.16, 0.08
"""Share of the trunk by which arms that point straight up lift the middle of the shoulders, and the
most; read off a clip of a dancer whose trunk "grows" by 4 and 8% with her arms."""


def _yaw(figure: Figure, axis: FloatArray) -> float:
    """Radians; without depth only front and back are told apart."""
    side = np.array([axis[1], -axis[0]], np.float32)
    left, right = ARM["left"][0], ARM["right"][0]
    shoulders = figure.points[left] - figure.points[right]
    hips = figure.points[LEG["left"][0]] - figure.points[LEG["right"][0]]
    across = float((shoulders + 0.5 * hips) @ side)
    if figure.has_depth:
        depth = figure.depth
        nearer = depth[left] - depth[right]
        nearer += 0.5 * (depth[LEG["left"][0]] - depth[LEG["right"][0]])
        return float(np.arctan2(nearer, across))
    return 0.0 if across >= 0 else float(np.pi)


def head_place(figure: Figure, source: Figure, scale: float) -> Place:
    """The axis runs from the middle of the ears down the face, parallel to the picture.

    Arguments as of `torso_place`.
    """
    neck = figure.points[NECK] - figure.points[HEAD]
    usual = scale * max(_throat(source), 1e-3)
    length = max(_throat(figure), 1e-3)
    # A head bent far down, drawn from the front as the photo has it, would sink into the collar,
    # and one that comes towards the camera would draw the neck out.
    centre = figure.points[NECK] - neck * (np.clip(length, 0.7 * usual, 1.15 * usual) / length)
    down, yaw = _head_turn(figure, unit(neck))
    if yaw is None:
        yaw = torso_place(figure, source, scale).yaw
    return Place(
        centre.astype(np.float32), down, yaw, along=scale, across=scale,
        depth=(float(figure.depth[HEAD]),) * 2,
    )  # fmt: skip


def _head_turn(figure: Figure, neck: FloatArray) -> tuple[FloatArray, float | None]:
    """Direction of the chin in the picture, unit (2,), and yaw in radians where it shows."""
    if not figure.known[[LEFT_EAR, RIGHT_EAR, NOSE]].all():
        return neck, None
    space = np.column_stack([figure.points, figure.depth])
    ears = space[LEFT_EAR] - space[RIGHT_EAR]
    face = space[NOSE] - (space[LEFT_EAR] + space[RIGHT_EAR]) / 2
    if not figure.has_depth:
        down = np.array([-ears[1], ears[0]], np.float32)
        facing = bool(down @ neck > 0)
        return unit(down if facing else -down), 0.0 if facing else float(np.pi)
    chin = np.cross(face, ears)[:2]
    # A head seen from above or below shows little of its axis: lean on the neck then.
    strength = float(np.linalg.norm(face) * np.linalg.norm(ears))
    down = unit((chin + 0.3 * strength * neck).astype(np.float32))
    side = np.array([down[1], -down[0]], np.float32)
    across, nearer = float(ears[:2] @ side), float(ears[2])
    across, nearer = across + float(face[2]), nearer - float(face[:2] @ side)
    return down, float(np.arctan2(nearer, across))
