"""An isolated plugin as the rest of `dance` uses it: one worker, started again once if it dies."""

from __future__ import annotations

import logging
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dancecli import errors
from dancecli.errors import DanceError, PluginError, one_line
from dancecli.isolation.contract import OPTIONAL, Method, attributes, streamed
from dancecli.isolation.environment import Loan
from dancecli.isolation.messages import ProtocolError
from dancecli.isolation.process import Process, WorkerError, new_log
from dancecli.isolation.registered import Isolated
from dancecli.isolation.schema import MismatchError, pack, unpack
from dancecli.stages import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")
Reply = Mapping[str, Any]


class Thing:
    """Something that lives in the worker: made when first needed, and again after a restart.

    made: the worker's answer to its making.
    """

    def __init__(self, make: Callable[[], Reply]) -> None:
        self._make = make
        self._process: Process | None = None
        self._number = 0
        self.made: Reply = {}

    def number(self, process: Process) -> int:
        """What that worker calls it. Raises PluginError for an answer without a number."""
        if self._process is not process:
            self.made = self._make()
            if not isinstance(number := self.made.get("thing"), int):
                raise PluginError(f"a worker made something and calls it {number!r:.80}")
            self._number, self._process = number, process
        return self._number

    def __del__(self) -> None:
        if self._process is not None:
            self._process.dropped.append(self._number)


class Remote:
    """The worker of one isolated plugin. Calls from several threads take turns."""

    def __init__(self, plugin: Isolated, target: str) -> None:
        """target: "module:Class" of the plugin."""
        self.plugin, self.target = plugin, target
        self.log = new_log(f"{plugin.group}-{plugin.name}")
        self._lock = threading.RLock()
        self._process: Process | None = None
        self._declared: Reply = {}
        self._deaths = 0
        self._troubles: list[str] = []
        weakref.finalize(self, _tidy, self.log, self._troubles, os.getpid())

    def declared(self) -> Reply:
        """What the plugin's class declares.

        Raises PluginError when it cannot be imported there.
        """
        self._trying(self._running)
        return self._declared

    def key(self, settings: Settings) -> str:
        """What the class says of the weights that settings name.

        Raises what the class raises, PluginError for what is not of our errors.
        """
        request = {"ask": "key", "settings": pack(settings, Settings, "settings", [])}
        return str(self._trying(lambda: self._ask(request)).get("key"))

    def build(self, settings: Settings) -> Thing:
        """An object of the class; `made` has its attributes.

        Raises what the class raises, PluginError for what is not of our errors.
        """
        request = {"ask": "build", "settings": pack(settings, Settings, "settings", [])}
        return self._made(Thing(partial(self._ask, request)))

    def attributes(self, built: Thing) -> dict[str, Any]:
        """The plain attributes of an object."""
        with self._sensible():
            given = built.made["attributes"]
            hints = {name: hint for name, hint in OPTIONAL.items() if name in given}
            hints |= attributes(self.plugin.group)
            return {name: unpack(given[name], hints[name], name, _nowhere) for name in hints}

    def call(self, thing: Thing, method: Method, arguments: Sequence[Any]) -> Any:
        """A method's result: a value, an iterator of values, or a Thing for what is the worker's.

        Raises what the method raises, PluginError for what is not of our errors, for a broken
        contract, and when the worker dies for the second time.
        """
        ask = partial(self._call, thing, method, arguments)
        if method.returns is Any:
            return self._made(Thing(ask))
        if kind := streamed(method.returns):
            return self._items(Thing(ask), kind, f"{method.name}.return")
        return self._trying(lambda: self._value(ask(), method.returns, f"{method.name}.return"))

    def _call(self, thing: Thing, method: Method, arguments: Sequence[Any]) -> Reply:
        process, arrays = self._running(), list[NDArray[Any]]()
        # Things first: making one again sends messages, and these use the same room for arrays.
        number = thing.number(process)
        numbers = {id(each): each.number(process) for each in arguments if isinstance(each, Thing)}
        trees = [
            numbers[id(value)] if isinstance(value, Thing)
            else pack(value, hint, f"{method.name}.{name}", arrays)
            for (name, hint), value in zip(method.parameters.items(), arguments, strict=True)
        ]  # fmt: skip
        return self._ask({
            "ask": "call", "thing": number, "method": method.name, "arguments": trees,
            "arrays": process.room.put(arrays),
        })  # fmt: skip

    def _made(self, thing: Thing) -> Thing:
        self._trying(lambda: thing.number(self._running()))
        return thing

    def _items(self, stream: Thing, kind: Any, where: str) -> Iterator[Any]:
        def item(number: int) -> Any:
            place = stream.number(self._running())
            reply = self._ask({"ask": "next", "thing": place, "number": number})
            return _END if reply.get("end") else self._value(reply, kind, where)

        for number in count():
            found = self._trying(partial(item, number))
            if found is _END:
                return
            yield found

    def _value(self, reply: Reply, hint: Any, where: str) -> Any:
        def lookup(number: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
            at = reply["arrays"]
            return self._running().room.take(at["file"], at["offsets"][number], dtype, shape)

        with self._sensible():
            return unpack(reply["value"], hint, where, lookup)

    @contextmanager
    def _sensible(self) -> Iterator[None]:
        """Within, an answer is read that nobody has checked."""
        try:
            yield
        except (MismatchError, ProtocolError, KeyError, IndexError, TypeError) as error:
            raise PluginError(f"{self.plugin} gave a wrong answer: {one_line(error)}") from error

    def _trying(self, what: Callable[[], T]) -> T:
        """What it returns; if the worker dies meanwhile, once more with a new one."""
        with self._lock:
            while True:
                try:
                    return what()
                except WorkerError as death:
                    self._bury(death)

    def _bury(self, death: WorkerError) -> None:
        process, self._process = self._process, None
        self._deaths += 1
        self._troubles.append(str(death))
        if process and self._deaths > 1:
            raise PluginError(
                f"{self.plugin}: its worker died again ({death}); {process.logged()}"
            ) from None
        logger.warning("%s: its worker died (%s); it is started again", self.plugin, death)

    def _running(self) -> Process:
        """The worker, with the plugin's class imported; a fork of this process has its own."""
        if self._process is None or self._process.ended or self._process.owner != os.getpid():
            own = None if self.plugin.distribution else self.target
            self._process = Process(self.plugin.python, Loan.of(own), self.log, self.plugin.limit)
            self._open(self._process)
        return self._process

    def _open(self, process: Process) -> None:
        names = {"group": self.plugin.group, "name": self.plugin.name, "target": self.target}
        try:
            self._declared = self._said(process.ask({"ask": "open", **names}))
        except DanceError:
            process.close()
            raise

    def _ask(self, request: Reply) -> Reply:
        return self._said(self._running().ask(request))

    def _said(self, reply: Reply) -> Reply:
        if "error" not in reply:
            return reply
        kind, says = errors.named(str(reply["error"])), str(reply.get("says"))
        if kind is None:
            self._troubles.append(says)
            raise PluginError(f"{self.plugin} failed: {says}; its log: {self.log}")
        raise kind(self._there(says) if kind is PluginError else says)

    def _there(self, says: str) -> str:
        """A plugin's advice to install something, as advice for its environment."""
        advice = re.sub(r"(?<!-m )\bpip install", f"{self.plugin.python} -m pip install", says)
        return advice if self.plugin.python in advice else f"{says} (in {self.plugin.python})"


_END = object()


def _nowhere(*_given: Any) -> NDArray[Any]:
    raise ProtocolError("an array among its attributes")


def _tidy(log: Path, troubles: Sequence[str], owner: int) -> None:
    """Remove the log of a worker that gave no trouble."""
    if not troubles and owner == os.getpid():
        with suppress(OSError):
            log.unlink()
