"""Tasks on their way to workers, and what comes back when something goes wrong."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from dancecli import errors
from dancecli.errors import DanceError

RETRIES = 2
"""How often a task is done again after its worker died."""

Tell = Callable[[Any], None]
"""What a task calls to send a note to whoever gave it out; notes are lost on a cluster."""


class Task(Protocol):
    """A piece of work; picklable, and done alike by any process, any number of times."""

    @property
    def number(self) -> int:
        """Unique in its queue."""
        ...

    @property
    def name(self) -> str:
        """For messages."""
        ...


T = TypeVar("T", bound=Task)


@dataclass(frozen=True)
class Failure:
    """An error of another process, in a form that can always be sent."""

    kind: str
    text: str
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """To be called where it is caught."""
        text = str(error) if isinstance(error, DanceError) else f"{type(error).__name__}: {error}"
        return cls(type(error).__name__, text, traceback.format_exc())

    def error(self) -> DanceError:
        """The error, with the other process's traceback as its cause."""
        error = (errors.named(self.kind) or DanceError)(self.text)
        error.__cause__ = RuntimeError(f"in a worker:\n{self.trace}")
        return error


class Queue(Generic[T]):
    """Tasks that wait for a worker. Subclasses say which is next, and hear how it goes."""

    def __init__(self, tasks: Sequence[T], say: Callable[[str], None]) -> None:
        self.waiting, self.say = list(tasks), say
        self._deaths: Counter[int] = Counter()

    def choose(self, busy: Collection[T]) -> int:
        """Which of `waiting` is next, while others are with workers."""
        return 0

    def begin(self, task: T) -> None:
        """A task is about to be given to a worker; a DanceError raised here is its result."""

    def heard(self, task: T, note: Any) -> None:
        """A worker sent a note about its task; after a worker's death, they come again."""

    def take(self, busy: Collection[T]) -> tuple[T, Failure | None]:
        """The next task, and why it must not be done."""
        task = self.waiting.pop(self.choose(busy))
        try:
            self.begin(task)
        except DanceError as error:
            return task, Failure.of(error)
        return task, None

    def again(self, task: T, why: str) -> Failure | None:
        """Its worker died: put it back and say so, or say that this has been tried enough."""
        self._deaths[task.number] += 1
        count = self._deaths[task.number]
        if count > RETRIES:
            return Failure(
                "DanceError",
                f"{task.name}: its worker died {count} times (last: {why}); perhaps memory is too "
                "small for so many workers: give fewer --workers and go on",
            )
        self.say(f"a worker died ({why}); {task.name} is done again ({count} of {RETRIES})")
        self.waiting.insert(0, task)
        return None
