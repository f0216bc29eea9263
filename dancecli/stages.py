"""The interfaces of `dance`, version 1: what a plugin must offer to take a stage's place.

A plugin is a class (or any callable) named by an entry point in one of `GROUPS`. It is called
with one `Settings` and returns an object that keeps the Protocol of its group. Three class
attributes are read before it is called:

- `INTERFACE_VERSION`: the version of this file that it was written for.
- `LICENCE`: one line on its code and weights, copied into every output's sidecar.
- `COMMERCIAL`: True, False, or None where the terms leave it open. An object may say it for itself
  where that depends on the weights it was given.

A fourth one is for plugins with a setting of their own, which is said after the name, NAME@OPTION:

- `OPTION`: what it is, as help shows it: "FOLDER" where it must be given, "[MODEL]" where it may.
  Absent: the plugin takes none, and one that is given is refused before it is built.

A fifth one, for extractors that do not look:

- `RECORDED`: True where what is known of a frame's file (`Frame.source`) is read from elsewhere,
  and made pictures show nobody. Absent: False.

A sixth one, for plugins that read no weights:

- `takes_weights`: False where --weights changes nothing, so that what is kept of its results
  outlives other weights. Absent: it may.

All methods are pure functions of their arguments and the settings: frames may be redone in any
order, thread or process and must come out the same. Methods raise `DanceError` subclasses only.
`dance plugins check NAME` runs the conformance suite of `dancecli.testing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from dancecli.data.people import Options, Person, Skipped
from dancecli.types import (
    Box,
    DenseMap,
    FloatArray,
    Frame,
    LabelMap,
    Layer,
    Motion,
    PersonMask,
    Skeleton,
    Target,
    UInt8Array,
)

INTERFACE_VERSION = 1


@dataclass(frozen=True)
class Settings:
    """What every plugin is built with.

    device: "auto", "cpu", "cuda" or "mps"; those who use torch call `dancecli.device.resolve`.
    weights: --weights, a name or path, None for the plugin's own default.
    seed: seeds anything random.
    option: what was said after the plugin's name, as in `--pose openpose-json@FOLDER`; None where
        nothing was.
    licence: --licence, "any" or "commercial"; plugins need not look, `dancecli.registry` refuses
        those whose terms do not allow it.
    """

    device: str = "auto"
    weights: str | None = None
    seed: int = 0
    option: str | None = None
    licence: str = "any"


class Plugin(Protocol):
    """What every plugin class declares."""

    INTERFACE_VERSION: ClassVar[int]
    LICENCE: ClassVar[str]
    COMMERCIAL: ClassVar[bool | None]


@runtime_checkable
class PoseExtractor(Protocol):
    """`dance.pose`: OP of equation 2."""

    def extract(self, frame: Frame, boxes: Sequence[Box] | None = None) -> list[Skeleton]:
        """People in a frame, in frame pixels, largest first; empty when nobody is found.

        With `boxes`, looks inside each and returns what is found there, at most one person per
        box, in the boxes' order. Stateless: never uses an earlier frame.
        """
        ...


@runtime_checkable
class DensePoser(Protocol):
    """`dance.dense`: DP of equation 2."""

    from_skeleton: bool
    """True: drawn from the skeleton alone, so it is asked for after retargeting and the frame's
    pixels are not read. False: reads the frame, and `dancecli.motion` warps its result."""

    def dense(self, frame: Frame, box: Box | None, skeleton: Skeleton) -> DenseMap:
        """Surface coordinates of one person, the size of the frame, in frame pixels."""
        ...


@runtime_checkable
class PersonMasker(Protocol):
    """`dance.mask`: the silhouette of one person."""

    def mask(self, frame: Frame, skeleton: Skeleton) -> PersonMask:
        """Alpha of the person with this skeleton, the size of the frame; others count as not."""
        ...


@runtime_checkable
class HumanParser(Protocol):
    """`dance.parser`: HP of equation 1.

    Three more are read where they are there. A class method `key(settings) -> str` tells weights
    apart, so that labels that were kept are not taken for those of other weights. `weights()` and
    `takes_weights`: as a backend has them.
    """

    def parse(
        self, frame: Frame, skeleton: Skeleton | None = None, mask: PersonMask | None = None
    ) -> LabelMap:
        """The 22 labels of one person, the size of the frame.

        Raises NoPersonError when a needed skeleton or mask is missing or empty.
        """
        ...


@runtime_checkable
class Inpainter(Protocol):
    """`dance.inpaint`: b of equation 7 where somebody stood."""

    def inpaint(self, frame: Frame, hole: UInt8Array) -> Frame:
        """The frame with `hole` (uint8 (H, W), 0 or 255) filled; other pixels unchanged."""
        ...


@runtime_checkable
class FaceAligner(Protocol):
    """`dance.face_align`: five points for the 256 x 256 crops of equation 19."""

    def landmarks(self, frame: Frame, hint: FloatArray | None = None) -> FloatArray | None:
        """Float32 (70, 3) points of the face nearest `hint` (a skeleton's points), or None."""
        ...


@runtime_checkable
class FaceEmbedder(Protocol):
    """`dance.face_embed`: VGGFace2 of equations 5 and 19.

    No command chooses one: `freestyle` embeds with the network that its weights were trained with.
    Such plugins are there to be checked, and for a backend that loads one by name.
    """

    size: int
    """Length of the embedding."""

    def embed(self, face: UInt8Array) -> FloatArray:
        """Float32 (size,) of an aligned face, uint8 (256, 256, 3) RGB."""
        ...


@runtime_checkable
class Backend(Protocol):
    """`dance.backend`: a whole generator. The paper's is P2B, B2F and FR.

    More is read where it is there. `batch`: the motions that `render` likes at a time (absent: 1);
    it is always given as many, the last ones of a clip repeated to fill, unless --batch-size says
    another number. `any_batch`: True where it takes fewer just as well, as it is then given where
    frames come one by one. `scalable`: True where it
    paints any canvas of its shape that is smaller than `canvas`, as it is then given where they
    have the output's own pixels, or more. `dense_size`: (height, width), of the canvas's shape,
    that `Motion.dense` is wanted in (absent or None: the canvas's own). `takes_weights`: False
    where --weights changes nothing, which is then said (absent: it may). `weights()`: what the
    sidecar says of its weights, a mapping with "name", "licence", "commercial" and "sha256".
    """

    canvas: tuple[int, int] | None
    """(height, width) it generates on; None: any size, and it is given the output's own pixels."""

    uses_dense: bool
    """False: `Motion.dense` is never read, so it need not be computed."""

    refines: bool
    """False: `refine` returns its frame as it is, always."""

    def prepare(self, target: Target) -> Any:
        """The person, once per photo: equations 1, 4 and 5. What it returns is its own affair."""
        ...

    def render(self, person: Any, motions: Sequence[Motion]) -> list[Layer]:
        """One layer per motion, in order: equations 3 and 6."""
        ...

    def refine(self, person: Any, frame: Frame, landmarks: FloatArray | None) -> Frame:
        """The composed frame with its face restored: equations 8 and 19; identity by default.

        landmarks: float32 (70, 3) in frame pixels, or None where no face shows.
        """
        ...


@runtime_checkable
class DatasetReader(Protocol):
    """`dance.dataset`: the annotated people of a data set in its own layout.

    LICENCE and COMMERCIAL speak of the data.
    """

    layout: str
    """The tree that it expects, for help and errors; empty where it needs no files."""

    def units(self, root: Path | None, options: Options) -> list[str]:
        """Names of independent pieces of work (a picture, a video), in a fixed order; cheap.

        Raises UsageError with `layout` when root is not such a data set or an option is unknown.
        """
        ...

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        """The people of a unit, and what was passed over and why; never raises for bad files."""
        ...


GROUPS: dict[str, type] = {
    "dance.pose": PoseExtractor,
    "dance.mask": PersonMasker,
    "dance.dense": DensePoser,
    "dance.parser": HumanParser,
    "dance.inpaint": Inpainter,
    "dance.face_align": FaceAligner,
    "dance.face_embed": FaceEmbedder,
    "dance.backend": Backend,
    "dance.dataset": DatasetReader,
}
"""Entry-point group -> Protocol. The option of a group is its last word: `dance.pose` is --pose."""

KINDS = tuple(group.removeprefix("dance.").replace("_", "-") for group in GROUPS)
"""The groups' last words, as options have them."""

DEFAULTS = {
    "dance.pose": "mediapipe",
    "dance.mask": "mediapipe",
    "dance.dense": "template",
    "dance.parser": "builtin",
    "dance.inpaint": "opencv",
    "dance.face_align": "mediapipe",
    "dance.backend": "freestyle",
}
"""What is used when nothing is asked for."""

FALLBACKS = {"dance.parser": "heuristic", "dance.backend": "posewarp"}
"""Plugins that need no weights: used where those of the default ones are damaged."""
