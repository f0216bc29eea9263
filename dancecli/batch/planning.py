"""What is left to do of a batch, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dancecli.batch.files import is_same, is_there
from dancecli.batch.orders import Order
from dancecli.batch.state import Record, State
from dancecli.workdir import key_of

Status = Literal["run", "done", "failed"]


@dataclass(frozen=True)
class Step:
    """One row of the plan.

    status: "run", or "done" or "failed" by an earlier run and passed over. why: for people, of a
    row that was run before. ours: what lies at its outputs may be overwritten.
    """

    order: Order
    status: Status
    why: str = ""
    ours: bool = False


def step_of(order: Order, state: State, retry_failed: bool) -> Step:
    """What to do about a row, by what an earlier run did."""
    record = state.record(order)
    if record is None:
        return Step(order, "run")
    if record["status"] == "begun":
        return Step(order, "run", "it was stopped", ours=True)
    changed = _change(order, record)
    if record["status"] == "failed":
        known = bool(record.get("ours"))
        if changed or retry_failed:
            return Step(order, "run", changed or "it failed before", known)
        return Step(order, "failed", str(record.get("error", "")), known)
    there = {role: place for role, place in order.outputs().items() if is_there(place)}
    foreign = _unlike(there, record.get("outputs", {}))
    missing = next((role for role in order.outputs() if role not in there), "")
    why = changed or (foreign and f"{foreign} changed") or (missing and f"{missing} is not there")
    return Step(order, "run" if why else "done", why, ours=not foreign)


def _change(order: Order, record: Record) -> str:
    """What is not as the earlier run found it; empty where all is."""
    if record.get("asked") != key_of(order.asked()):
        return "its options changed"
    inputs, known = order.inputs(), record.get("inputs", {})
    role = _unlike(inputs, known) or min({*known} - {*inputs}, default="")
    return f"its {role} changed" if role else ""


def _unlike(places: Mapping[str, str], known: Mapping[str, Any]) -> str:
    """The first file that is another than it was."""
    return next((r for r, place in places.items() if not is_same(place, known.get(r))), "")


def sharing(orders: Sequence[Order]) -> list[Order]:
    """The rows with those of one video together, and within these those of one photo."""
    first: dict[str, int] = {}
    for order in orders:
        for place in _shared(order):
            first.setdefault(place, order.number)
    return sorted(orders, key=lambda o: (*(first[place] for place in _shared(o)), o.number))


def _shared(order: Order) -> tuple[str, str]:
    return order.place("video") or "", order.place("photo") or ""


def next_of(waiting: Sequence[Order], busy: Collection[Order], seen: Collection[str]) -> int:
    """Which row a free worker takes: not one that would wait for another's poses, if it can.

    seen: videos that a row was finished with; their poses are known.
    """
    followed = {order.place("video") for order in busy} - {*seen}
    free = (n for n, order in enumerate(waiting) if order.place("video") not in followed)
    return next(free, 0)


def drawn_up(steps: Sequence[Step]) -> dict[str, Any]:
    """`--dry-run` as JSON values."""
    todo = [step.order for step in steps if step.status == "run"]
    return {
        "jobs": [_told(step) for step in steps],
        "to_do": len(todo),
        "done": sum(step.status == "done" for step in steps),
        "failed": sum(step.status == "failed" for step in steps),
        "videos": len({order.place("video") for order in todo}),
        "photos": len({order.place("photo") for order in todo}),
    }


def _told(step: Step) -> dict[str, Any]:
    order = step.order
    places = {role: order.place(role) for role in ("photo", "video", "out")}
    return {"row": order.number, **places, "status": step.status, "why": step.why}


def as_text(plan: Mapping[str, Any]) -> str:
    """The plan for people."""
    lines = [
        f"row {job['row']:<5} {job['status']:<6} {job['photo']} + {job['video']} -> {job['out']}"
        + (f" ({job['why']})" if job["why"] else "")
        for job in plan["jobs"]
    ]
    return "\n".join([
        *lines,
        f"{plan['to_do']} to do with {plan['videos']} videos and {plan['photos']} photos, "
        f"{plan['done']} done before, {plan['failed']} failed before",
    ])  # fmt: skip
