"""The settings of each network: sizes, switches, loss weights and schedule, checked as a whole.

A network's preset travels inside its checkpoint, so that a file rebuilds its network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dance_freestyle.field_checks import check_adam, check_shapes, check_shares, check_weights
from dancecli.labels import ALL_LABELS, BODY_LABELS

HANDS = 2
"""Labels 20 and 21, which `hand_labels=off` takes away."""

FACE_PARTS = ALL_LABELS - BODY_LABELS
"""Labels 22-26, which `face_labels=off` takes away."""


@dataclass(frozen=True)
class Schedule:
    """Appendix C: Adam, a constant rate, samples per step over all processes, epochs
    (each of as many samples as the data have frames).

    fade: share of the steps, the last, in which the rate falls to nothing (not in the paper).
    """

    rate: float
    batch: int
    epochs: int
    beta1: float = 0.5
    beta2: float = 0.999
    fade: float = 0.0

    def __post_init__(self) -> None:
        check_shares(self, "fade")
        check_adam(self.rate, beta1=self.beta1, beta2=self.beta2)


@dataclass(frozen=True)
class P2BLoss:
    """Weights of equation 9 and the form of equation 12 (docs/paper.md, departures)."""

    adversarial: float = 1.0
    feature_matching: float = 40.0
    cross_entropy: float = 1.0
    ce_mode: Literal["logits", "bce", "literal"] = "logits"

    def __post_init__(self) -> None:
        check_weights(self)


@dataclass(frozen=True)
class P2BPreset:
    """P2B and its discriminators.

    size: (height, width). skips: add encoder features in the decoder (not in the paper).
    parsed: share of p^M* in training that mask and parser made, as in rendering, where the samples
        have such.
    aug_squeeze: squeeze and stretch the label maps but not the poses. d_cond: what the
    discriminators see beside the map.
    """

    size: tuple[int, int] = (512, 320)
    ngf: int = 64
    downs: int = 4
    blocks: int = 9
    skips: bool = False
    use_dp: bool = True
    hand_labels: bool = True
    aug_squeeze: bool = True
    parsed: float = 0.0
    ndf: int = 64
    d_cond: Literal["all", "pose", "none"] = "all"
    loss: P2BLoss = field(default_factory=P2BLoss)
    schedule: Schedule = field(default_factory=lambda: Schedule(2e-4, 128, 280))

    def __post_init__(self) -> None:
        check_shares(self, "parsed")
        if self.downs > 8 or self.blocks > 64:
            raise ValueError(f"{self.downs} halvings and {self.blocks} blocks: at most 8 and 64")
        step = 2**self.downs
        if self.size[0] % step or self.size[1] % step:
            raise ValueError(
                f"size {self.size[0]}x{self.size[1]} does not divide by {step}, "
                f"which {self.downs} halvings need"
            )

    @property
    def labels(self) -> int:
        """Channels of p^M* and P^M."""
        return BODY_LABELS if self.hand_labels else BODY_LABELS - HANDS

    @property
    def pose_channels(self) -> int:
        """Channels of P^S and P^D."""
        return 6 if self.use_dp else 3

    @property
    def inputs(self) -> int:
        """Channels of all that P2B sees."""
        return self.labels + self.pose_channels

    @property
    def d_inputs(self) -> int:
        """Channels that the discriminators see: the map and its condition."""
        condition = {"all": self.inputs, "pose": self.pose_channels, "none": 0}
        return self.labels + condition[self.d_cond]


@dataclass(frozen=True)
class B2FLoss:
    """Weights of equations 13-18 as B2F uses them.

    l1, composite, colour, flow, gradient, silhouette: masked L1 of z, of z over the ground and of
    the painted colour, smoothness of the flow, L1 of the gradients of z over the ground,
    cross-entropy of the mask; not in the paper, for a network with texture=warp. region: appendix
    H's losses for hands and clothes.
    """

    hinge: float = 1.0
    feature_matching: float = 10.0
    perceptual: float = 10.0
    mask: float = 5.0
    face: float = 2.0
    l1: float = 0.0
    composite: float = 0.0
    colour: float = 0.0
    flow: float = 0.0
    gradient: float = 0.0
    silhouette: float = 0.0
    region: float = 0.0

    def __post_init__(self) -> None:
        check_weights(self)


@dataclass(frozen=True)
class B2FPreset:
    """B2F, the encoders of the person's appearance, and its discriminators.

    size: (height, width) that the network works at. canvas: that of z and m, of the same shape.
    channels: outputs of the SPADE blocks; the first is also the width of the 4x4 start.
    spade_hidden: channels between the labels and gamma, beta.
    mask: learned, or the label map itself (Figure 5c).
    texture: none (the paper: appearance comes from e_z alone) or warp (the photo's pixels bent to
        the pose are an input; `unet` are then the network's widths, from half size downwards).
    max_flow: the largest flow, canvas pixels. head_flow: whether it may move the head's too.
    keep_seen: pixels that the photo shows are copied whatever the gate says: sharper, and colour is
        painted only where the warp is torn or hidden (or missing: see spread).
    keep_least: share of the warp's colour that is kept wherever it has one, in rendering alone:
        what it made up of the photo is sharper than what is painted.
    reach, gap: how far from the warped photo the mask may add to it, and the radius of what it may
        fill where the warp tore parts that meet, canvas heights, in rendering alone, where it then
        takes nothing of the warp away; both 0: the mask as it was learned.
    hard: with reach or gap, contrast about one half of what is added: what the network is unsure
        of is then there or not, and no halo.
    spread: with reach or gap, what is added has the colour of the warp beside it, not the one that
        is painted.
    encoders: published (VGGFace2 and VGG-19, frozen) or small (trained with the network).
    crop, face_embedding, part_embedding: side of t1-t5 and lengths of what the encoders make of
        t1 and of each of t2-t5. part_dropout: share of parts left out in training.
    aug_colour: share of training pairs whose colours are all changed by one map (not in the paper).
    mapped: share of the body maps that a P2B makes in training, where one is given for it: those
        are what rendering gives.
    parsed: share of the photos in training whose labels mask and parser gave, as in `P2BPreset`.
    """

    size: tuple[int, int] = (512, 320)
    canvas: tuple[int, int] = (512, 320)
    channels: tuple[int, ...] = (1024, 1024, 1024, 512, 256, 128, 64, 32)
    spade_hidden: int = 128
    hand_labels: bool = True
    face_labels: bool = True
    mask: Literal["learned", "label"] = "learned"
    texture: Literal["none", "warp"] = "none"
    unet: tuple[int, ...] = (56, 88, 128, 128)
    style: int = 32
    max_flow: float = 12.0
    head_flow: bool = False
    keep_seen: bool = False
    keep_least: float = 0.0
    hard: float = 1.0
    reach: float = 0.0
    gap: float = 0.0
    spread: bool = False
    encoders: Literal["published", "small"] = "published"
    crop: int = 224
    face_embedding: int = 2048
    part_embedding: int = 512
    part_dropout: float = 0.05
    aug_colour: float = 0.0
    mapped: float = 0.0
    parsed: float = 0.0
    ndf: int = 64
    loss: B2FLoss = field(default_factory=B2FLoss)
    schedule: Schedule = field(default_factory=lambda: Schedule(2e-4, 32, 60))

    def __post_init__(self) -> None:
        check_shares(self, "parsed", "mapped", "part_dropout", "aug_colour")
        check_shares(self, "keep_least", "reach", "gap")
        if self.texture == "warp":
            self._check_unet()
        else:
            self._check_spade()
        check_shapes(self.size, self.canvas)

    def _check_spade(self) -> None:
        step = 2 ** (len(self.channels) - 2)
        if len(self.channels) < 2 or self.size[0] % step or self.size[1] % step:
            raise ValueError(
                f"size {self.size[0]}x{self.size[1]} does not divide by {step}, "
                f"which {len(self.channels)} SPADE blocks need"
            )

    def _check_unet(self) -> None:
        """Every level may be odd, but the first works at half the size."""
        if not self.unet or self.size[0] % 2 or self.size[1] % 2:
            raise ValueError(
                f"size {self.size[0]}x{self.size[1]} is not even, or unet has no levels"
            )

    @property
    def labels(self) -> int:
        """Channels of P^B."""
        hidden = (0 if self.hand_labels else HANDS) + (0 if self.face_labels else FACE_PARTS)
        return ALL_LABELS - hidden

    @property
    def first_face_channel(self) -> int:
        """Where the face labels' channels begin in P^B; they are its last."""
        return BODY_LABELS if self.hand_labels else BODY_LABELS - HANDS

    @property
    def embedding(self) -> int:
        """Length of e_z."""
        return self.face_embedding + 4 * self.part_embedding

    @property
    def d_inputs(self) -> int:
        """Channels that the discriminators see: the labels and a picture."""
        return self.labels + 3


@dataclass(frozen=True)
class ParserPreset:
    """The parser.

    size: (height, width) it works at. widths: channels per level, the first at half the size.
    smoothing: of the labels it is trained on, since borders of clothes are a matter of taste.
    """

    size: tuple[int, int] = (256, 160)
    widths: tuple[int, ...] = (32, 56, 96, 144, 160)
    smoothing: float = 0.02
    schedule: Schedule = field(default_factory=lambda: Schedule(1e-3, 12, 40, 0.9, 0.99))

    def __post_init__(self) -> None:
        check_shares(self, "smoothing")
        step = 2 ** len(self.widths)
        if not self.widths or self.size[0] % step or self.size[1] % step:
            raise ValueError(
                f"size {self.size[0]}x{self.size[1]} does not divide by {step}, "
                f"which {len(self.widths)} levels need"
            )


@dataclass(frozen=True)
class EmbedderPreset:
    """The embedder.

    crop: side of the aligned faces. widths: channels per halving. size: of the embedding.
    temperature: of the contrast between identities.
    """

    crop: int = 64
    widths: tuple[int, ...] = (24, 48, 96, 128)
    size: int = 128
    temperature: float = 0.1
    schedule: Schedule = field(default_factory=lambda: Schedule(1e-3, 64, 40, 0.9, 0.99))

    def __post_init__(self) -> None:
        if self.crop % 2 ** len(self.widths) or not 0 < self.temperature <= 1:
            raise ValueError(
                f"crop {self.crop} is not halved {len(self.widths)} times, or temperature "
                f"{self.temperature} is not in 0..1"
            )
