"""Materials of clothes: the pack's own pictures in other colours, or fabrics of our own."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dance_synth.assets import Assets
from dance_synth.labelling import average_body
from dance_synth.looks.fabric import Fabric, weave
from dance_synth.looks.images import GREY, packed, picture, relief
from dance_synth.looks.prints import draw_print, lay_print
from dance_synth.parts import Material
from dancecli.types import BoolArray, FloatArray, UInt8Array

SIZE = 512

AO_FLOOR = 0.55
"""The baked occlusion is black under belts, which are not there when a piece is worn alone."""

PIECES = {"upper": ("upper",), "lower": ("pants", "skirt"), "coat": ("coat",), "hat": ("hat",),
          "shoes": ("lshoe", "rshoe")}  # fmt: skip
"""Surface -> names of the pieces that garments.json lists."""

CUT_CHEST: FloatArray = np.array([[1, 0, 0], [0, 1, 0.40]], np.float32)
"""uv of x metres left and y metres up from the middle of the chest, on clothes cut here."""


@dataclass(frozen=True, eq=False)
class Panels:
    """A garment's own pictures, where its pieces lie on them.

    seen: bool (SIZE, SIZE), texels of the pieces. own: uint8 (SIZE, SIZE, 4) or None. shade:
    float32 (SIZE, SIZE), fine light and dark of the picture times floored occlusion. chest:
    float32 (2, 3) as `lay_print` takes it, None where the chest is not one flat panel.
    """

    seen: BoolArray
    own: UInt8Array | None
    shade: FloatArray
    chest: FloatArray | None


def cut_cloth(fabric: Fabric, kind: str = "cloth") -> Material:
    """Cloth of clothes that are cut here: uv in metres."""
    cloth = weave(fabric)
    if fabric.print:
        _add_print(cloth, fabric, CUT_CHEST)
    return Material(packed(cloth), kind)


def garment_cloth(
    assets: Assets, name: str, surface: str, fabric: Fabric, kind: str = "cloth"
) -> Material:
    """Cloth of a modelled garment's piece; surface: of `PIECES`."""
    found = panels(assets, name, surface)
    if fabric.pattern == "own" and found.own is not None:
        return Material(packed(_recoloured(found, fabric)), kind)
    cloth = weave(fabric if fabric.pattern != "own" else _as_plain(fabric))
    if fabric.print and found.chest is not None:
        _add_print(cloth, fabric, found.chest)
    return Material(packed(cloth * found.shade[..., None]), kind)


def _as_plain(fabric: Fabric) -> Fabric:
    return Fabric("plain", fabric.colours, fabric.scale, fabric.print, fabric.seed)


def _add_print(cloth: FloatArray, fabric: Fabric, chest: FloatArray) -> None:
    rng = np.random.default_rng([fabric.seed, 1])
    colours = [np.array(c, np.float32) / 255 for c in fabric.colours[1:]]
    wide = float(rng.uniform(0.14, 0.26))
    moved = chest.copy()
    if rng.random() < 0.2:  # a small one over the heart
        wide, moved = 0.075, chest + np.outer(chest[:, :2] @ (0.075, 0.035), (0, 0, 1))
    lay_print(cloth, draw_print(fabric.print, rng, colours), moved, wide)


def panels(assets: Assets, name: str, surface: str) -> Panels:
    """A garment's pictures and panels; made once."""
    key = f"panels/{name}/{surface}"
    found: Panels = assets.once(key, lambda: _panels(assets, name, surface))
    return found


def _panels(assets: Assets, name: str, surface: str) -> Panels:
    mesh, about = assets.fitted("clothes", name), assets.garments[name]
    wanted = [
        number for slot, numbers in about["slots"].items() for number in numbers
        if set(slot.split("+")) & set(PIECES[surface])
    ]  # fmt: skip
    which = np.isin(mesh.component, wanted)
    seen = _drawn(mesh.uvs[mesh.corners[which]])
    filled = _nearest_inside(seen)
    shade, own = np.ones((SIZE, SIZE), np.float32), None
    if about["diffuse"]:
        own = _spread(picture(assets, about["diffuse"].removeprefix("textures/"), SIZE), filled)
        shade = relief(own, 12)
    if about["ao"]:
        baked = picture(assets, about["ao"].removeprefix("textures/"), SIZE)[..., 0]
        shade = shade * (AO_FLOOR + (1 - AO_FLOOR) / 255 * _spread(baked, filled))
    chest = _chest(assets, name, which) if surface == "upper" else None
    return Panels(seen, own, shade.astype(np.float32), chest)


def _drawn(uv: FloatArray) -> BoolArray:
    """Texels inside faces with corners (F, 4, 2)."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    places = np.round((uv * (1, -1) + (0, 1)) * SIZE * 16 - 8).astype(np.int32)
    for corners in places:
        cv2.fillConvexPoly(canvas, corners, 1, cv2.LINE_8, 4)
    return canvas.astype(bool)


def _nearest_inside(seen: BoolArray) -> NDArray[np.int64]:
    """For every texel the flat index of the nearest that is seen."""
    _, labels = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    where = np.zeros(int(labels.max()) + 1, np.int64)
    texels = np.flatnonzero(seen)
    where[labels.reshape(-1)[texels]] = texels
    found: NDArray[np.int64] = where[labels]
    return found


def _spread(values: UInt8Array, filled: NDArray[np.int64]) -> UInt8Array:
    """A picture whose gaps between panels take the nearest panel's colour."""
    found: UInt8Array = values.reshape(-1, *values.shape[2:])[filled]
    return found


def _chest(assets: Assets, name: str, which: BoolArray) -> FloatArray | None:
    """Where the middle of the chest is on the garment's uv, and its directions."""
    mesh, base = assets.fitted("clothes", name), average_body(assets)
    points = mesh.place(base)[mesh.faces[which]].mean(1)
    uv = mesh.uvs[mesh.corners[which]].mean(1)
    front = points[:, 2] > np.median(points[:, 2])
    points, uv = points[front], uv[front]
    patch = (np.abs(points[:, 0]) < 0.11) & (np.abs(points[:, 1] - 0.40) < 0.11)
    if patch.sum() < 12:
        return None
    flat = np.column_stack([points[patch, 0], points[patch, 1] - 0.40, np.ones(patch.sum())])
    solution = np.linalg.lstsq(flat, uv[patch], rcond=None)[0]
    error = np.abs(flat @ solution - uv[patch]).max()
    return solution.T.astype(np.float32) if error < 0.03 else None


def _recoloured(found: Panels, fabric: Fabric) -> FloatArray:
    """The garment's own picture, its main colour turned into the fabric's first."""
    assert found.own is not None
    rgb = found.own[..., :3].astype(np.float32) / 255
    target = tuple(value / 255 for value in fabric.colours[0])
    inside = rgb[found.seen]
    light = float(np.clip(np.median(inside @ GREY), 0.03, 0.97))
    wanted = float(np.clip(np.dot(target, GREY), 0.03, 0.97))
    gamma = float(np.clip(np.log(wanted) / np.log(light), 0.45, 1.9))
    hsv = cv2.cvtColor(rgb ** np.float32(gamma), cv2.COLOR_RGB2HSV)
    hue, saturation = _main_hue(hsv[found.seen])
    new_hue, new_saturation, _ = colorsys.rgb_to_hsv(*target)
    if saturation > 0.05:
        hsv[..., 0] = (hsv[..., 0] + 360 * new_hue - hue) % 360
        hsv[..., 1] *= np.clip(new_saturation / saturation, 0, 1.6)
        whole = np.clip(hsv, 0, (360, 1, 1)).astype(np.float32)
        turned = cv2.cvtColor(whole, cv2.COLOR_HSV2RGB)
        # Hues differ in brightness.
        return np.asarray(
            turned * (wanted / max(float(np.median(turned[found.seen] @ GREY)), 0.03))
        )
    tint = np.array(target, np.float32) / max(wanted, 0.03)
    dark = np.clip(1.6 - 1.6 * hsv[..., 2:], 0, 1)  # shirts and buttons stay white
    return np.asarray(rgb ** np.float32(gamma) * (1 + (np.clip(tint, 0.5, 1.7) - 1) * dark))


def _main_hue(hsv: FloatArray) -> tuple[float, float]:
    """Mean hue in degrees, by saturation and brightness, and median saturation."""
    turn = np.exp(1j * np.radians(hsv[:, 0])) * hsv[:, 1] * hsv[:, 2]
    return float(np.degrees(np.angle(turn.sum()))) % 360, float(np.median(hsv[:, 1]))


def printable(assets: Assets, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the tops, modelled ones, that have one flat panel on the chest."""
    modelled = [name for name in names if name in assets.garments]
    return tuple(n for n in modelled if panels(assets, n, "upper").chest is not None)
