"""Torso and head as upright elliptic cylinders, so that they can turn.

A slice of the photo's torso shows the near half of an ellipse. Turning the body moves each point
along that ellipse: a point at u = cos(a), u in [-1, 1] across the slice, goes to cos(a + shift),
and what was the far half comes into view. The far half of the texture is the near half mirrored (a
back looks much like a front) and for the head it is hair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from dancecli.types import BoolArray, FloatArray
from dancecli.warp.layers import FLAT
from dancecli.warp.pixels import pixel_centres
from dancecli.warp.raster import Mesh
from dancecli.warp.texture import Piece

BINS, COLUMNS = 48, 13

TURNED = 0.3
"""Radians along the ellipse."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a cylinder stands in a picture.

    origin: float32 (2,), top of the axis. axis: float32 (2,), unit vector downwards along it.
    yaw: radians, 0 facing us, positive when the left side is nearer. along, across: pixels per
    source pixel. tilt: (2,) slopes of the left-right axis at the axis's top and at `length`.
    depth: (2,) pixels towards the camera at the same two rows. slope: of the left-right axis in
    the picture, pixels down the axis per pixel across: slices of the cylinder run along it.
    """

    origin: FloatArray
    axis: FloatArray
    yaw: float
    along: float = 1.0
    across: float = 1.0
    tilt: tuple[float, float] = (0.0, 0.0)
    depth: tuple[float, float] = (0.0, 0.0)
    slope: float = 0.0

    @property
    def side(self) -> FloatArray:
        """The unit vector (2,) across the axis, to the viewer's right for an upright axis."""
        return np.array([self.axis[1], -self.axis[0]], np.float32)

    def slices(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The slice of each point (..., 2), pixels down the axis, and how far across it lies."""
        across = (points - self.origin) @ self.side
        return (points - self.origin) @ self.axis - self.slope * across, across

    def at(self, row: FloatArray, across: FloatArray) -> FloatArray:
        """The points (..., 2) of slices (...) and places across them."""
        down = row + self.slope * across
        points: FloatArray = (
            self.origin + down[..., None] * self.axis + across[..., None] * self.side
        )
        return points


@dataclass(frozen=True, eq=False)
class RoundSkin:
    """Vertices of a mesh on the near or far half of a cylinder.

    row: pixels down the axis. middle, half: of the slice, pixels. angle: a in cos(a), negative on
    the far half. over: pixels by which a vertex lies outside its slice's outline. All float32 (n,).
    length: pixels between the two rows of tilt and depth. flat: depth of the ellipse over width.
    slack: pairs of (turn asked for, turn made), radians. kept: share of turns that are not made at
    all; those of its own sign.
    """

    source: Place
    row: FloatArray
    middle: FloatArray
    half: FloatArray
    angle: FloatArray
    over: FloatArray
    length: float
    flat: float
    slack: tuple[tuple[float, float], ...]
    kept: float

    def posed(self, place: Place) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Vertices (n, 2), their depths (n,), and how much they face us (n,), in [-1, 1]."""
        yaw = self._allowed(place.yaw)
        shift = self._shift(yaw)
        wide = self.half / self._width(self.source.yaw)
        turned = self.angle + shift
        x = wide * self._width(yaw) * np.cos(turned) + self.over * np.cos(shift)
        x += self.middle * np.cos(yaw - self.source.yaw)
        body = self.angle + self._phase(self.source.yaw) * -1
        lateral, front = wide * np.cos(body), self.flat * wide * np.sin(body)
        t = np.clip(self.row / self.length, -0.2, 1.3)
        tilt = [after - before for after, before in zip(place.tilt, self.source.tilt, strict=True)]
        down = self.row * place.along + lateral * place.across * ((1 - t) * tilt[0] + t * tilt[1])
        points = place.origin + down[:, None] * place.axis
        points = points + (x * place.across)[:, None] * place.side
        depth = (1 - t) * place.depth[0] + t * place.depth[1]
        depth = depth + place.across * (lateral * np.sin(place.yaw) + front * np.cos(place.yaw))
        return points.astype(np.float32), depth.astype(np.float32), np.sin(turned)

    def turned(self, yaw: float) -> bool:
        """Whether the seam between the halves comes well into view; yaw: as `Place` has it."""
        return abs(self._shift(self._allowed(yaw))) > TURNED

    def _allowed(self, yaw: float) -> float:
        """`yaw` less what is `kept` of the turn."""
        turn = (yaw - self.source.yaw + np.pi) % (2 * np.pi) - np.pi
        if turn * self.kept > 0:
            small = float(np.interp(abs(turn), *np.transpose(KEPT))) * float(np.sign(turn))
            turn += abs(self.kept) * (small - turn)
        return self.source.yaw + float(turn)

    def _shift(self, yaw: float) -> float:
        """How far points move along the ellipse, less than the turn where `slack` says so."""
        shift = self._phase(yaw) - self._phase(self.source.yaw)
        shift = float((shift + np.pi) % (2 * np.pi) - np.pi)
        eased = float(np.interp(abs(shift), *np.transpose(self.slack)))
        return eased * float(np.sign(shift))

    def _phase(self, yaw: float) -> float:
        return float(np.arctan2(self.flat * np.sin(yaw), np.cos(yaw)))

    def _width(self, yaw: float) -> float:
        return float(np.hypot(np.cos(yaw), self.flat * np.sin(yaw)))


@dataclass(frozen=True, eq=False)
class Profile:
    """Middle and half-width of a silhouette in slices down an axis, pixels.

    first, step: slice of bin 0 and distance of bins. middle, half: float32 (BINS,).
    """

    first: float
    step: float
    middle: FloatArray
    half: FloatArray


def profile(mask: BoolArray, place: Place) -> Profile:
    """Of a silhouette (H, W) about a place in the same pixels."""
    import cv2

    points = np.argwhere(mask)[:, ::-1].astype(np.float32) + 0.5
    if len(points) < 4:
        return Profile(0.0, 1.0, np.zeros(BINS, np.float32), np.ones(BINS, np.float32))
    row, across = place.slices(points)
    first, last = float(row.min()), float(row.max()) + 1e-3
    step = (last - first) / BINS
    index = np.minimum(((row - first) / step).astype(int), BINS - 1)
    low, high = np.full(BINS, np.inf, np.float32), np.full(BINS, -np.inf, np.float32)
    np.minimum.at(low, index, across)
    np.maximum.at(high, index, across)
    seen = np.flatnonzero(low <= high)
    low = np.interp(np.arange(BINS), seen, low[seen]).astype(np.float32)
    high = np.interp(np.arange(BINS), seen, high[seen]).astype(np.float32)
    # A little inside the true outline, so that the seam of near and far half is solid.
    low, high = _worst(low, np.maximum), _worst(high, np.minimum)
    middle, half = (low + high) / 2, np.maximum(0.96 * (high - low) / 2, 1.0)
    smooth = [
        cv2.GaussianBlur(v[None], (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)[0]
        for v in (middle, half)
    ]
    return Profile(first, step, smooth[0], smooth[1])


def _worst(values: FloatArray, choose: np.ufunc) -> FloatArray:
    """The largest or smallest of each value and its neighbours."""
    padded = np.pad(values, 1, mode="edge")
    out: FloatArray = choose(choose(padded[:-2], padded[2:]), values)
    return out


Build: TypeAlias = tuple[float, tuple[tuple[float, float], ...]]

TORSO_BUILD: Build = (FLAT, ((0.0, 0.0), (np.pi, np.pi)))
HEAD_BUILD: Build = (1.15, ((0.0, 0.0), (0.15, 0.05), (1.0, 0.45), (2.3, 2.5), (np.pi, np.pi)))
"""Depth over breadth, and slack: a face turns less than asked, since noise would make it swim and
its unseen side is not known; past the profile the back of the head is the better guess."""

KEPT = ((0.0, 0.0), (0.15, 0.02), (1.0, 0.1), (2.0, 0.3), (np.pi, np.pi))
"""Pairs of (turn asked for, turn allowed) of what is kept aside, radians: whoever turns their back
shows it in the end."""

ASIDE = (0.4, 0.8)
"""Yaw from which on a face counts as one from the side a little, and wholly, radians."""


def aside(yaw: float) -> float:
    """How far a photo's face is one from the side, 0 to 1, with the sign of turns towards us: those
    are not made, for the face's other half would have to be made up. From behind there is no face
    to keep."""
    low, high = ASIDE
    share = float(np.clip((abs(yaw) - low) / (high - low), 0, 1)) * (abs(yaw) < np.pi / 2 + low)
    return -share * float(np.sign(yaw))


def round_skin(
    place: Place,
    outline: Profile,
    vertices: FloatArray,
    length: float,
    build: Build,
    far: bool,
    kept: float = 0.0,
) -> RoundSkin:
    """Puts `vertices` (n, 2) on the near or far half of the cylinder with that outline.

    length, build, kept: as `RoundSkin` has them.
    """
    slice_, across = place.slices(vertices)
    bins = (slice_ - outline.first) / outline.step - 0.5
    middle = np.interp(bins, np.arange(BINS), outline.middle).astype(np.float32)
    half = np.interp(bins, np.arange(BINS), outline.half).astype(np.float32)
    u = (across - middle) / half
    angle = np.arccos(np.clip(u, -1, 1))
    over = (u - np.clip(u, -1, 1)) * half
    row = (vertices - place.origin) @ place.axis
    angle = -angle if far else angle
    return RoundSkin(place, row, middle, half, angle, over, length, *build, kept)


def round_meshes(place: Place, outline: Profile, margin: float, cell: float) -> tuple[Mesh, Mesh]:
    """Meshes in slices down the axis and columns of equal angle, with the same vertices.

    Columns of angle 0 and pi lie on the outline, where near and far half meet. The first mesh
    reaches `margin` past the outline, the second ends there.
    """
    last = outline.first + outline.step * BINS
    rows = np.arange(outline.first - cell, last + cell, cell, dtype=np.float32)
    bins = (rows - outline.first) / outline.step - 0.5
    middle = np.interp(bins, np.arange(BINS), outline.middle)[:, None]
    half = np.interp(bins, np.arange(BINS), outline.half)[:, None]
    inner = middle + half * np.cos(np.linspace(np.pi, 0, COLUMNS))
    across = np.hstack([inner[:, :1] - margin, inner, inner[:, -1:] + margin])
    vertices = place.at(rows[:, None], across)
    corner = np.arange(across.size, dtype=np.int32).reshape(across.shape)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    cells = np.stack([np.stack([a, b, c], -1), np.stack([b, d, c], -1)])
    points = vertices.reshape(-1, 2).astype(np.float32)
    whole, inner = cells.reshape(-1, 3), cells[:, :, 1:-1].reshape(-1, 3)
    return Mesh(points, whole), Mesh(points, inner)


def solid(piece: Piece, place: Place, outline: Profile) -> Piece:
    """The piece with its alpha closed within the outline."""
    piece = _bordered(piece, max(2, round(0.5 * float(outline.half.max()))))
    height, width = piece.real.shape
    pixels = pixel_centres(height, width) + np.array([piece.left, piece.top], np.float32)
    row, across = place.slices(pixels)
    bins = (row - outline.first) / outline.step - 0.5
    middle = np.interp(bins, np.arange(BINS), outline.middle)
    half = np.interp(bins, np.arange(BINS), outline.half)
    within = (np.abs(across - middle) < half) & (bins > 0.5) & (bins < BINS - 1.5)
    rgba = piece.rgba.copy()
    rgba[..., 3] = np.where(within, 255, rgba[..., 3])
    return replace(piece, rgba=rgba)


def _bordered(piece: Piece, border: int) -> Piece:
    """The piece with its edge colours continued, transparent, on all sides."""
    rgba = np.pad(piece.rgba, ((border, border), (border, border), (0, 0)), mode="edge")
    inside = np.zeros(rgba.shape[:2], bool)
    inside[border:-border, border:-border] = True
    rgba[..., 3] = np.where(inside, rgba[..., 3], 0)
    real = np.pad(piece.real, border)
    return Piece(rgba, real, piece.left - border, piece.top - border)
