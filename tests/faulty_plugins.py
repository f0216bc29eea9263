"""Plugins that work, each but for one thing that the conformance suite must find."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dancecli.labels import Label
from dancecli.scaffold.kinds.backend import MyBackend
from dancecli.scaffold.kinds.dataset import MyReader
from dancecli.scaffold.kinds.dense import MyDense
from dancecli.scaffold.kinds.face_align import MyAligner, mean_face
from dancecli.scaffold.kinds.face_embed import MyEmbedder
from dancecli.scaffold.kinds.inpaint import MyInpainter
from dancecli.scaffold.kinds.mask import MyMasker
from dancecli.scaffold.kinds.parser import MyParser
from dancecli.scaffold.kinds.pose import MyPose
from dancecli.types import Box, DenseMap, Frame, LabelMap, PersonMask, Skeleton


class MirroredPose(MyPose):
    """Calls left what is on the left of the picture."""

    def extract(self, frame, boxes=None):
        people = super().extract(frame, boxes)
        for person in people:
            middle = person.joint("neck")[0]
            person.body[:, 0] = 2 * middle - person.body[:, 0]
        return people


class SmallestFirstPose(MyPose):
    def extract(self, frame, boxes=None):
        return super().extract(frame, boxes)[::-1]


class BoxlessPose(MyPose):
    """Looks at the whole frame whatever it is given."""

    def extract(self, frame, boxes=None):
        return super().extract(frame)


class EverywherePose(MyPose):
    """Sees somebody in everything."""

    def extract(self, frame, boxes=None):
        return super().extract(frame, boxes) or [Skeleton(np.ones((25, 3), np.float32))]


class EverybodyMask(MyMasker):
    """Masks all that is not like the corner of the picture."""

    def mask(self, frame, skeleton):
        other = np.abs(frame.rgb.astype(int) - frame.rgb[0, 0]).max(-1) > 20
        return PersonMask(other.astype(np.float32))


class LoudMask(MyMasker):
    def mask(self, frame, skeleton):
        return PersonMask(2 * super().mask(frame, skeleton).alpha)


class SwappedDense(MyDense):
    """Has left and right exchanged."""

    def dense(self, frame, box, skeleton):
        iuv = super().dense(frame, box, skeleton).iuv
        part = iuv[..., 0]
        iuv[..., 0] = np.where(part > 2, part + np.where(part % 2 == 1, 1, -1), part)
        return DenseMap(iuv)


class ReadingDense(MyDense):
    """Says that it reads the skeleton alone, and looks at the picture."""

    def dense(self, frame, box, skeleton):
        iuv = super().dense(frame, box, skeleton).iuv
        iuv[frame.rgb.sum(-1) == 0] = 0
        return DenseMap(iuv)


class DoubleDense(MyDense):
    def dense(self, frame, box, skeleton):
        return DenseMap(super().dense(frame, box, skeleton).iuv.astype(np.float64))


class MasklessParser(MyParser):
    """Labels the whole picture."""

    def parse(self, frame, skeleton=None, mask=None):
        return super().parse(frame, skeleton, PersonMask(np.ones(frame.rgb.shape[:2], np.float32)))


class GuessingParser(MyParser):
    """Labels somebody even where nobody is."""

    def parse(self, frame, skeleton=None, mask=None):
        return LabelMap(np.full(frame.rgb.shape[:2], Label.PANTS, np.uint8))


class SmearingInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        return super().inpaint(replace(frame, rgb=frame.rgb // 2), hole)


class WritingInpainter(MyInpainter):
    """Works in the frame that it was given."""

    def inpaint(self, frame, hole):
        frame.rgb[hole > 0] = super().inpaint(frame, hole).rgb[hole > 0]
        return frame


class RandomInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        rgb = super().inpaint(frame, hole).rgb
        rgb[hole > 0] += np.random.default_rng().integers(0, 3, (hole > 0).sum(), np.uint8)[:, None]
        return replace(frame, rgb=rgb)


class NumberedInpainter(MyInpainter):
    """Every object does it otherwise."""

    numbers = itertools.count()

    def __init__(self, settings):
        self.number = next(self.numbers)

    def inpaint(self, frame, hole):
        rgb = super().inpaint(frame, hole).rgb
        rgb[hole > 0] += np.uint8(self.number % 7)
        return replace(frame, rgb=rgb)


class RememberingInpainter(MyInpainter):
    """Fills with what the last frame was filled with."""

    last = 128

    def inpaint(self, frame, hole):
        filled = super().inpaint(frame, hole)
        filled.rgb[hole > 0] = self.last
        self.last = min(180, int(frame.rgb.shape[0]))
        return filled


class HoardingInpainter(MyInpainter):
    def __init__(self, settings):
        self.kept: list[Frame] = []

    def inpaint(self, frame, hole):
        self.kept.append(super().inpaint(frame, hole))
        return self.kept[-1]


class OneAtATimeInpainter(MyInpainter):
    """Has one place for what it works on."""

    def inpaint(self, frame, hole):
        self.frame = frame
        time.sleep(0.02)
        return super().inpaint(self.frame, hole)


class FragileInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        if min(hole.shape) < 16:
            raise ValueError("too small")
        return super().inpaint(frame, hole)


class TimelessInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        return Frame(super().inpaint(frame, hole).rgb, frame.index + 1)


class HopefulAligner(MyAligner):
    """Where no face is, the middle will do."""

    def landmarks(self, frame, hint=None):
        found = super().landmarks(frame, hint)
        return mean_face(Box(0, 0, 50, 50)) if found is None else found


class HintlessAligner(MyAligner):
    """The largest face whatever the hint."""

    def landmarks(self, frame, hint=None):
        return super().landmarks(frame)


class BlindEmbedder(MyEmbedder):
    def embed(self, face):
        return np.full(self.size, 0.5, np.float32)


class ForgetfulBackend(MyBackend):
    """Paints whoever was prepared last."""

    def prepare(self, target):
        self.shade = float(target.frame.rgb.mean()) / 255

    def render(self, person, motions):
        return [replace(each, z=each.z * self.shade) for each in super().render(None, motions)]


class BlendingBackend(MyBackend):
    """Blends every layer with the first of its batch."""

    def render(self, person, motions):
        layers = super().render(person, motions)
        return [replace(each, m=(each.m + layers[0].m) / 2) for each in layers]


class RefiningBackend(MyBackend):
    """Says that it refines nothing, and does."""

    def refine(self, person, frame, landmarks):
        return frame if landmarks is None else replace(frame, rgb=frame.rgb // 2)


class LaxReader(MyReader):
    """Takes any setting."""

    def units(self, root, options):
        return super().units(root, replace(options, set={}))


class NamesakeReader(MyReader):
    """Gives everybody the same key."""

    def read(self, root, unit, options) -> Iterator:
        for each in super().read(root, unit, options):
            yield replace(each, key="somebody")


class ShyReader(MyReader):
    """Does not say what it expects."""

    layout = "photos"

    def units(self, root, options):
        return [] if root is None else super().units(root, options)
