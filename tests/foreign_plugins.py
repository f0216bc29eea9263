"""Plugins of somebody else, each wrong in one way that a run must not take for a result."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from dancecli.data.people import Person, Skipped, View
from dancecli.errors import UsageError
from dancecli.figures import standing_skeleton
from dancecli.scaffold.kinds.backend import MyBackend
from dancecli.scaffold.kinds.dataset import MyReader
from dancecli.scaffold.kinds.dense import MyDense
from dancecli.scaffold.kinds.face_embed import MyEmbedder
from dancecli.scaffold.kinds.inpaint import MyInpainter
from dancecli.scaffold.kinds.mask import MyMasker
from dancecli.scaffold.kinds.parser import MyParser
from dancecli.scaffold.kinds.pose import MyPose
from dancecli.types import DenseMap, Frame, LabelMap, PersonMask, Skeleton


class RawReader(MyReader):
    """Gives a picture where a person is due, after one that is as it should be."""

    def units(self, root, options):
        return ["a"]

    def read(self, root, unit, options):
        yield Skipped(unit, "too small")
        yield np.zeros((4, 4, 3), np.uint8)


class HighReader(MyReader):
    def units(self, root, options):
        return ["a"]

    def read(self, root, unit, options):
        yield Person(unit, (View(np.zeros((4, 4, 3), np.uint8), 0, np.full((4, 4), 30, np.uint8)),))


class ShortEmbedder(MyEmbedder):
    def embed(self, face):
        return super().embed(face)[:-1]


class FloatInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        return Frame(frame.rgb / np.float32(255))


class HalfInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        return replace(frame, rgb=frame.rgb[::2, ::2])


class RaisingInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        raise RuntimeError("CUDA error:\ndevice-side assert")


class QuittingInpainter(MyInpainter):
    def inpaint(self, frame, hole):
        sys.exit("no licence server")


class HalfMasker(MyMasker):
    def mask(self, frame, skeleton):
        return PersonMask(np.zeros((frame.height // 2, frame.width // 2), np.float32))


class BytesMasker(MyMasker):
    """Counts from 0 to 255."""

    def mask(self, frame, skeleton):
        return PersonMask(super().mask(frame, skeleton).alpha * np.float32(255))


class LogitsMasker(MyMasker):
    def mask(self, frame, skeleton):
        return PersonMask(np.full((frame.height, frame.width), -3, np.float32))


class UnknownMasker(MyMasker):
    def mask(self, frame, skeleton):
        return PersonMask(np.full((frame.height, frame.width), np.nan, np.float32))


class HalfDense(MyDense):
    def dense(self, frame, box, skeleton):
        return DenseMap(np.zeros((frame.height // 2, frame.width // 2, 3), np.float32))


class BytesDense(MyDense):
    """U and V from 0 to 255."""

    def dense(self, frame, box, skeleton):
        return DenseMap(np.full((frame.height, frame.width, 3), 24, np.float32))


class LongParser(MyParser):
    def parse(self, frame, skeleton=None, mask=None):
        return LabelMap(np.zeros(frame.rgb.shape[:2], np.int64))


class HighParser(MyParser):
    def parse(self, frame, skeleton=None, mask=None):
        return LabelMap(np.full(frame.rgb.shape[:2], 99, np.uint8))


class TwicePose(MyPose):
    """Looks everywhere, whatever the boxes."""

    def extract(self, frame, boxes=None):
        return [standing_skeleton(frame.width, frame.height)] * 2


class ShortPose(MyPose):
    def extract(self, frame, boxes=None):
        return [Skeleton(np.zeros((18, 3), np.float32))]


class NanBackend(MyBackend):
    def render(self, person, motions):
        return [replace(each, z=each.z * np.nan) for each in super().render(person, motions)]


class BytesBackend(MyBackend):
    def render(self, person, motions):
        layers = super().render(person, motions)
        return [replace(each, z=each.z * np.float32(255)) for each in layers]


class SignedBackend(MyBackend):
    """Colours from -1 to 1, as its network paints them."""

    def render(self, person, motions):
        return [replace(each, z=each.z * 2 - 1) for each in super().render(person, motions)]


class RoundingBackend(MyBackend):
    """Sums that come out a little above 1."""

    def render(self, person, motions):
        layers = super().render(person, motions)
        return [replace(each, m=each.m * np.float32(1.0001)) for each in layers]


class InfiniteBackend(MyBackend):
    def render(self, person, motions):
        return [replace(each, m=each.m + np.inf) for each in super().render(person, motions)]


class FewBackend(MyBackend):
    def render(self, person, motions):
        return super().render(person, motions)[:1]


class CroppingBackend(MyBackend):
    def render(self, person, motions):
        layers = super().render(person, motions)
        return [replace(each, z=each.z[:-3], m=each.m[:-3]) for each in layers]


class ElsewhereBackend(MyBackend):
    """Says of a layer that it is of another canvas, twice as large in the output."""

    def render(self, person, motions):
        layers = super().render(person, motions)
        return [
            replace(each, canvas=replace(each.canvas, scale=2 * each.canvas.scale))
            for each in layers
        ]


class MislabelledBackend(MyBackend):
    def render(self, person, motions):
        labels = LabelMap(np.zeros((9, 7), np.uint8))
        return [replace(each, labels=labels) for each in super().render(person, motions)]


class ListingBackend(MyBackend):
    def weights(self):
        return ["one.bin"]


class PerhapsBackend(MyBackend):
    def weights(self):
        return {"name": "one", "commercial": "perhaps"}


class NoneBackend(MyBackend):
    batch = 0


class FlatBackend(MyBackend):
    canvas = (0, 320)


class WordBackend(MyBackend):
    batch = "two"


class NumberBackend(MyBackend):
    dense_size = 320


class BareBackend(MyBackend):
    def refine(self, person, frame, landmarks):
        return frame.rgb


class UnsureBackend(MyBackend):
    uses_dense = "perhaps"


class PairsBackend(MyBackend):
    """Paints two frames at a time, as a graph that was made for two does."""

    batch = 2

    def render(self, person, motions):
        if len(motions) != 2:
            raise ValueError(f"two motions were promised, {len(motions)} came")
        return super().render(person, motions)


class FlexibleBackend(MyBackend):
    """Likes two frames at a time and takes one where one comes."""

    batch = 2
    any_batch = True


class OddBackend(MyBackend):
    """Has what is not in the interface, and says it."""

    takes_weights = False
    colour = "red"

    def weights(self):
        return None


class WeightedPose(MyPose):
    """May take weights."""


class PlainPose(MyPose):
    takes_weights = False


class KeyedParser(MyParser):
    @classmethod
    def key(cls, settings):
        return f"weights {settings.weights}"


class Unlicensed(MyBackend):
    LICENCE = " "


class Verbose(MyBackend):
    LICENCE = "code: MIT\nweights: mine"


class Unclear(MyBackend):
    COMMERCIAL = "unclear"


class One(MyBackend):
    COMMERCIAL = 1


class Turncoat(MyBackend):
    def __init__(self, settings):
        self.COMMERCIAL = "perhaps"


class Asking(MyBackend):
    def __init__(self, settings):
        raise UsageError("it needs --weights DIR")


class Bursting(MyBackend):
    @property
    def device(self):
        raise OSError("no driver")
