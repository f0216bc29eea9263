"""The conformance suite: what every plugin must do, whoever wrote it.

`dance plugins check NAME` and tests/contract run it; plugin authors call `check` in their own
tests. It needs no media: pictures are made here, and `photo` adds a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dancecli import registry
from dancecli.data.people import Options
from dancecli.errors import DanceError, NoPersonError, UsageError, WeightsError
from dancecli.figures import made_target, standing_skeleton
from dancecli.labels import BODY_LABELS
from dancecli.stages import GROUPS, Settings
from dancecli.types import (
    Canvas,
    FloatArray,
    Frame,
    LabelMap,
    Motion,
    PersonMask,
    Skeleton,
)


@dataclass(frozen=True)
class Outcome:
    """One thing that was checked. detail is empty when it held.

    needs_weights: it could not be checked, since weights are missing; `passed` is then False.
    """

    check: str
    passed: bool
    detail: str = ""
    needs_weights: bool = False


def check(
    group: str, name: str, photo: Frame | None = None, weights: str | None = None
) -> Iterator[Outcome]:
    """Run the suite on an installed plugin, one outcome per check, stopping when it cannot load.

    photo: a real picture of a person for extractors, which see nobody in a made one.
    weights: as --weights, for plugins that come without.
    """
    info = registry.find(group, name)
    try:
        plugin_class = registry.load_class(info)
        yield _judge("declares LICENCE and COMMERCIAL", lambda: _declares(plugin_class))
        plugin = plugin_class(info.settings(Settings(device="cpu", weights=weights)))
    except WeightsError as error:
        missing = weights is None
        yield Outcome("loads and is built from Settings", False, str(error), missing)
        return
    except DanceError as error:
        yield Outcome("loads and is built from Settings", False, str(error))
        return
    except Exception as error:
        yield Outcome("loads and is built from Settings", False, f"{type(error).__name__}: {error}")
        return
    yield Outcome("loads and is built from Settings", True)
    yield _judge(f"offers {GROUPS[group].__name__}", lambda: _offers(plugin, group))
    for title, test in _SUITES.get(group, {}).items():
        yield _judge(title, lambda test=test: test(plugin, photo))  # type: ignore[misc]


def _judge(title: str, test: Callable[[], None]) -> Outcome:
    try:
        test()
    except AssertionError as error:
        return Outcome(title, False, str(error) or "does not hold")
    except Exception as error:
        return Outcome(title, False, f"{type(error).__name__}: {error}")
    return Outcome(title, True)


def _require(condition: object, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def _declares(plugin: Any) -> None:
    licence = getattr(plugin, "LICENCE", None)
    _require(isinstance(licence, str) and licence.strip(), f"LICENCE is {licence!r}")
    commercial = getattr(plugin, "COMMERCIAL", "absent")
    _require(commercial in (True, False, None), f"COMMERCIAL is {commercial!r}")


def _offers(plugin: Any, group: str) -> None:
    _require(isinstance(plugin, GROUPS[group]), "methods or attributes are missing")


def _array(value: Any, dtype: type, shape: tuple[int, ...], what: str) -> None:
    _require(isinstance(value, np.ndarray), f"{what} is {type(value).__name__}, not an array")
    _require(value.dtype == dtype, f"{what} is {value.dtype}, not {np.dtype(dtype)}")
    _require(value.shape == shape, f"{what} is {value.shape}, not {shape}")
    if np.issubdtype(value.dtype, np.floating):
        _require(np.isfinite(value).all(), f"{what} holds NaN or infinity")


def _in_unit(value: FloatArray, what: str) -> None:
    _require(value.size == 0 or (value.min() >= 0 and value.max() <= 1), f"{what} leaves [0, 1]")


def _skeleton(skeleton: Any) -> None:
    _require(isinstance(skeleton, Skeleton), f"{type(skeleton).__name__} is not a Skeleton")
    for field, count in (("body", 25), ("left_hand", 21), ("right_hand", 21), ("face", 70)):
        points = getattr(skeleton, field)
        _array(points, np.float32, (count, 3), field)
        _in_unit(points[:, 2], f"confidence of {field}")


def _pose_types(plugin: Any, photo: Frame | None) -> None:
    people = plugin.extract(photo or made_target().frame)
    _require(isinstance(people, list), "extract does not return a list")
    _require(photo is None or people, "nobody found in the photo that was given")
    for skeleton in people:
        _skeleton(skeleton)


def _pose_stateless(plugin: Any, photo: Frame | None) -> None:
    frame = photo or made_target().frame
    first = plugin.extract(frame)
    plugin.extract(Frame(np.zeros((64, 48, 3), np.uint8)))
    second = plugin.extract(frame)
    _require(len(first) == len(second), "another frame in between changes the result")
    for a, b in zip(first, second, strict=True):
        _require(np.array_equal(a.points(), b.points()), "another frame in between moves points")


def _pose_empty(plugin: Any, _photo: Frame | None) -> None:
    found = plugin.extract(Frame(np.full((120, 160, 3), 90, np.uint8)))
    _require(found == [], f"{len(found)} people found in a grey picture")


def _mask_types(plugin: Any, photo: Frame | None) -> None:
    target = made_target()
    frame = target.frame
    mask = plugin.mask(frame, target.skeleton)
    _require(isinstance(mask, PersonMask), "mask does not return a PersonMask")
    _array(mask.alpha, np.float32, (frame.height, frame.width), "alpha")
    _in_unit(mask.alpha, "alpha")


def _parser_types(plugin: Any, _photo: Frame | None) -> None:
    target = made_target()
    parsed = plugin.parse(target.frame, target.skeleton, target.mask)
    _require(isinstance(parsed, LabelMap), "parse does not return a LabelMap")
    _array(parsed.labels, np.uint8, target.labels.labels.shape, "labels")
    _require(parsed.labels.max() < BODY_LABELS, f"label {parsed.labels.max()} is above 21")
    _require((parsed.labels > 0).any(), "nothing is labelled on the made figure")


def _parser_refuses(plugin: Any, _photo: Frame | None) -> None:
    target = made_target()
    nobody = Skeleton(np.zeros((25, 3), np.float32))
    empty = PersonMask(np.zeros_like(target.mask.alpha))
    try:
        parsed = plugin.parse(target.frame, nobody, empty)
    except NoPersonError:
        return
    _require(not (parsed.labels > 0).any(), "labels a person where the mask is empty")


def _dense_types(plugin: Any, _photo: Frame | None) -> None:
    target = made_target()
    _require(isinstance(plugin.from_skeleton, bool), "from_skeleton is not a bool")
    dense = plugin.dense(target.frame, target.skeleton.box(), target.skeleton)
    _array(dense.iuv, np.float32, (*target.labels.labels.shape, 3), "iuv")
    parts = dense.iuv[..., 0]
    _require(np.isin(parts, np.arange(25)).all(), "part indices are not whole numbers 0-24")
    _in_unit(dense.iuv[..., 1:], "U, V")
    _require((dense.iuv[parts == 0] == 0).all(), "U, V are not 0 off the body")


def _inpaint_keeps(plugin: Any, photo: Frame | None) -> None:
    target = made_target()
    hole = np.where(target.mask.alpha > 0, 255, 0).astype(np.uint8)
    before = target.frame.rgb.copy()
    filled = plugin.inpaint(target.frame, hole)
    _array(filled.rgb, np.uint8, before.shape, "rgb")
    _require(np.array_equal(target.frame.rgb, before), "the frame passed in was written to")
    _require(np.array_equal(filled.rgb[hole == 0], before[hole == 0]), "pixels outside changed")
    left = np.abs(filled.rgb[hole > 0].astype(int) - 128).max()
    _require(left < 64, "the figure on a grey ground is not painted out")


def _backend_renders(plugin: Any, _photo: Frame | None) -> None:
    target = made_target()
    height, width = plugin.canvas or (320, 200)
    person = plugin.prepare(target)
    canvas = Canvas(width, height)
    skeleton = standing_skeleton(width, height)
    motions = [Motion(skeleton, None, canvas, index) for index in range(2)]
    layers = plugin.render(person, motions)
    _require(len(layers) == 2, f"{len(layers)} layers for 2 motions")
    for layer in layers:
        _array(layer.z, np.float32, (height, width, 3), "z")
        _array(layer.m, np.float32, (height, width), "m")
        _in_unit(layer.z, "z")
        _in_unit(layer.m, "m")
    _require(np.array_equal(layers[0].z, layers[1].z), "equal motions give different pictures")
    _require(layers[0].m.max() > 0.5, "nothing is painted for a standing person")


def _backend_refines(plugin: Any, _photo: Frame | None) -> None:
    target = made_target()
    person = plugin.prepare(target)
    refined = plugin.refine(person, target.frame, None)
    _require(
        np.array_equal(refined.rgb, target.frame.rgb), "a frame without a face must not change"
    )


def _dataset_layout(plugin: Any, _photo: Frame | None) -> None:
    _require(isinstance(plugin.layout, str), f"layout is {type(plugin.layout).__name__}, not str")


def _dataset_refuses(plugin: Any, _photo: Frame | None) -> None:
    if not plugin.layout:
        return
    with TemporaryDirectory() as folder:
        for root in (None, Path(folder), Path(folder, "absent")):
            try:
                found = plugin.units(root, Options())
            except UsageError as error:
                _require(plugin.layout in str(error), f"the error for {root} lacks the layout")
            else:
                raise AssertionError(f"{len(found)} units in {root}, which is no data set")


Suite = dict[str, Callable[[Any, "Frame | None"], None]]

_SUITES: dict[str, Suite] = {
    "dance.pose": {
        "returns skeletons of the right types": _pose_types,
        "is stateless": _pose_stateless,
        "finds nobody in an empty picture": _pose_empty,
    },
    "dance.mask": {"returns alpha of the frame's size": _mask_types},
    "dance.parser": {
        "returns the 22 labels": _parser_types,
        "labels nobody where nobody is": _parser_refuses,
    },
    "dance.dense": {"returns parts, U and V": _dense_types},
    "dance.inpaint": {"fills the hole and nothing else": _inpaint_keeps},
    "dance.backend": {
        "renders a layer per motion": _backend_renders,
        "leaves a frame without a face alone": _backend_refines,
    },
    "dance.dataset": {
        "says its layout": _dataset_layout,
        "refuses a folder of another shape": _dataset_refuses,
    },
}
