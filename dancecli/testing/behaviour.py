"""What holds for every interface: methods are pure functions of their arguments and the settings.

Frames are redone in any order, thread or process, and a stopped run that goes on must give the same
pictures.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from dancecli.testing.case import Case, Suite
from dancecli.testing.judging import alike, is_nothing, require, same
from dancecli.testing.memory import growth
from dancecli.testing.outcomes import CannotTellError
from dancecli.types import Frame, Target

THREADS = 3

Call = Callable[[Any, Any], Any]
"""Asks a plugin about one input."""

Inputs = Callable[[Case], tuple[Any, Any]]
"""Two inputs of different size, the second the smaller."""


def behaviour(call: Call, inputs: Inputs) -> Suite:
    """The checks of a plugin as a function."""
    first = _First(call, inputs)
    return {
        "gives the same again": first.again,
        "gives the same when built again": first.built_again,
        "remembers nothing of another frame": first.stateless,
        "leaves its arguments as they are": first.arguments,
        "may be called from several threads": first.threads,
        "gathers no memory": first.memory,
    }


class _First:
    """The checks, with what to call and on what."""

    def __init__(self, call: Call, inputs: Inputs) -> None:
        self._call, self._inputs = call, inputs

    def _answered(self, case: Case) -> tuple[Any, Any, Any]:
        """Both inputs, and the first answer ever given to the first of them."""
        one, other = self._inputs(case)
        if self not in case.answers:
            case.answers[self] = self._call(case.plugin, one)
        answer = case.answers[self]
        if case.photo is None and is_nothing(answer):
            raise CannotTellError("give a photo; in a drawn figure, nobody is seen")
        return one, other, answer

    def again(self, case: Case) -> None:
        one, _, answer = self._answered(case)
        require(same(answer, self._call(case.plugin, one)), "the second answer is another")

    def built_again(self, case: Case) -> None:
        one, _, answer = self._answered(case)
        another = self._call(case.again(), one)
        require(same(answer, another), "another object of the same settings answers otherwise")

    def stateless(self, case: Case) -> None:
        one, other, answer = self._answered(case)
        self._call(case.plugin, other)
        again = self._call(case.plugin, one)
        require(same(answer, again), "another frame in between changes the answer")

    def arguments(self, case: Case) -> None:
        one, _ = self._inputs(case)
        before = copy.deepcopy(one)
        self._call(case.plugin, one)
        require(same(before, one), "what was passed in was written to")

    def threads(self, case: Case) -> None:
        one, other, answer = self._answered(case)
        expected = [answer, self._call(case.plugin, other)] * THREADS
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(
                pool.map(lambda each: self._call(case.plugin, each), [one, other] * THREADS)
            )
        require(alike(expected, found), "answers in several threads are not those in one")

    def memory(self, case: Case) -> None:
        one, other, _ = self._answered(case)
        # The second is smaller, but plugins made for photos see nobody in it.
        shown = one if is_nothing(self._call(case.plugin, other)) else other
        found = growth(lambda number: self._call(case.plugin, varied(shown, number)))
        require(not found, found)


def varied(value: Any, number: int) -> Any:
    """Another input like the one given, so that an answer that was kept is of no use."""
    if isinstance(value, Target):
        return replace(value, frame=varied(value.frame, number))
    if isinstance(value, Frame):
        return replace(value, rgb=varied(value.rgb, number), index=number, time=float(number))
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed.flat[number % value.size] ^= 1
        return changed
    return value
