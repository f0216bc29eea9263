"""Somebody else's plugin, watched: what it returns is checked, and whatever it raises names it.

The same checks as of a plugin in another environment (`isolation/schema.py`), and that pictures are
as large as what was given and hold numbers. Nothing is copied, and nothing remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from dancecli.errors import DanceError, PluginError, Terminated, one_line
from dancecli.isolation.contract import OPTIONAL, WEIGHTS, Method, attributes, methods, streamed
from dancecli.isolation.schema import MismatchError, check
from dancecli.licences import fault_of_use
from dancecli.types import Box, DenseMap, Frame, LabelMap, Layer, Motion, PersonMask, Skeleton

if TYPE_CHECKING:
    from dancecli.registry import PluginInfo


@contextmanager
def blamed(info: PluginInfo, what: str) -> Iterator[None]:
    """Within, what is raised that is none of our errors becomes a PluginError that names it.

    what: it did, as in "failed in extract". An end of the process that was asked for from outside
    stays one, and so does want of memory, which is nobody's fault.
    """
    try:
        yield
    except (DanceError, Terminated, MemoryError):
        raise
    except MismatchError as error:
        raise PluginError(f"{info} breaks its contract: {error}; {_advice(info)}") from error
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {one_line(error)}"
        raise PluginError(
            f"{info} {what}: {said} (--debug shows where); {_advice(info)}"
        ) from error


def _advice(info: PluginInfo) -> str:
    return f"run: dance plugins check {info.asked}"


class Guard:
    """Stands for a plugin's object; attributes are its own."""

    _plugin: Any = None

    def __init__(self, plugin: Any, info: PluginInfo) -> None:
        """Raises PluginError for attributes of other types than the interface's."""
        self._plugin, self._info = plugin, info
        with self._blamed("cannot be used"):
            for name, hint in attributes(info.group).items():
                check(getattr(plugin, name), hint, name)
            _check_optional(plugin)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._plugin, name)
        return partial(self._told, found) if name == WEIGHTS.name and callable(found) else found

    def _blamed(self, what: str) -> Any:
        return blamed(self._info, what)

    def _call(self, method: Method, /, *args: Any, **named: Any) -> Any:
        with self._blamed(f"failed in {method.name}"):
            result = getattr(self._plugin, method.name)(*args, **named)
            if method.returns is not Any:
                check(result, method.returns, f"{method.name}.return")
                given = dict(zip(method.parameters, method.arguments(*args, **named), strict=True))
                self._fits(method.name, given, result)
            return result

    def _stream(self, method: Method, /, *args: Any, **named: Any) -> Iterator[Any]:
        kind, where = streamed(method.returns), f"{method.name}.return"
        with self._blamed(f"failed in {method.name}"):
            for item in getattr(self._plugin, method.name)(*args, **named):
                check(item, kind, where)
                yield item

    def _told(self, weights: Any) -> Any:
        with self._blamed(f"failed in {WEIGHTS.name}"):
            told = weights()
            check(told, WEIGHTS.returns, f"{WEIGHTS.name}.return")
            if fault := fault_of_use((told or {}).get("commercial")):
                raise MismatchError(f"{WEIGHTS.name}.return: {fault}")
            return told

    def _fits(self, method: str, given: dict[str, Any], result: Any) -> None:
        if method == "render":
            _one_each(given["motions"], result)
        elif method == "extract":
            _one_at_most(given["boxes"], result)
        elif method == "embed" and len(result) != self._plugin.size:
            raise MismatchError(f"embed.return has {len(result)} numbers, `size` says otherwise")
        elif "frame" in given and (shape := _size(result)) is not None:
            _as_large(given["frame"].rgb.shape[:2], shape, f"{method}.return")


def _check_optional(plugin: Any) -> None:
    for name, hint in OPTIONAL.items():
        # torch has a class of its own for a device.
        if name != "device" and hasattr(plugin, name):
            check(getattr(plugin, name), hint, name)
    if (batch := getattr(plugin, "batch", 1)) < 1:
        raise MismatchError(f"batch is {batch}, not 1 or more")
    for name in ("canvas", "dense_size"):
        if min(size := getattr(plugin, name, None) or (1, 1)) < 1:
            raise MismatchError(f"{name} is {size[0]}x{size[1]}, not 1 or more a side")


def _size(result: Any) -> tuple[int, ...] | None:
    """(height, width) of a picture, None for what is none."""
    match result:
        case Frame(rgb=array) | PersonMask(alpha=array) | LabelMap(labels=array):
            return tuple(array.shape[:2])
        case DenseMap(iuv=array):
            return tuple(array.shape[:2])
    return None


def _as_large(wanted: tuple[int, ...], found: tuple[int, ...], where: str) -> None:
    if found != wanted:
        height, width = found
        raise MismatchError(f"{where} is {width}x{height} pixels, not {wanted[1]}x{wanted[0]}")


def _one_at_most(boxes: Sequence[Box] | None, people: Sequence[Skeleton]) -> None:
    if boxes is not None and len(people) > len(boxes):
        raise MismatchError(f"extract.return has {len(people)} people for {len(boxes)} box(es)")


def _one_each(motions: Sequence[Motion], layers: Sequence[Layer]) -> None:
    if len(layers) != len(motions):
        raise MismatchError(f"render.return has {len(layers)} layers for {len(motions)} motions")
    for motion, layer in zip(motions, layers, strict=True):
        if layer.canvas != motion.canvas:
            raise MismatchError("Layer.canvas is not its motion's")
        size = motion.canvas.height, motion.canvas.width
        _as_large(size, layer.z.shape[:2], "Layer.z")
        if layer.labels is not None:
            _as_large(size, layer.labels.labels.shape, "Layer.labels")


@cache
def _kind(group: str) -> type[Guard]:
    """A class that has what the group's Protocol asks for, as `isinstance` looks for it."""

    def attribute(name: str) -> Any:
        return property(lambda self: getattr(self._plugin, name))

    def offered(method: Method) -> Any:
        call = "_stream" if streamed(method.returns) else "_call"
        return property(lambda self: partial(getattr(self, call), method))

    members = {name: attribute(name) for name in attributes(group)}
    members |= {name: offered(method) for name, method in methods(group).items()}
    return type("Guard", (Guard,), members)


def guarded(plugin: Any, info: PluginInfo) -> Any:
    """The plugin as the rest of `dance` uses it. Raises PluginError as `Guard` does."""
    return _kind(info.group)(plugin, info)
