"""The naked skin divided into parts: parsing labels, DensePose parts, U and V, for every person.

The division is made once, on an average body, and holds for all bodies: its lines are cut into
the triangles, so that nothing is saw-toothed. U and V are laid out as the `template` dense plugin
lays them out (U along the bone from its root, V around it; limbs have a back or inside and a front
or outside half); DensePose's own charts are cut otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.parts import IntArray
from dance_synth.shape import Shape, morph
from dance_synth.surface import (
    Cut,
    Sheet,
    Split,
    base_skin,
    dense_skin,
    extend_skin,
    group_neighbours,
    group_sheet,
    split,
)
from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray, UInt8Array


@dataclass(frozen=True)
class Region:
    """A part of the skin: which bones it follows (starts of names), its label, and its chart.

    axis: two joints that U runs between. near, far: DensePose parts of the half away from the pole
    and the half towards it; equal for one part all around. pole: "front", "outside", "forward" or
    "left", as in `dance_builtin.template`.
    """

    name: str
    bones: tuple[str, ...]
    label: Label
    axis: tuple[str, str]
    near: int
    far: int
    pole: str


def _limbs(side: str, letter: str, n: tuple[int, ...]) -> tuple[Region, ...]:
    """Arm and leg of a side; n: near and far parts of both arms, hand, both legs, foot."""
    arm, hand, leg = (Label[f"{side.upper()}_{part}"] for part in ("ARM", "HAND", "LEG"))
    bones = {
        "upper_arm": ("upperarm",), "lower_arm": ("lowerarm",),
        "hand": ("wrist", "finger", "metacarpal"), "upper_leg": ("upperleg",),
        "lower_leg": ("lowerleg",), "foot": ("foot", "toe"),
    }  # fmt: skip
    rows: tuple[tuple[str, Label, str, str, int, int, str], ...] = (
        ("upper_arm", arm, "Shoulder", "Elbow", n[0], n[1], "outside"),
        ("lower_arm", arm, "Elbow", "Wrist", n[2], n[3], "outside"),
        ("hand", hand, "Wrist", "Fingers", n[4], n[4], "forward"),
        ("upper_leg", leg, "Hip", "Knee", n[5], n[6], "front"),
        ("lower_leg", leg, "Knee", "Ankle", n[7], n[8], "front"),
        ("foot", leg, "Heel", "Toes", n[9], n[9], "forward"),
    )
    return tuple(
        Region(
            f"{side}_{name}", tuple(f"{b}.{letter}" for b in bones[name]), label,
            (letter + start, letter + end), near, far, pole,
        )
        for name, label, start, end, near, far, pole in rows
    )  # fmt: skip


REGIONS = (
    Region("torso", ("root", "spine", "clavicle", "shoulder", "pelvis"), Label.TORSO_SKIN,
           ("Neck", "Crotch"), 1, 2, "forward"),
    Region("neck", ("neck",), Label.TORSO_SKIN, ("Neck", "Crown"), 23, 24, "left"),
    Region("head", ("head", "jaw", "eye"), Label.FACE, ("Neck", "Crown"), 23, 24, "left"),
    *_limbs("left", "L", (15, 17, 19, 21, 4, 8, 10, 12, 14, 5)),
    *_limbs("right", "R", (16, 18, 20, 22, 3, 7, 9, 11, 13, 6)),
)  # fmt: skip

REGION = {region.name: number for number, region in enumerate(REGIONS)}

TORSO, NECK, HEAD = (REGION[name] for name in ("torso", "neck", "head"))


@dataclass(frozen=True, eq=False)
class Skin:
    """The divided skin of all people.

    triangles, corners: into points (base vertices extended by `cuts` in turn) and `uvs`. parent:
    (T,) triangle of the undivided skin (`group_sheet(..., "body")`). region: (T,) into `REGIONS`.
    scalp: (T,) where hair grows. labels, part, part_uv as `Human` has them, labels as if bald.
    bones, weights: of the extended points.
    """

    triangles: IntArray
    corners: IntArray
    uvs: FloatArray
    cuts: tuple[Cut, ...]
    parent: NDArray[np.intp]
    region: UInt8Array
    scalp: BoolArray
    labels: UInt8Array
    part: UInt8Array
    part_uv: FloatArray
    bones: UInt8Array
    weights: FloatArray

    def extend(self, values: NDArray[np.float32]) -> FloatArray:
        """Values (V, ...) of base vertices, then those of the points on the dividing lines."""
        for cut in self.cuts:
            values = cut.extend(values)
        return values

    def sheet(self, base: FloatArray) -> Sheet:
        """The skin of a morphed base (V, 3)."""
        return Sheet(
            self.extend(base), self.bones, self.weights, self.triangles, self.corners, self.uvs,
            self.labels,
        )  # fmt: skip


def divided_skin(assets: Assets) -> Skin:
    """The skin in its parts; made once per pack."""
    found: Skin = assets.once("divided_skin", lambda: _divide(assets))
    return found


def average_body(assets: Assets) -> FloatArray:
    """The base mesh (19158, 3) of `Shape()`."""
    found: FloatArray = assets.once("average_body", lambda: morph(assets, Shape()))
    return found


def region_scores(assets: Assets) -> FloatArray:
    """How much each base vertex belongs to each region, float32 (19158, 15): its bones' weights."""
    weights = dense_skin(*base_skin(assets))
    columns = [
        [b for b, bone in enumerate(assets.bone_names) if _owns(region, bone)] for region in REGIONS
    ]
    return np.stack([weights[:, bones].sum(1) for bones in columns], 1)


def _owns(region: Region, bone: str) -> bool:
    name, _, side = bone.partition(".")
    starts = (start.partition(".") for start in region.bones)
    return any(name.startswith(start) and letter in ("", side) for start, _, letter in starts)


def joints(assets: Assets, base: FloatArray) -> dict[str, FloatArray]:
    """Places (3,), metres, of the joints that axes refer to, on an unposed base (V, 3).

    Names as keypoints.json's, Neck, Crotch, Crown and, with L and R before them, Fingers, Toes,
    Heel.
    """
    points = assets.keypoints
    out = {name: base[rows].mean(0) for name, rows in points["body25"].items()}
    out["Neck"] = (out["LShoulder"] + out["RShoulder"]) / 2
    hips = (out["LHip"] + out["RHip"]) / 2
    out["Crotch"] = out["Neck"] + 1.1 * (hips - out["Neck"])
    ears = (out["LEar"] + out["REar"] + out["Nose"]) / 3
    top = float(base[assets.vertex_labels["scalp"]][:, 1].max())
    out["Crown"] = out["Neck"] + (ears - out["Neck"]) * (top - out["Neck"][1]) / (
        ears[1] - out["Neck"][1]
    )
    for letter, hand in (("L", "hand_left"), ("R", "hand_right")):
        tips = [base[points[hand][tip]].mean(0) for tip in (8, 12, 16, 20)]
        out[f"{letter}Fingers"] = np.mean(tips, axis=0)
        toe = (out[f"{letter}BigToe"] + out[f"{letter}SmallToe"]) / 2
        out[f"{letter}Toes"] = toe
        out[f"{letter}Heel"] = out[f"{letter}Ankle"] + 0.15 * (out[f"{letter}Ankle"] - toe)
    return {name: np.asarray(place, np.float32) for name, place in out.items()}


@dataclass(frozen=True, eq=False)
class Chart:
    """U and V of one region: coordinates about its axis, in the template's mirrored space."""

    start: FloatArray
    along: FloatArray
    length: float
    pole: FloatArray
    third: FloatArray

    def coordinates(self, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Place along the axis in [0, 1], metres towards the pole and beside it: (...) each.

        points: (..., 3), metres, at rest.
        """
        offset = points * MIRRORED - self.start
        place = np.clip(offset @ self.along / self.length, 0, 1)
        return place, offset @ self.pole, offset @ self.third


MIRRORED = np.array([1, -1, 1], np.float32)
"""From the world (y up) to the template's camera space: x right, y down, z towards the camera."""


def chart(region: Region, places: dict[str, FloatArray]) -> Chart:
    """The chart of a region on a body in rest; the formulas are those of the template.

    places: of `joints`.
    """
    start, end = (places[name] * MIRRORED for name in region.axis)
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length
    left, forward = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    sign = 1 if region.axis[0][0] == "L" else -1
    pole = {
        "front": np.cross(left, along) + 0.15 * forward,
        "outside": sign * (np.cross(along, forward) + 0.15 * left),
        "forward": forward, "left": left,
    }[region.pole]  # fmt: skip
    pole = pole - along * float(pole @ along)
    pole = pole / np.linalg.norm(pole)
    third = np.cross(along, pole).astype(np.float32)
    return Chart(start, along, length, pole.astype(np.float32), third)


def head_charts(assets: Assets, sheet: Sheet) -> tuple[UInt8Array, FloatArray]:
    """DensePose part (T,) and U, V (T, 3, 2) of a sheet on the average body's head."""
    places = joints(assets, average_body(assets))
    charts = [chart(region, places) for region in REGIONS]
    region = np.full(len(sheet.triangles), HEAD)
    return _charted(sheet.points[sheet.triangles], region, charts)


class _Division:
    """The mesh while it is cut: every cut extends the points, the uvs and the scores."""

    def __init__(self, assets: Assets) -> None:
        body = group_sheet(assets, average_body(assets), "body")
        self.triangles, self.corners, self.uvs = body.triangles, body.corners, body.uvs
        self.parent = np.arange(len(self.triangles))
        self.points = body.points
        near = group_neighbours(assets, "body")
        self.scores = near.smoothed(region_scores(assets), 2)
        scalp = assets.vertex_labels["scalp"].astype(np.float32)
        self.scalp = near.smoothed(scalp, 2) - np.float32(0.5)
        self.cuts: list[Cut] = []

    def cut(self, field: FloatArray, only: BoolArray) -> None:
        """Cuts some triangles along field (P,) = 0."""
        counts = (len(self.points), len(self.uvs))
        made: Split = split(self.triangles, self.corners, field, counts, only)
        self.triangles, self.corners = made.triangles, made.corners
        self.parent = self.parent[made.parent]
        self.points, self.scores = made.points.extend(self.points), made.points.extend(self.scores)
        self.scalp, self.uvs = made.points.extend(self.scalp), made.uvs.extend(self.uvs)
        self.cuts.append(made.points)

    def region(self) -> NDArray[np.intp]:
        """The region of each triangle."""
        return np.asarray(self.scores[self.triangles].mean(1).argmax(1))


def _divide(assets: Assets) -> Skin:
    work = _Division(assets)
    for one, other in combinations(range(len(REGIONS)), 2):
        best = work.scores.argmax(1)[work.triangles]
        only = (best == one).any(1) & (best == other).any(1)
        if only.any():
            work.cut(work.scores[:, one] - work.scores[:, other], only)
    places = joints(assets, average_body(assets))
    charts = [chart(region, places) for region in REGIONS]
    _cut_halves(work, charts)
    work.cut(work.scalp, work.region() == HEAD)
    region = work.region()
    part, part_uv = _charted(work.points[work.triangles], region, charts)
    bones, weights = base_skin(assets)
    for cut in work.cuts:
        bones, weights = extend_skin(bones, weights, cut)
    labels = np.array([r.label for r in REGIONS], np.uint8)[region]
    scalp = (region == HEAD) & (work.scalp[work.triangles].mean(1) > 0)
    return Skin(
        work.triangles, work.corners, work.uvs, tuple(work.cuts), work.parent,
        region.astype(np.uint8), scalp, labels, part, part_uv, bones, weights,
    )  # fmt: skip


def _cut_halves(work: _Division, charts: list[Chart]) -> None:
    """Divides limbs and trunk into halves, and opens hands and feet where V jumps."""
    for group in (("torso",), *_of_limbs("upper_arm", "lower_arm"), *_of_limbs("upper_leg",
                  "lower_leg")):  # fmt: skip
        numbers = [REGION[name] for name in group]
        share = work.scores[:, numbers] / np.maximum(
            work.scores[:, numbers].sum(1, keepdims=True), 1e-6
        )
        towards = np.stack([charts[n].coordinates(work.points)[1] for n in numbers], 1)
        work.cut((share * towards).sum(1), np.isin(work.region(), numbers))
    for name in ("left_hand", "right_hand", "left_foot", "right_foot"):
        beside = charts[REGION[name]].coordinates(work.points)[2]
        work.cut(beside, work.region() == REGION[name])


def _of_limbs(*parts: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(f"{side}_{part}" for part in parts) for side in ("left", "right"))


def _charted(
    points: FloatArray, region: NDArray[np.intp], charts: list[Chart]
) -> tuple[UInt8Array, FloatArray]:
    """DensePose part (T,) and U, V (T, 3, 2) of triangles with corners at points (T, 3, 3)."""
    part = np.zeros(len(points), np.uint8)
    part_uv = np.zeros((len(points), 3, 2), np.float32)
    for number, (about, made) in enumerate(zip(REGIONS, charts, strict=True)):
        rows = np.flatnonzero(region == number)
        place, towards, beside = made.coordinates(points[rows])
        part_uv[rows, :, 0] = place
        if about.near == about.far:
            # On the line where V jumps, a triangle takes the side it lies on.
            side = np.sign(beside.mean(1, keepdims=True))
            beside = np.where(beside * side > 1e-7, beside, side * np.float32(1e-7))
            part[rows] = about.near
            turn = np.arctan2(beside, towards) / np.float32(2 * np.pi)
            part_uv[rows, :, 1] = turn + np.float32(0.5)
        else:
            far = towards.mean(1) >= 0
            part[rows] = np.where(far, about.far, about.near)
            sign = np.where(far, 1, -1)[:, None]
            turn = np.arctan2(beside, np.maximum(towards * sign, 0)) / np.float32(np.pi)
            part_uv[rows, :, 1] = turn + np.float32(0.5)
    return part, np.clip(part_uv, 0, 1)
