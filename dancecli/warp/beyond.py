"""Sleeves and trousers continued beyond the photo's edge."""

from __future__ import annotations

import numpy as np

from dancecli.types import BoolArray, FloatArray, UInt8Array
from dancecli.warp.continuing import FOLDS, continued, repeated, surely, weave_of
from dancecli.warp.limbs import smoothstep
from dancecli.warp.picture import Picture
from dancecli.warp.pixels import distance

FAR_FOLDS = (0.3, 0.4, 0.5)
"""Heights of the body by which detail is moved to what lies outside the photo, beside `FOLDS`."""

EVEN = 0.01, 0.1
"""Heights of the body beyond what shows of a limb between which its edge's colour gives way to its
usual one."""

END = 0.1
"""Heights of the body from the photo's edge within which the cloth is told that goes on beyond."""


def continued_along(picture: Picture, core: BoolArray, wanted: BoolArray) -> UInt8Array:
    """`continued` from a limb's `core`, with the weave of the cloth that the whole photo shows of
    it where more is `wanted` outside the photo: a sleeve that it cuts off is no plain one.

    Away from the photo's edge it has the limb's usual colour, whatever shade or stain the edge has.
    """
    filled, made = continued(picture, core), wanted & ~core & ~picture.photo
    size = picture.figure.size
    edge = core & picture.photo & (distance(made) < END * size)
    labels, counts = np.unique(picture.labels[edge], return_counts=True)
    if not made.any() or not len(labels):
        return filled
    alike = picture.labels == labels[counts.argmax()]
    photo = picture.rgb.astype(np.float32)
    usual = np.median(photo[surely(picture, core & alike)], axis=0)
    filled[made] = _evened(filled, usual, made, core, size)
    cloth = surely(picture, alike & picture.photo)
    weave, detail = weave_of(photo, cloth, size)
    if weave > 0:
        woven = weave * repeated(detail, cloth, made, size, (*FOLDS, *FAR_FOLDS))
        filled[made] = np.clip(np.rint(filled[made] + woven), 0, 255).astype(np.uint8)
    return filled


def _evened(
    filled: UInt8Array, usual: FloatArray, made: BoolArray, core: BoolArray, size: float
) -> UInt8Array:
    """Colours (n, 3) of what is `made`, the further from the `core` the more the `usual` one."""
    share = smoothstep((distance(core)[made] / size - EVEN[0]) / (EVEN[1] - EVEN[0]))[:, None]
    return np.asarray(np.rint((1 - share) * filled[made] + share * usual), np.uint8)
