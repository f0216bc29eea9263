"""The 22 body labels and 5 face labels, their colours and left-right pairs.

0-19 follow VIP and CIHP, 20 and 21 are the hand labels (section 3.1), 22-26 the face labels,
which only B2F sees (section 3.2). Mappings of data sets with other lists live with their readers.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from dancecli.types import UInt8Array


class Label(IntEnum):
    """Semantic labels. Left and right are the person's own."""

    BACKGROUND = 0
    HAT = 1
    HAIR = 2
    GLOVE = 3
    SUNGLASSES = 4
    UPPER_CLOTHES = 5
    DRESS = 6
    COAT = 7
    SOCKS = 8
    PANTS = 9
    TORSO_SKIN = 10
    SCARF = 11
    SKIRT = 12
    FACE = 13
    LEFT_ARM = 14
    RIGHT_ARM = 15
    LEFT_LEG = 16
    RIGHT_LEG = 17
    LEFT_SHOE = 18
    RIGHT_SHOE = 19
    LEFT_HAND = 20
    RIGHT_HAND = 21
    EYEBROWS = 22
    EYES = 23
    NOSE = 24
    LIPS = 25
    INNER_MOUTH = 26


BODY_LABELS = 22
"""Labels 0-21: what a HumanParser returns and P2B predicts."""

ALL_LABELS = 27
"""Labels 0-26: what B2F sees."""

FLIP_PAIRS = (
    (Label.LEFT_ARM, Label.RIGHT_ARM),
    (Label.LEFT_LEG, Label.RIGHT_LEG),
    (Label.LEFT_SHOE, Label.RIGHT_SHOE),
    (Label.LEFT_HAND, Label.RIGHT_HAND),
)
"""Labels that change places when a picture is mirrored."""


def _other_labels() -> UInt8Array:
    swap = np.arange(ALL_LABELS, dtype=np.uint8)
    for pair in FLIP_PAIRS:
        swap[list(pair)] = pair[::-1]
    return swap


OTHER_LABEL = _other_labels()
"""Label -> the one in its place in a mirror, uint8 (27,)."""

APPEARANCE_PARTS: tuple[tuple[Label, ...], ...] = (
    (Label.FACE, Label.HAIR, Label.HAT, Label.SUNGLASSES),
    (Label.UPPER_CLOTHES, Label.DRESS, Label.COAT, Label.SCARF),
    (Label.PANTS, Label.SKIRT),
    (Label.SOCKS, Label.LEFT_SHOE, Label.RIGHT_SHOE),
    (
        Label.TORSO_SKIN, Label.LEFT_ARM, Label.RIGHT_ARM, Label.LEFT_LEG, Label.RIGHT_LEG,
        Label.LEFT_HAND, Label.RIGHT_HAND,
    ),
)  # fmt: skip
"""t1-t5 of equation 4: face and hair, upper clothes, lower clothes, shoes and socks, skin."""

COLOURS: UInt8Array = np.array(
    [
        (0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85),
        (0, 119, 221), (85, 85, 0), (0, 85, 85), (85, 51, 0), (52, 86, 128), (0, 128, 0),
        (0, 0, 255), (51, 170, 221), (0, 255, 255), (85, 255, 170), (170, 255, 85),
        (255, 255, 0), (255, 170, 0), (255, 105, 180), (200, 0, 200), (110, 60, 20),
        (255, 255, 255), (240, 200, 160), (220, 60, 90), (120, 0, 30),
    ],
    np.uint8,
)  # fmt: skip
"""RGB per label, uint8 (27, 3), for pictures people look at."""


def colourize(labels: UInt8Array) -> UInt8Array:
    """Labels (H, W) as RGB (H, W, 3)."""
    picture: UInt8Array = COLOURS[labels]
    return picture


def mirrored(labels: UInt8Array) -> UInt8Array:
    """The label map (H, W) of the mirrored picture: columns reversed, left and right exchanged."""
    flipped: UInt8Array = OTHER_LABEL[labels[:, ::-1]]
    return flipped
