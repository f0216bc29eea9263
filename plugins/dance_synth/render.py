"""One picture of posed people in a place, and everything that is true of it.

    Cast (meshes, once) + Posed (per frame) + Camera + Backdrop ─► z-buffer ─► light ─► Rendered

The rule for labels and masks: of a pixel's `GRID` x `GRID` samples at least half must show the
person; its label is the one that most of those show, the nearest on a tie. IUV is taken at the
pixel's centre from the undressed body alone, wherever the mask holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dance_synth.backdrop import Backdrop
from dance_synth.compiled import compiled
from dance_synth.effects import Effects, developed, exposed
from dance_synth.ground import contact, lit_ground
from dance_synth.meshes import PROP, Mesh, joined, mesh_from, mesh_of
from dance_synth.parts import Camera, Human, IntArray, Material, Posed, Rendered
from dance_synth.points import skeleton_of
from dance_synth.props import Prop
from dance_synth.raster import Samples, draw, projected
from dance_synth.shading import Shader, Shades
from dancecli.types import BoolArray, FloatArray, UInt8Array

GRID = 2
"""Samples per pixel and axis."""

LOW = 0.15
"""Metres above the ground below which things darken it by their nearness."""


@dataclass(frozen=True, eq=False)
class Cast:
    """All that stands in a scene, prepared once: props first, then the subject, then others.

    mesh: of everything. props: their vertices (world), P of them, and prop_triangles of them.
    naked: the subject's skin alone.
    """

    humans: tuple[Human, ...]
    mesh: Mesh
    props: FloatArray
    prop_triangles: int
    naked: Mesh


def cast(humans: Sequence[Human], props: Sequence[Prop] = ()) -> Cast:
    """Makes people ready to be rendered together; the first is the subject.

    Raises ValueError without people.
    """
    if not humans:
        raise ValueError("a scene needs at least one person")
    people = [_owned(_mesh(human), 1 + k) for k, human in enumerate(humans)]
    things = [prop.mesh for prop in props]
    points = [prop.vertices for prop in props]
    return Cast(
        tuple(humans),
        joined([*things, *people]),
        np.concatenate(points) if points else np.zeros((0, 3), np.float32),
        sum(len(each.triangles) for each in things),
        _skin(humans[0]),
    )


@lru_cache(maxsize=4)
def _mesh(human: Human) -> Mesh:
    """Kept, since people are seen in several scenes and their textures take long to halve."""
    return mesh_of(human, 1)


def _owned(mesh: Mesh, owner: int) -> Mesh:
    return replace(mesh, owner=np.full(len(mesh.triangles), owner, np.uint8))


@lru_cache(maxsize=2)
def _behind(backdrop: Backdrop, camera: Camera) -> tuple[FloatArray, FloatArray]:
    """Kept, since a camera on a tripod sees the same again."""
    return backdrop.picture(camera)


@lru_cache(maxsize=4)
def _skin(human: Human) -> Mesh:
    blank = Material(np.zeros((1, 1, 4), np.uint8), "skin")
    none = np.zeros(len(human.naked), np.int32)
    return mesh_from(
        human.naked, human.weld, human.uv, none, (blank,), human.naked_part, 1
    )  # fmt: skip


def render(
    scene: Cast, poses: Sequence[Posed], camera: Camera, backdrop: Backdrop,
    effects: Effects | None = None, rng: np.random.Generator | None = None,
) -> Rendered:  # fmt: skip
    """The picture and its truth; poses in the order of the cast's people.

    rng: for the camera's noise, none without it.
    """
    effects = effects or Effects()
    vertices = np.concatenate([scene.props, *(pose.vertices for pose in poses)])
    local = projected(camera, vertices, GRID)
    things = _samples(scene, local, camera, 0, scene.prop_triangles, None)
    everything = _samples(scene, local, camera, scene.prop_triangles, None, things)
    plate, picture = _lit(scene, vertices, local, camera, backdrop, things, everything)
    owner = _owners(everything, scene.mesh)
    labels, mask, people = _labels(everything.triangle, everything.depth, owner, scene.mesh.label)
    iuv = _iuv(scene, poses[0], camera)
    iuv[~mask] = 0
    return Rendered(
        developed(exposed(picture, effects), effects, rng),
        developed(exposed(plate, effects), effects, None),
        labels, iuv, mask, people,
        skeleton_of(poses[0], camera, everything.depth, owner, GRID, scene.humans[0].height),
    )  # fmt: skip


def body_mask(scene: Cast, pose: Posed, camera: Camera) -> BoolArray:
    """Where the subject's undressed body would be seen with nothing else about, bool (H, W)."""
    samples = Samples.empty(camera.height, camera.width)
    draw(samples, projected(camera, pose.vertices, 1), scene.naked, 1)
    return samples.triangle >= 0


def _samples(
    scene: Cast, local: FloatArray, camera: Camera, first: int, stop: int | None,
    over: Samples | None,
) -> Samples:  # fmt: skip
    """What is seen of triangles first to stop before what is there already."""
    out = over.copy() if over else Samples.empty(camera.height * GRID, camera.width * GRID)
    draw(out, local, scene.mesh, GRID, first, stop)
    return out


def _lit(
    scene: Cast, vertices: FloatArray, local: FloatArray, camera: Camera, backdrop: Backdrop,
    things: Samples, everything: Samples,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Light without and with people, (H, W, 3) each."""
    bare, points = _behind(backdrop, camera)
    count, props = scene.prop_triangles, len(scene.props)
    shades = Shades(backdrop.light, vertices, scene.mesh)
    shades.cast(0, count)
    plate = bare
    if count:
        plate = lit_ground(shades, bare, points, _contact(scene.props, points))
    shades.cast(count, len(scene.mesh.triangles))
    shader = Shader(camera, vertices, local, scene.mesh, shades)
    picture = lit_ground(shades, bare, points, _contact(vertices, points))
    picture = shader.over(picture, everything, GRID)
    return (shader.over(plate, things, GRID) if props else plate), picture


def _contact(vertices: FloatArray, points: FloatArray) -> FloatArray | None:
    low = vertices[vertices[:, 1] < LOW]
    return contact(low, points) if len(low) else None


def _owners(samples: Samples, parts: Mesh) -> UInt8Array:
    """Whose each sample is: 0 nobody's, 1 the subject's, others above."""
    return np.where(samples.triangle >= 0, parts.owner[samples.triangle], PROP).astype(np.uint8)


def _labels(
    triangle: IntArray, depth: FloatArray, owner: UInt8Array, label: UInt8Array
) -> tuple[UInt8Array, BoolArray, BoolArray]:
    """Labels, mask and all people by the module's rule, (H, W) each."""
    height, width = triangle.shape[0] // GRID, triangle.shape[1] // GRID
    labels = np.zeros((height, width), np.uint8)
    mine, anyone = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    _vote(triangle, depth, owner, label, labels, mine, anyone)
    half = GRID * GRID / 2
    mask = mine >= half
    labels[~mask] = 0
    return labels, mask, anyone >= half


@compiled
def _vote(triangle, depth, owner, label, labels, mine, anyone):  # type: ignore[no-untyped-def]
    grid = triangle.shape[0] // labels.shape[0]
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            best, nearest = 0, np.float32(np.inf)
            for k in range(grid * grid):
                y, x = i * grid + k // grid, j * grid + k % grid
                anyone[i, j] += owner[y, x] > 0
                if owner[y, x] != 1:
                    continue
                mine[i, j] += 1
                name, votes, near = label[triangle[y, x]], 0, depth[y, x]
                for m in range(grid * grid):
                    q, p = i * grid + m // grid, j * grid + m % grid
                    votes += owner[q, p] == 1 and label[triangle[q, p]] == name
                if votes > best or (votes == best and near < nearest):
                    best, nearest, labels[i, j] = votes, near, name


def _iuv(scene: Cast, pose: Posed, camera: Camera) -> FloatArray:
    """Part, U and V (H, W, 3) of the undressed subject, with nothing else about."""
    samples = Samples.empty(camera.height, camera.width)
    draw(samples, projected(camera, pose.vertices, 1), scene.naked, 1)
    seen = samples.triangle >= 0
    triangle, human = samples.triangle[seen], scene.humans[0]
    w = samples.weights[seen]
    weights = np.concatenate([1 - w.sum(1, keepdims=True), w], 1)
    out = np.zeros((camera.height, camera.width, 3), np.float32)
    out[seen, 0] = human.naked_part[triangle]
    uv = (weights[..., None] * human.naked_uv[triangle]).sum(1)
    out[seen, 1:] = np.clip(uv, 0, 1)
    return out
