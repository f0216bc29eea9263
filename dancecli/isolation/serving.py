"""The worker: runs in the other environment and answers requests until its pipe closes.

    survey                     what this environment is and which plugins it has
    open   group, name         imports the plugin's class; its declarations
    key    settings            what its class says of these weights
    build  settings            an object of it; its attributes
    call   thing, method       one method
    next   thing, number       an item of what a method yields

Objects, persons and iterators stay here as numbered things.
"""

from __future__ import annotations

import faulthandler
import importlib
import importlib.metadata
import os
import platform
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dancecli import errors
from dancecli.errors import DanceError, PluginError, one_line
from dancecli.isolation.contract import (
    DECLARED,
    OPTIONAL,
    WEIGHTS,
    Method,
    attributes,
    methods,
    streamed,
)
from dancecli.isolation.messages import Channel, Room
from dancecli.isolation.schema import MismatchError, pack, unpack
from dancecli.stages import GROUPS, Settings

PATIENCE = 2.0
"""Seconds that a call may still take when nobody waits for its answer any more."""

_PLAIN = (bool, int, str, type(None))


def serve(room: list[str], limit: float) -> None:
    """Answer until the pipe closes. room: the files for arrays. limit: seconds per request.

    A request that takes longer ends the process, with a traceback in the log; so does a pipe that
    closes in the middle of one, since then there is nobody to end it.
    """
    channel = _private_channel()
    faulthandler.enable(all_threads=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(Room([Path(each) for each in room]))
    requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, requests), daemon=True).start()
    channel.send({"ready": True})
    while (request := requests.get()) is not None:
        # By a thread of C, so that it works while a library holds the interpreter.
        faulthandler.dump_traceback_later(limit, exit=True)
        answer = worker.answer(request)
        faulthandler.cancel_dump_traceback_later()
        with suppress(BrokenPipeError):
            channel.send(answer)


def _private_channel() -> Channel:
    """The pipes, taken away from stdin and stdout, so that what a plugin prints goes to the log."""
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return Channel(reader, writer)


def _listen(channel: Channel, requests: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    while (request := channel.receive()) is not None:
        requests.put(request)
    requests.put(None)
    time.sleep(PATIENCE)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with what the plugin has started
    os._exit(1)


class Worker:
    """One plugin and what has been made of it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.group = self.name = ""
        self.plugin: Any = None
        self.things: dict[int, Any] = {}
        self.made = 0

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request, or the error that it ends in."""
        for number in request.get("dropped", ()):
            self.things.pop(number, None)
        try:
            answers = {
                "survey": self.survey, "open": self.open, "key": self.key,
                "build": self.build, "call": self.call, "next": self.next,
            }  # fmt: skip
            return answers[request["ask"]](request)
        except DanceError as error:
            traceback.print_exc()
            return {"error": _name(error), "says": str(error)}
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            last = traceback.format_exception_only(type(error), error)[-1]
            return {"error": "", "says": " ".join(last.split())}

    def survey(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        """Python's version, where packages lie, and the plugins that they bring."""
        every = importlib.metadata.entry_points()
        found = {
            f"{entry.group} {entry.name}": entry.dist.name
            for group in GROUPS
            for entry in every.select(group=group)
            if entry.dist
        }
        folders = [each for each in sys.path if each and Path(each).is_dir()]
        return {"release": platform.python_version(), "folders": folders, "plugins": found}

    def open(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Import the class `target` ("module:Class"); what it declares.

        Raises PluginError when the import fails, or the DanceError that it raises.
        """
        self.group, self.name = request["group"], request["name"]
        module, _, path = request["target"].partition(":")
        try:
            plugin = importlib.import_module(module)
            for part in path.split("."):
                plugin = getattr(plugin, part)
        except DanceError:
            raise
        except (Exception, SystemExit) as error:
            missing = isinstance(error, ModuleNotFoundError)
            raise PluginError(
                f"plugin '{self.name}' ({self.group}) cannot be loaded: {type(error).__name__}: "
                f"{one_line(error)}{'; install it in that environment' if missing else ''}"
            ) from error
        self.plugin = plugin
        declared = {name: getattr(plugin, name) for name in DECLARED if hasattr(plugin, name)}
        # What is not as plain as JSON is nothing that may be declared.
        plain = {name: value for name, value in declared.items() if isinstance(value, _PLAIN)}
        return {**plain, "key": callable(getattr(plugin, "key", None))}

    def key(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What the class says of the weights that settings name."""
        settings = unpack(request["settings"], Settings, "settings", self._none)
        return {"key": str(self.plugin.key(settings))}

    def build(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """An object of the class, its number and attributes.

        Raises PluginError when it lacks a method of its kind, and whatever its constructor raises.
        """
        built = self.plugin(unpack(request["settings"], Settings, "settings", self._none))
        if not isinstance(built, GROUPS[self.group]):
            raise PluginError(
                f"plugin '{self.name}' does not offer all of {GROUPS[self.group].__name__}; "
                f"run: dance plugins check {self.name}"
            )
        has_weights = callable(getattr(built, WEIGHTS.name, None))
        known = self._attributes(built)
        return {"thing": self._keep(built), "attributes": known, "weights": has_weights}

    def _attributes(self, built: Any) -> dict[str, Any]:
        own = {name: hint for name, hint in OPTIONAL.items() if hasattr(built, name)}
        values = {name: getattr(built, name) for name in (*attributes(self.group), *own)}
        if "device" in own:  # torch's, perhaps
            values["device"] = str(values["device"])
        hints = {**attributes(self.group), **own}
        return {name: self._packed(values[name], hints[name], name, []) for name in hints}

    def call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A method's result; a thing's number for an iterator and for what stays here."""
        method = WEIGHTS if request["method"] == WEIGHTS.name else None
        method = method or methods(self.group)[request["method"]]
        arguments = self._arguments(method, request)
        result = getattr(self.things[request["thing"]], method.name)(*arguments)
        if method.returns is Any:
            return {"thing": self._keep(result)}
        if streamed(method.returns):
            return {"thing": self._keep(_Stream(iter(result), method))}
        return self._answered(result, method.returns, f"{method.name}.return")

    def next(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The item of a number, none before it; "end" after the last."""
        stream: _Stream = self.things[request["thing"]]
        try:
            item = stream.item(request["number"])
        except StopIteration:
            return {"end": True}
        kind = streamed(stream.method.returns)
        return self._answered(item, kind, f"{stream.method.name}.return")

    def _arguments(self, method: Method, request: Mapping[str, Any]) -> list[Any]:
        at = request["arrays"]

        def lookup(number: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
            return self.room.take(at["file"], at["offsets"][number], dtype, shape)

        return [
            self.things[tree] if hint is Any
            else unpack(tree, hint, f"{method.name}.{name}", lookup)
            for (name, hint), tree in zip(
                method.parameters.items(), request["arguments"], strict=True
            )
        ]  # fmt: skip

    def _answered(self, value: Any, hint: Any, where: str) -> dict[str, Any]:
        arrays: list[NDArray[Any]] = []
        tree = self._packed(value, hint, where, arrays)
        return {"value": tree, "arrays": self.room.put(arrays)}

    def _packed(self, value: Any, hint: Any, where: str, arrays: list[NDArray[Any]]) -> Any:
        try:
            return pack(value, hint, where, arrays)
        except MismatchError as mismatch:
            raise PluginError(
                f"plugin '{self.name}' ({self.group}) breaks its contract: {mismatch}; "
                f"run: dance plugins check {self.name}"
            ) from mismatch

    def _keep(self, thing: Any) -> int:
        self.made += 1
        self.things[self.made] = thing
        return self.made

    def _none(self, *_given: Any) -> NDArray[Any]:
        raise MismatchError("settings hold no arrays")


class _Stream:
    """What a method yields, item by item."""

    def __init__(self, items: Iterator[Any], method: Method) -> None:
        self.items, self.method, self.count = items, method, 0

    def item(self, number: int) -> Any:
        """Raises StopIteration after the last."""
        while self.count < number:
            next(self.items)
            self.count += 1
        self.count += 1
        return next(self.items)


def _name(error: DanceError) -> str:
    """The nearest class of the tree in `dancecli.errors`: a plugin may have some of its own."""
    known = (kind.__name__ for kind in type(error).__mro__)
    return next(name for name in known if errors.named(name))
