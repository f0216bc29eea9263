"""The presets by name, how they are changed, and the paper's ablations, as data.

`paper` is the paper's method to the parameter, `compact` the same three roles for a CPU. Every row
of Table 2 and of Figures 5 and 12 is a set of overrides in `ABLATIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dance_freestyle import overrides
from dance_freestyle.fr_fields import FRLoss, FRPreset
from dance_freestyle.preset_fields import (
    FACE_PARTS,
    HANDS,
    B2FLoss,
    B2FPreset,
    EmbedderPreset,
    P2BLoss,
    P2BPreset,
    ParserPreset,
    Schedule,
)
from dancecli.errors import UsageError

__all__ = [
    "ABLATIONS", "COMPACT", "FACE_PARTS", "HANDS", "PAPER", "PRESETS", "SHORTHANDS", "B2FLoss",
    "B2FPreset", "FRLoss", "FRPreset", "P2BLoss", "P2BPreset", "Preset", "Schedule",
    "preset",
]  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """The three networks, and the two that may stand in for published ones."""

    name: str = "paper"
    p2b: P2BPreset = field(default_factory=P2BPreset)
    b2f: B2FPreset = field(default_factory=B2FPreset)
    fr: FRPreset = field(default_factory=FRPreset)
    parser: ParserPreset = field(default_factory=ParserPreset)
    embedder: EmbedderPreset = field(default_factory=EmbedderPreset)

    def with_overrides(self, changes: Mapping[str, Any]) -> Preset:
        """A copy with some values changed: `{"p2b.use_dp": "off", "b2f.loss.face": 0}`.

        Values are checked against the field's type; texts are read as on a command line: on/off,
        numbers, 512x320 or 64,32 for lists. `SHORTHANDS` are understood too.
        Raises UsageError naming the nearest field for an unknown one, and the valid values; for
        `dp.model` it names the option that chooses the dense poser.
        """
        if any(key.split(".")[0] == "dp" for key in changes):
            raise UsageError(NO_DENSE)
        spelt = {
            name: value for key, value in changes.items() for name in SHORTHANDS.get(key, (key,))
        }
        return overrides.replaced(self, spelt, SHORTHANDS)


NO_DENSE = (
    "no setting is called dp.model: dense maps are the data's and the driving video's; choose who "
    "makes them with --dense NAME (densepose, or densepose-legacy for Figure 12c) of dance "
    "prepare-data, reenact and evaluate"
)

SHORTHANDS = {
    "hand_labels": ("p2b.hand_labels", "b2f.hand_labels"),
    "face_labels": ("b2f.face_labels",),
    "fr": ("fr.use",),
    "ce_mode": ("p2b.loss.ce_mode",),
    "d_cond": ("p2b.d_cond",),
}
"""Names of switches that stand for one field or for the same field of two networks."""

PAPER = Preset()

COMPACT = Preset(
    name="compact",
    p2b=P2BPreset(
        size=(256, 160),
        ngf=16,
        blocks=1,
        skips=True,
        ndf=16,
        parsed=0.7,
        schedule=Schedule(5e-4, 16, 40),
    ),
    b2f=B2FPreset(
        size=(256, 160),
        channels=(96, 128, 128, 96, 64, 32, 24),
        spade_hidden=32,
        texture="warp",
        keep_seen=True,
        keep_least=0.85,
        hard=3.0,
        reach=0.002,
        gap=0.015,
        spread=True,
        max_flow=0.0,  # one that is learned on synthetic people bends filmed ones (docs/weights.md)
        encoders="small",
        crop=64,
        face_embedding=128,
        part_embedding=64,
        ndf=16,
        aug_colour=0.85,
        mapped=0.7,
        parsed=0.7,
        loss=B2FLoss(
            feature_matching=4.0,
            perceptual=2.0,
            l1=10.0,
            composite=10.0,
            colour=5.0,
            flow=0.02,
            gradient=5.0,
            silhouette=5.0,
        ),
        schedule=Schedule(5e-4, 12, 40),
    ),
    fr=FRPreset(
        size=128,
        encoder=(16, 32, 48, 64, 96, 96),
        start=64,
        latent=192,
        decoder=(48, 40, 32, 24, 16),
        encoders="small",
        crop=64,
        embedding=128,
        photo=True,
        enlarged=1.5,
        ndf=16,
        loss=FRLoss(adversarial=0.0, l1=1.0, merged=1.0, detail=2.0, gradient=1.0, mask=0.01),
        schedule=Schedule(1e-3, 32, 40),
    ),
)

PRESETS = {"paper": PAPER, "compact": COMPACT}

ABLATIONS: dict[str, dict[str, Any]] = {
    "p2b-no-squeeze": {"p2b.aug_squeeze": False},
    "p2b-no-accurate-dp": {},  # other dense maps: `prepare-data --dense densepose-legacy`
    "p2b-no-dp": {"p2b.use_dp": False},
    "p2b-no-fingers-dp": {"p2b.use_dp": False, "p2b.hand_labels": False},
    "b2f-no-fr": {"fr.use": False},
    "b2f-no-mask": {"b2f.mask": "label", "b2f.loss.mask": 0.0},
    "b2f-no-fingers": {"b2f.hand_labels": False},
    "b2f-no-face-loss": {
        "b2f.loss.face": 0.0, "b2f.size": (256, 160), "b2f.canvas": (256, 160),
        "b2f.channels": (1024, 1024, 1024, 512, 256, 128, 64),
    },
}  # fmt: skip
"""Rows of Table 2 (Figures 5 and 12) by their names in `dancecli.evaluate.paper`, as overrides of
`paper`; b2f-no-face-loss is also at low resolution."""


def preset(name: str) -> Preset:
    """A preset by name.

    Raises UsageError naming those that exist.
    """
    if name not in PRESETS:
        raise overrides.unknown("preset", name, PRESETS)
    return PRESETS[name]
