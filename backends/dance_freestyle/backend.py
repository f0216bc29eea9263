"""The paper's method as a backend of `dance`: equations 3 to 6 and 8, in their order."""

# ruff: noqa: N803 (the paper's and torch's notation)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dance_freestyle import appearance, faces, inputs
from dance_freestyle.bundles import Bundle, find_bundle, read_bundle
from dance_freestyle.networks import Networks, open_networks
from dance_freestyle.p2b import hard_labels
from dance_freestyle.transfers import fetched, sent
from dancecli.errors import NoPersonError
from dancecli.labels import Label
from dancecli.stages import Settings
from dancecli.types import FloatArray, Frame, LabelMap, Layer, Motion, Target, UInt8Array
from dancecli.warp import Puppet, cut

NETWORKS = ("p2b", "b2f", "fr")
"""What a bundle holds for this backend; its parser is another plugin's."""

BATCH = 16
"""Motions at a time on CUDA; a job's batches are all filled up, so that one CUDA graph does.

On a processor a batch takes as long as its frames one by one.
"""


@dataclass(frozen=True, eq=False)
class Looks:
    """What P2B and B2F need of the person.

    p_star: p^M* (1, 22, h, w). start: FC(e_z). puppet: the photo's pixels, with texture=warp.
    """

    p_star: Tensor
    start: Tensor
    puppet: Puppet | None


@dataclass(frozen=True, eq=False)
class Face:
    """c_I: its embedding VGGFace2(c_I) (1, E), and itself, aligned (1, 3, S, S), [-1, 1], by S."""

    embedding: Tensor
    photo: dict[int, Tensor]


@dataclass(frozen=True, eq=False)
class Person:
    """What is computed once per photo.

    looks: None where nothing is labelled, so that there is only a face to refine.
    face: None without FR or where the photo shows no face.
    """

    looks: Looks | None
    face: Face | None


class FreestyleBackend:
    """P2B, B2F and FR with the weights of a bundle; FR alone is enough to refine faces."""

    INTERFACE_VERSION = 1
    LICENCE = "code: MIT; weights: as their bundle says"
    COMMERCIAL: bool | None = None

    any_batch = True
    """A frame by itself is painted sooner alone than among copies of it."""

    def __init__(self, settings: Settings, networks: Networks | None = None) -> None:
        """networks: instead of those that settings.weights names, for tests.

        Raises WeightsError when a bundle or one of its files is missing or refused.
        """
        self._bundle: Bundle | None = None
        if networks is None:
            self._bundle = read_bundle(find_bundle(settings.weights), NETWORKS)
            networks = open_networks(self._bundle, settings.device)
        self.nets, self.device = networks, networks.device
        self.COMMERCIAL = self._terms()
        b2f, p2b = self.nets.b2f_preset, self.nets.p2b_preset
        self.canvas: tuple[int, int] | None = b2f.canvas if b2f else None
        self.scalable = b2f is not None and b2f.texture == "warp"
        self.uses_dense = p2b is not None and p2b.use_dp
        self.dense_size = p2b.size if p2b else None
        self.refines = self.nets.fr_preset is not None
        self.batch = BATCH if self.device.startswith("cuda") else 1

    def _terms(self) -> bool | None:
        """What the bundle says of commercial use; unclear with encoders that others published."""
        presets = (self.nets.b2f_preset, self.nets.fr_preset)
        published = any(preset and preset.encoders == "published" for preset in presets)
        return None if self._bundle is None or published else self._bundle.commercial

    def weights(self) -> dict[str, Any]:
        """Name, terms and SHA-256 by role of the weights in use; empty for networks passed in."""
        if self._bundle is None:
            return {}
        return {**self._bundle.about(NETWORKS), "commercial": self.COMMERCIAL}

    def prepare(self, target: Target) -> Person:
        """Equations 1, 4 and 5.

        A target without labels gets as far as its face. Raises WeightsError when a network that
        is needed from here on is missing or refused.
        """
        looks = self._looks(target) if target.labels.labels.any() else None
        return Person(looks, self._face(target))

    def _looks(self, target: Target) -> Looks:
        body = self.nets.body
        p2b, b2f = body.p2b.preset, body.b2f.preset
        labels = inputs.target_map(target, p2b)
        parsed = inputs.with_hands(target.labels.labels, target.skeleton, b2f)
        t = appearance.separate(target.frame.rgb, parsed, b2f.crop)  # eq. 4
        with self.nets.running():
            e_z = body.appearance(*appearance.as_tensors(t, self.nets.device))  # eq. 5
            return Looks(
                inputs.label_channels(labels[None], p2b, self.nets.device),
                body.b2f.person(e_z),
                cut(target) if b2f.texture == "warp" else None,
            )

    def render(self, person: Person, motions: Sequence[Motion]) -> list[Layer]:
        """Equations 3 and 6 for a batch of frames.

        Raises NoPersonError for a person of whom nothing is labelled.
        """
        looks = person.looks
        if looks is None:
            raise NoPersonError("the parser labelled nothing in the photo: nobody can be painted")
        if not motions:
            return []
        p2b, b2f, device = self.nets.body.p2b, self.nets.body.b2f, self.nets.device
        size = p2b.preset.size
        P_S = inputs.sticks([inputs.at_size(m, size) for m in motions], size, device)
        P_D = inputs.dense_maps((m.dense for m in motions), size, device)
        with self.nets.running():
            p_star = looks.p_star.expand(len(motions), -1, -1, -1)
            (P_M,) = fetched(hard_labels(p2b(p_star, P_S, P_D)))  # eq. 3
            P_B = self._with_faces(P_M, motions)
            start = looks.start.expand(len(motions), -1, -1, -1)
            painted = b2f(P_B, start, *self._warped(looks, motions))  # eq. 6
            z = painted.z.float().add(1).div_(2).clamp_(0, 1)
            shown = fetched(z.movedim(1, -1), painted.m.float()[:, 0].clamp(0, 1))
        return [self._layer(*each) for each in zip(motions, *shown, P_M, strict=True)]

    def refine(self, person: Person, frame: Frame, landmarks: FloatArray | None) -> Frame:
        """Equations 8 and 19; the frame itself where there is no face to refine."""
        fr = self.nets.fr_preset
        alignment = faces.align_finely(landmarks, fr.sides) if fr else None
        if alignment is None or person.face is None:
            return frame
        c0 = _tensor(faces.cut(frame.rgb, alignment), self.nets.device) * 2 - 1
        with self.nets.running():
            who = person.face.embedding
            c, mask = self.nets.refiner.fr(c0, who, person.face.photo[alignment.side])  # eq. 19
            made, weight = fetched(c[0].float().movedim(0, -1), mask[0, 0].float())
        face = np.ascontiguousarray((made + 1) * 127.5)
        rgb = faces.paste(frame.rgb, alignment, face, weight)
        return Frame(rgb, frame.index, frame.time)

    def _face(self, target: Target) -> Face | None:
        """c_I, for equation 19."""
        fr = self.nets.fr_preset
        if fr is None or faces.align(target.skeleton.face, fr.size) is None:
            return None
        cuts = {side: self._cut(target, side) for side in (fr.crop, *fr.sides)}
        with torch.inference_mode():
            embedding = self.nets.refiner.face.embed(cuts[fr.crop])
            return Face(embedding, {side: cuts[side] * 2 - 1 for side in fr.sides})

    def _cut(self, target: Target, side: int) -> Tensor:
        """The target's face, aligned, (1, 3, side, side) in [0, 1]."""
        face = faces.cut_aligned(target.frame.rgb, target.skeleton.face, side)
        assert face is not None, "whether a face can be aligned is no matter of the side"
        return _tensor(face, self.nets.device)

    def _with_faces(self, P_M: UInt8Array, motions: Sequence[Motion]) -> Tensor:
        """P^B at B2F's size, on the device."""
        preset = self.nets.body.b2f.preset
        drawn = [
            inputs.with_face(
                inputs.resized(labels, preset.size),
                inputs.at_size(motion, preset.size).face,
                preset,
            )
            for labels, motion in zip(P_M, motions, strict=True)
        ]
        return inputs.label_channels(np.stack(drawn), preset, self.nets.device)

    def _warped(self, looks: Looks, motions: Sequence[Motion]) -> list[Tensor]:
        """The texture and where it is torn; nothing where B2F takes none."""
        if looks.puppet is None:
            return []
        size = motions[0].canvas.height, motions[0].canvas.width
        warped = [looks.puppet.pose(inputs.at_size(m, size), *size) for m in motions]
        preset = self.nets.body.b2f.preset
        device = self.nets.device
        return [inputs.textures(warped, device), inputs.tears(warped, preset, device)]

    def _layer(self, motion: Motion, z: FloatArray, m: FloatArray, labels: UInt8Array) -> Layer:
        face = self._landmarks(motion, labels)
        fr = self.nets.fr_preset
        wanted = fr is None or motion.canvas.scale >= fr.enlarged
        shown = wanted and faces.five_points(face) is not None
        body = LabelMap(inputs.resized(labels, z.shape[:2]))
        return Layer(z, m, motion.canvas, body, face if shown else None)

    def _landmarks(self, motion: Motion, labels: UInt8Array) -> FloatArray:
        """Face points (70, 3), canvas pixels, where P^B has the face: FR aligns by them."""
        size = self.nets.body.b2f.preset.size
        driver = inputs.at_size(motion, size).face
        drawn = inputs.on_face(driver, inputs.resized(labels, size) == Label.FACE)
        if drawn is driver:
            return motion.skeleton.face
        scale = np.array([motion.canvas.height / size[0]] * 2 + [1.0], np.float32)
        return drawn * scale


def _tensor(rgb: UInt8Array, device: str) -> Tensor:
    return sent(torch.from_numpy(rgb), device).movedim(-1, 0).float()[None] / 255
