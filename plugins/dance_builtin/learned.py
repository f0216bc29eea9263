"""Human parsing by the small network that comes with the package (`dance_freestyle.parser`).

The network saw synthetic people only. It knows which limb is where and what hides what; which
pixels are skin, hair and one and the same garment the photo's own colours tell better. So the
labels of `heuristic`, which reads colours, count as evidence beside the network's.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar

import cv2
import numpy as np

from dance_builtin.heuristic import HeuristicParser
from dancecli.data.cropping import Window, crop_alpha, crop_picture, window_about
from dancecli.data.rules import Rules, required_person
from dancecli.errors import NoPersonError, WeightsError
from dancecli.labels import BODY_LABELS, OTHER_LABEL
from dancecli.media.files import sha256_of
from dancecli.mirror import mirrored_skeleton
from dancecli.stages import Settings
from dancecli.types import BoolArray, FloatArray, Frame, LabelMap, PersonMask, Skeleton, UInt8Array

EVIDENCE = 2.5
"""Nats that a pixel's label by colours is worth: what the network is sure of outweighs it."""


class LearnedParser:
    """HumanParser from picture, mask and skeleton."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "code: MIT; weights: as their bundle says"
    COMMERCIAL: bool | None = True

    takes_weights: bool
    """Whether --weights names a bundle with a parser; the shipped one's parses where not."""

    def __init__(self, settings: Settings, network: Any = None) -> None:
        """network: instead of the bundle's, for tests.

        Raises WeightsError when no bundle with a parser is here.
        """
        from dance_freestyle.bundles import bundle_with, find_bundle

        self.device, self.takes_weights = settings.device, False
        self._given, self._colours = network, HeuristicParser(settings)
        self._bundle = None if network else bundle_with("parser", settings.weights)
        if self._bundle is not None:
            self.COMMERCIAL = self._bundle.commercial
            with suppress(WeightsError):  # another backend's, or told by the one that wants them
                self.takes_weights = self._bundle.folder == find_bundle(settings.weights)

    @classmethod
    def key(cls, settings: Settings) -> str:
        """Which weights: what labels depend on beside this code.

        Raises WeightsError as the constructor does.
        """
        from dance_freestyle.bundles import bundle_with

        return sha256_of(bundle_with("parser", settings.weights).files["parser"])

    def weights(self) -> dict[str, Any]:
        """Name, terms and SHA-256 of the weights in use; empty for a network passed in."""
        return self._bundle.about(["parser"]) if self._bundle is not None else {}

    @cached_property
    def _network(self) -> Any:
        import torch

        from dancecli.device import resolve

        self.device = resolve(self.device)
        network = self._given or self._bundle.load("parser")
        return network.to(self.device, memory_format=torch.channels_last).eval()

    def parse(
        self, frame: Frame, skeleton: Skeleton | None = None, mask: PersonMask | None = None
    ) -> LabelMap:
        """The 22 labels, uint8 (H, W): 0 where alpha < 0.5, above 0 everywhere else.

        Raises NoPersonError when the mask is missing or empty.
        """
        inside, box = required_person(mask)
        window = window_about(box, self._network.preset.size, Rules.margin)
        shares = self._shares(frame, skeleton, inside, window)
        with suppress(NoPersonError):  # without a skeleton, or with too little of one
            coloured = self._colours.parse(frame, skeleton, mask).labels
            for label in np.unique(coloured[inside]):
                shares[label] += EVIDENCE * crop_alpha(coloured == label, window)
        return LabelMap(placed(shares, inside, window))

    def _shares(
        self, frame: Frame, skeleton: Skeleton | None, inside: BoolArray, window: Window
    ) -> FloatArray:
        """Logits of the crop, float32 (22, h, w): the mean of a look and one in the mirror, where
        the network errs otherwise."""
        import torch
        from dance_freestyle.inputs import parser_hints

        crop, alpha = crop_picture(frame.rgb, window), crop_alpha(inside, window)
        known = None if skeleton is None else window.skeleton(skeleton)
        other = None if known is None else mirrored_skeleton(known, alpha.shape[1])
        hints = parser_hints(alpha, known), parser_hints(alpha[:, ::-1], other)
        with torch.inference_mode():
            rgb, told = (
                torch.from_numpy(np.stack(each)).to(self.device).movedim(-1, 1)
                for each in ((crop, crop[:, ::-1]), hints)
            )
            logits = self._network(rgb.float() / 255, told.float() / 255)
        plain, mirror = logits.float().cpu().numpy()
        found: FloatArray = (plain + mirror[OTHER_LABEL[:BODY_LABELS]][..., ::-1]) / 2
        return found


def placed(shares: FloatArray, inside: BoolArray, window: Window) -> UInt8Array:
    """The strongest label of every pixel inside, in the picture; never background there.

    uint8 (H, W). shares: (22, h, w), scores in the window. inside: bool (H, W).
    """
    labels = np.zeros(inside.shape, np.uint8)
    left, top, right, bottom = window.box.pixels(inside.shape[1], inside.shape[0])
    best = np.full((window.height, window.width), -np.inf, np.float32)
    which = np.zeros((window.height, window.width), np.uint8)
    size = (window.width, window.height)
    for label in range(1, len(shares)):
        plane = cv2.resize(shares[label], size, interpolation=cv2.INTER_LINEAR)
        better = plane > best
        best[better], which[better] = plane[better], label
    rows = slice(top - window.top, bottom - window.top)
    columns = slice(left - window.left, right - window.left)
    labels[top:bottom, left:right] = which[rows, columns]
    return np.where(inside, labels, 0).astype(np.uint8)
