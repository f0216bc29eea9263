"""What earlier runs of a batch did: a file of records, each whole or not there.

The file is a journal (`dancecli.workdir`): a header, then a record whenever a job begins, is done
or fails. The last record of an output counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dancecli.batch.files import Print, print_of
from dancecli.batch.orders import Order
from dancecli.data.stores import is_url
from dancecli.errors import UsageError
from dancecli.holding import acquired
from dancecli.media.files import named, room, written_aside
from dancecli.workdir import Journal, key_of

HEADER = {"dance batch": 1}
"""The first record; the number is raised when the meaning of the others changes."""

Record = dict[str, Any]


class State:
    """The records of a batch, by what a job writes.

    path: need not exist; it is made with the first record. Raises UsageError for a file that is
    something else.
    """

    def __init__(self, path: Path, mend: bool = True) -> None:
        """mend: False where the file is not held and is only looked at."""
        self.path = path
        self.journal = Journal(path)
        self.records: dict[str, Record] = {}
        if path.exists():
            self._check()
            for record in self.journal.read(mend)[1:]:
                self.records[record["out"]] = record

    def _check(self) -> None:
        """Raises UsageError unless the file begins as ours do: a damaged one is cut off."""
        begins = b'{"dance batch":1}'
        try:
            with self.path.open("rb") as file:
                whole = file.readline(100).partition(b" ")[2].strip() == begins
        except OSError as error:
            raise UsageError(f"--state {named(self.path)}: {error.strerror}") from error
        if not whole:
            raise UsageError(
                f"--state {named(self.path)}: that is no state file of this version; "
                "name another, or a new one"
            )

    def record(self, order: Order) -> Record | None:
        """The last thing known of a job."""
        return self.records.get(self._key(order))

    def begun(self, order: Order) -> None:
        """From now on, what lies at the job's outputs is ours."""
        self._append(order, "begun")

    def done(self, order: Order, inputs: Mapping[str, Print], outputs: Mapping[str, Print]) -> None:
        """The job is finished. inputs, outputs: role -> print."""
        self._append(order, "done", inputs=inputs, outputs=outputs)

    def failed(self, order: Order, error: str, ours: bool) -> None:
        """The job failed with these inputs. ours: it was begun, and may have left an output."""
        inputs = {role: print_of(place) for role, place in order.inputs().items()}
        self._append(order, "failed", inputs=inputs, error=error, ours=ours)

    def _append(self, order: Order, status: str, **facts: Any) -> None:
        record = {
            "out": self._key(order), "row": order.number, "status": status,
            "asked": key_of(order.asked()), **facts,
        }  # fmt: skip
        with room(self.path):
            if not self.path.exists():
                with written_aside(self.path) as unfinished:
                    Journal(unfinished).append([HEADER])
            self.journal.append([record])
        self.records[record["out"]] = record

    def _key(self, order: Order) -> str:
        """OUT, relative to the state's folder where it lies below: both may be moved together."""
        place = order.place("out") or ""
        if is_url(place):
            return place
        folder = self.path.absolute().parent
        path = Path(os.path.normpath(place))
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A state file for one run alone. Raises DanceError while another run has it."""
    beside = path.with_name(f".{path.name}.lock")
    lock = acquired(beside, f"{named(path)}: another run is going on with it", named(path))
    try:
        yield
    finally:
        with suppress(OSError):  # Windows: not while it is open
            beside.unlink()
        lock.release()
