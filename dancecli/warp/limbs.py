"""A limb as a chain of bones: where along it a pixel lies, and how it bends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dancecli.types import FloatArray
from dancecli.warp.pixels import segment_distance, unit


def smoothstep(x: FloatArray) -> FloatArray:
    """0 below 0, 1 above 1, smooth between (3x² − 2x³); of any shape."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def ease(x: float) -> float:
    """`smoothstep` of one number."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


@dataclass(frozen=True, eq=False)
class Chain:
    """Joints of a limb from the trunk outwards, float32 (4, 2), pixels."""

    joints: FloatArray

    def direction(self, bone: int) -> FloatArray:
        """Unit vector (2,) along bone 0-2."""
        return unit(self.joints[bone + 1] - self.joints[bone])

    def folded(self, joint: int) -> float:
        """0 where the bones before and after joint 1 or 2 go on, 1 where they lie side by side."""
        return ease(float(0.4 - self.direction(joint - 1) @ self.direction(joint)) / 0.8)

    def crook(self, points: FloatArray, width: float) -> FloatArray:
        """How far points (..., 2) lie in the crook of a folded limb, where its halves only touch:
        0 where it is straight and about the elbow or knee, 1 from 1.25 of the limb's `width` on."""
        away = np.hypot(*np.moveaxis(points - self.joints[1], -1, 0)) / max(width, 1e-3)
        return self.folded(1) * smoothstep(2 * away - 1.5)

    def past(self, points: FloatArray, joint: int, width: float) -> FloatArray:
        """Signed distance of points (..., 2) beyond joint 0-2, pixels, 0 on its bisector.

        Between bones that lie side by side the bisector says little; there the nearer bone
        counts, and further from the joint than the limb's `width` nothing is in between.
        """
        after = self.direction(joint)
        if joint == 0:
            return np.asarray((points - self.joints[0]) @ after, np.float32)
        before = self.direction(joint - 1)
        plane = (points - self.joints[joint]) @ unit(before + after)
        folded = self.folded(joint)
        if folded == 0:
            return np.asarray(plane, np.float32)
        a, b, c = self.joints[joint - 1 : joint + 2]
        nearer = segment_distance(points, a, b) - segment_distance(points, b, c)
        away = np.hypot(*np.moveaxis(points - b, -1, 0)) / max(width, 1e-3)
        nearer = nearer * (1 + 6 * np.maximum(away - 1.5, 0))
        return np.asarray((1 - folded) * plane + folded * nearer, np.float32)

    def inside(self, points: FloatArray, inwards: FloatArray) -> FloatArray:
        """How far points (..., 2) lie from the line of bone 0 towards `inwards`, times its length;
        0 beyond that line."""
        x, y = self.direction(0)
        side = np.array([-y, x], np.float32)
        across = (points - self.joints[0]) @ side
        return np.asarray(np.maximum(across * float(side @ inwards), 0), np.float32)

    def position(self, points: FloatArray, bones: Sequence[int] = (0, 1, 2)) -> FloatArray:
        """Place of points (n, 2) along the limb: 0 at its root, 1 and 2 at joints, 3 at its end.

        bones: those that may be the nearest.
        """
        distances, places = [], []
        for bone in bones:
            a, b = self.joints[bone : bone + 2]
            distances.append(segment_distance(points, a, b))
            t = (points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-6)
            places.append(bone + np.clip(t, 0, 1))
        nearest = np.argmin(distances, 0)
        place: FloatArray = np.choose(nearest, places).astype(np.float32)
        return place


GROIN = 2.0
"""Slope of the groin: how much further along the thigh skin begins to follow it, per pixel inwards
of the bone. The crotch, about as far below the hips' joints as inwards of them, stays."""


@dataclass(frozen=True, eq=False)
class LimbSkin:
    """How the vertices of a limb's mesh follow its bones.

    Angle-interpolated skinning: about each joint the turn from one bone to the next is spread
    over a zone as wide as the limb. Blending angles rather than matrices keeps the outside of a
    bent elbow round (Kavan et al., "Skinning with Dual Quaternions", 2007; in the plane the two
    agree). Points are complex numbers x + iy.

    local: complex64 (3, n), vertices about each joint in the frame of the unbent limb.
    turn: float32 (3, n), 0 before and 1 after the zone of each joint. share: float32 (3, n),
    which joint's description to use, sums to 1. place: float32 (n,), see `Chain.position`.
    held: float32 (n,), how much less of the turn about joint 0 is made while the body faces us:
    what is inside of the groin stays with the trunk.
    """

    source: Chain
    local: NDArray[np.complex64]
    turn: FloatArray
    share: FloatArray
    place: FloatArray
    held: FloatArray

    def posed(
        self,
        joints: FloatArray,
        root_turn: float,
        along: FloatArray,
        across: float,
        back: bool,
        facing: float = 0.0,
    ) -> NDArray[np.complex64]:
        """Vertices for driven joints (4, 2).

        root_turn: radians by which the torso has turned in the picture. along: (3,) and across:
        driven pixels per source pixel. back: seen from the other side than in the photo, so that
        what was its left edge is its right one. facing: how far trunk and picture are parallel,
        [0, 1].
        """
        before, after = _angles(self.source.joints, root_turn), _angles(joints, root_turn)
        before[0], after[0] = before[1], before[1] + root_turn
        scales = np.concatenate([[across], along])
        long = np.concatenate([[0.0], np.hypot(*np.diff(self.source.joints, axis=0).T)])
        sideways = -across if back else across
        kept = facing * self.held, 0.0, 0.0
        out = np.zeros(self.local.shape[1], np.complex64)
        for joint in range(3):
            w, local = self.turn[joint] - kept[joint], self.local[joint]
            bend = _wrapped(after[joint + 1] - after[joint])
            stretch = np.where(local.real < 0, scales[joint], scales[joint + 1])
            stretch += kept[joint] * (scales[joint] - stretch)
            # What lies past the ends of a foreshortened bone, a shoulder's width, is not stretched.
            on_bone = np.clip(local.real, -long[joint], long[joint + 1])
            lengthwise = on_bone * stretch + (local.real - on_bone) * across
            stretched = lengthwise + 1j * local.imag * sideways
            turned = stretched * np.exp(1j * after[joint]) * _spread(w, bend)
            root = complex(*joints[joint])
            out += self.share[joint] * (root + turned)
        return out


def limb_skin(
    chain: Chain,
    vertices: FloatArray,
    widths: FloatArray,
    mirrored: bool = False,
    half: int | None = None,
    inwards: FloatArray | None = None,
) -> LimbSkin:
    """Prepares `vertices` (n, 2); widths (4,) are the limb's half-widths at its joints.

    mirrored: the texture is the other side's, so its sides change places. half: the vertices are
    of the piece of the upper (0) or lower (1) half alone, which in the crook of a folded limb
    stays with its own bone. inwards: (2,), from the root towards the limb's twin, as long as the
    photo shows that breadth, 0 to 1; None for limbs without a groin.
    """
    place = chain.position(vertices)
    if half is not None:
        crook = chain.crook(vertices, widths[1])
        own = chain.position(vertices, (0,) if half == 0 else (1, 2))
        place = np.where(crook > 0.5, own, place)
    angles = _angles(chain.joints, 0.0)
    angles[0] = angles[1]
    points = vertices[:, 0] + 1j * vertices[:, 1]
    local, turn = [], []
    for joint in range(3):
        w = smoothstep(chain.past(vertices, joint, widths[joint]) / (2.4 * widths[joint]) + 0.5)
        if joint == 1 and half is not None:
            w += (half - w) * crook
        angle = angles[joint] + w * _wrapped(angles[joint + 1] - angles[joint])
        local.append((points - complex(*chain.joints[joint])) * np.exp(-1j * angle))
        turn.append(w)
    share = np.clip(1 - np.abs(np.minimum(place, 2) - np.arange(3)[:, None]), 0, 1)
    held = np.zeros(len(vertices), np.float32)
    if inwards is not None:
        past = chain.past(vertices, 0, widths[0]) - GROIN * chain.inside(vertices, inwards)
        held = turn[0] - smoothstep(past / (2.4 * widths[0]) + 0.5)
    unbent = np.conj(local) if mirrored else np.array(local)
    return LimbSkin(
        chain, unbent.astype(np.complex64), np.array(turn, np.float32),
        smoothstep(share).astype(np.float32), place, held,
    )  # fmt: skip


def _angles(joints: FloatArray, root_turn: float) -> FloatArray:
    """Float32 (4,): the torso's turn, then the direction of each bone, radians."""
    bones = np.diff(joints, axis=0)
    return np.concatenate([[root_turn], np.arctan2(bones[:, 1], bones[:, 0])]).astype(np.float32)


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def _spread(w: FloatArray, bend: float) -> NDArray[np.complex64]:
    """Rotation by the share `w` of a bend.

    Near half a turn the side on which a limb folds is a matter of noise: there matrices are
    blended after all, which favours neither side.
    """
    folded = ease((abs(bend) - 2.3) / 0.7)
    turned = (1 - folded) * np.exp(1j * w * bend) + folded * ((1 - w) + w * np.exp(1j * bend))
    return np.asarray(turned, np.complex64)
