"""Where garments begin and end along the body, from colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dancecli.types import BoolArray, FloatArray

BINS_PER_BONE = 20
"""Resolution of places along a chain of bones."""

SWITCH = 1.2
"""Cost of one more garment along a chain, in nats of evidence at one bin."""


@dataclass(frozen=True)
class Span:
    """Places along a chain between which something is worn; empty when end <= start."""

    start: float
    end: float

    @property
    def empty(self) -> bool:
        """Whether nothing lies in it."""
        return self.end <= self.start

    def distance(self, place: FloatArray, ramp: float) -> FloatArray:
        """-1 well inside to 1 well outside, in steps of `ramp` about the ends.

        place: (N,), in bones along the chain, as is `ramp`.
        """
        if self.empty:
            return np.ones_like(place)
        outside = np.maximum(self.start - place, place - self.end)
        clipped: FloatArray = np.clip(outside / np.float32(ramp), -1, 1).astype(np.float32)
        return clipped


def profile(
    evidence: FloatArray, place: FloatArray, start: float, end: float, support: float
) -> FloatArray:
    """Mean evidence (N, S) by place, float32 (bins, S), BINS_PER_BONE bins a unit.

    support: pixels a bin needs to count in full; emptier ones count less.
    """
    bins = round((end - start) * BINS_PER_BONE)
    index = ((place - start) * BINS_PER_BONE).astype(np.int32)
    use = (place >= start) & (index < bins)
    count = np.bincount(index[use], minlength=bins)[:, None]
    total = np.stack(
        [np.bincount(index[use], evidence[use, s], bins) for s in range(evidence.shape[1])], 1
    )
    return np.asarray(total / np.maximum(count, support), np.float32)


def ordered_spans(evidence: FloatArray, start: float = 0.0) -> list[Span]:
    """The best cut of a chain into states that follow each other in the given order.

    evidence: (bins, S), log-likelihood of each state in each bin; -inf where it cannot be. States
    may be empty. Dynamic programming over "the last state so far" (Viterbi, left to right).
    """
    bins, states = evidence.shape
    best = evidence[0].astype(np.float64) - SWITCH * (np.arange(states) > 0)
    came = np.zeros((bins, states), np.int32)
    for b in range(1, bins):
        entered = np.array([
            [best[p] - (SWITCH if p != s else 0) if p <= s else -np.inf for p in range(states)]
            for s in range(states)
        ])  # fmt: skip
        came[b] = entered.argmax(1)
        best = entered.max(1) + evidence[b]
    path = np.empty(bins, np.int32)
    path[-1] = int(best.argmax())
    for b in range(bins - 1, 0, -1):
        path[b - 1] = came[b, path[b]]
    return [_span(path == s, start) for s in range(states)]


def _span(inside: BoolArray, start: float) -> Span:
    where = np.flatnonzero(inside)
    if not len(where):
        return Span(start, start)
    return Span(start + where[0] / BINS_PER_BONE, start + (where[-1] + 1) / BINS_PER_BONE)
