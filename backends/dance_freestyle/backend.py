"""The paper's method as a backend of `dance`: equations 3 to 6 and 8, in their order."""

# ruff: noqa: N803 (the paper's and torch's notation)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dance_freestyle import appearance, faces, inputs
from dance_freestyle.networks import Networks, open_networks
from dance_freestyle.p2b import hard_labels
from dancecli.stages import Settings
from dancecli.types import FloatArray, Frame, LabelMap, Layer, Motion, Target, UInt8Array
from dancecli.warp import Puppet, cut


@dataclass(frozen=True, eq=False)
class Person:
    """What is computed once per photo.

    p_star: p^M* (1, 22, h, w). start: FC(e_z). puppet: the photo's pixels, with texture=warp.
    face: VGGFace2(c_I) (1, E), None without FR or where the photo shows no face.
    """

    p_star: Tensor
    start: Tensor
    puppet: Puppet | None
    face: Tensor | None


class FreestyleBackend:
    """P2B, B2F and FR with the weights of a bundle."""

    INTERFACE_VERSION = 1
    LICENCE = "code: MIT; weights: as their bundle says"
    COMMERCIAL: bool | None = None

    def __init__(self, settings: Settings, networks: Networks | None = None) -> None:
        """networks: instead of those that settings.weights names, for training and tests.

        Raises WeightsError when a bundle or a published encoder is missing or refused.
        """
        self.nets = networks or open_networks(settings.weights, settings.device)
        self.canvas: tuple[int, int] | None = self.nets.b2f.preset.canvas
        self.uses_dense = self.nets.p2b.preset.use_dp
        self.refines = self.nets.fr is not None

    def prepare(self, target: Target) -> Person:
        """Equations 1, 4 and 5."""
        p2b, b2f = self.nets.p2b.preset, self.nets.b2f.preset
        labels = inputs.target_map(target, p2b.size)
        t = appearance.separate(target.frame.rgb, target.labels.labels, b2f.crop)  # eq. 4
        with self.nets.running():
            e_z = self.nets.appearance(*appearance.as_tensors(t, self.nets.device))  # eq. 5
            return Person(
                inputs.label_channels(labels[None], p2b).to(self.nets.device),
                self.nets.b2f.person(e_z),
                cut(target) if b2f.texture == "warp" else None,
                self._embedded(target),
            )

    def render(self, person: Person, motions: Sequence[Motion]) -> list[Layer]:
        """Equations 3 and 6 for a batch of frames."""
        p2b, b2f, device = self.nets.p2b, self.nets.b2f, self.nets.device
        small = [inputs.at_size(motion, p2b.preset.size) for motion in motions]
        P_S = torch.stack([inputs.stick_tensor(s, p2b.preset.size) for s in small]).to(device)
        P_D = torch.stack([inputs.dense_tensor(m.dense, p2b.preset.size) for m in motions])
        with self.nets.running():
            p_star = person.p_star.expand(len(motions), -1, -1, -1)
            P_M = hard_labels(p2b(p_star, P_S, P_D.to(device))).cpu().numpy()  # eq. 3
            P_B = self._with_faces(P_M, motions).to(device)
            start = person.start.expand(len(motions), -1, -1, -1)
            painted = b2f(P_B, start, self._texture(person, motions))  # eq. 6
        z, m = (painted.z.float() + 1) / 2, painted.m.float()[:, 0]
        return [
            self._layer(*each)
            for each in zip(
                motions, z.movedim(1, -1).cpu().numpy(), m.cpu().numpy(), P_M, strict=True
            )
        ]

    def refine(self, person: Person, frame: Frame, landmarks: FloatArray | None) -> Frame:
        """Equations 8 and 19; the frame itself where there is no face to refine."""
        fr = self.nets.fr
        alignment = faces.align(landmarks, fr.preset.size) if fr else None
        if fr is None or alignment is None or person.face is None:
            return frame
        c0 = _tensor(faces.cut(frame.rgb, alignment), self.nets.device) * 2 - 1
        with self.nets.running():
            c, mask = fr(c0, person.face)  # eq. 19
        face = np.ascontiguousarray((c[0].float().movedim(0, -1).cpu().numpy() + 1) * 127.5)
        rgb = faces.paste(frame.rgb, alignment, face, mask[0, 0].float().cpu().numpy())
        return Frame(rgb, frame.index, frame.time)

    def _embedded(self, target: Target) -> Tensor | None:
        """VGGFace2(c_I)."""
        fr = self.nets.fr
        alignment = faces.align(target.skeleton.face, fr.preset.crop) if fr else None
        if alignment is None or self.nets.face is None:
            return None
        embedding: Tensor = self.nets.face.embed(
            _tensor(faces.cut(target.frame.rgb, alignment), self.nets.device)
        )
        return embedding

    def _with_faces(self, P_M: UInt8Array, motions: Sequence[Motion]) -> Tensor:
        """P^B at B2F's size."""
        preset = self.nets.b2f.preset
        drawn = [
            inputs.with_face(
                inputs.resized(labels, preset.size), inputs.at_size(motion, preset.size).face
            )
            for labels, motion in zip(P_M, motions, strict=True)
        ]
        return inputs.label_channels(np.stack(drawn), preset)

    def _texture(self, person: Person, motions: Sequence[Motion]) -> Tensor | None:
        if person.puppet is None:
            return None
        size = self.nets.b2f.preset.canvas
        warped = [person.puppet.pose(inputs.at_size(m, size), *size) for m in motions]
        return torch.stack([inputs.texture_tensor(w) for w in warped]).to(self.nets.device)

    def _layer(self, motion: Motion, z: FloatArray, m: FloatArray, labels: UInt8Array) -> Layer:
        face = motion.skeleton.face
        shown = faces.five_points(face) is not None
        body = LabelMap(inputs.resized(labels, z.shape[:2]))
        return Layer(
            np.clip(z, 0, 1), np.clip(m, 0, 1), motion.canvas, body, face if shown else None
        )


def _tensor(rgb: UInt8Array, device: str) -> Tensor:
    return torch.from_numpy(rgb).to(device).movedim(-1, 0).float()[None] / 255
