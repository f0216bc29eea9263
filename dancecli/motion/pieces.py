"""A clip followed in pieces, several of them at the same time.

Following is a chain: where to look in a frame depends on the frame before. The chain is cut every
`PIECE` frames. Each piece is followed by a tracker of its own, which begins at the frame before it
(the seam), and that is believed where the seam shows one person alone and it is the one that the
piece before ended with. Elsewhere the chain goes on through the piece. So what comes out does not
depend on how many pieces are followed at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from dancecli.motion import people
from dancecli.motion.observation import Observation
from dancecli.motion.tracking import Tracker
from dancecli.overlap import ordered_map
from dancecli.types import Frame

PIECE = 24
"""Frames of a piece: looking for everybody at its seam takes as long as following for two."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of a clip's frames, in order.

    seam: the frame before them, None at the clip's start. whole: False where an earlier run
    followed the beginning of the piece, so that only the chain can go on.
    """

    seam: Frame | None
    frames: tuple[Frame, ...]
    whole: bool = True


def follow_in_pieces(
    tracker: Tracker, frames: Iterable[Frame], known: Sequence[Observation], workers: int
) -> Iterator[list[Observation]]:
    """The observations of a clip after the first `len(known)`, in lists that join up.

    tracker: a new one, told whom to follow. frames: from the last known one on, from the clip's
    first where none is known. workers: threads; they hold workers + 2 pieces of frames at most.
    Raises what `Tracker.step` raises.
    """
    last = known[-1].skeleton if known else None
    guess = partial(_guessed, tracker)
    pieces = pieces_of(iter(frames), len(known))
    for piece, guessed in ordered_map(guess, pieces, workers, ahead=workers + 1):
        if known and piece.seam is not None and tracker.new:
            tracker.restore(known, piece.seam)
        if guessed is None or not people.same_person(last, guessed[0].skeleton):
            found = [tracker.step(frame) for frame in piece.frames]
            tracker.anchor()
        else:
            found = guessed[1:]
            tracker.take(found, piece.frames[-1])
        last = found[-1].skeleton
        yield found


def pieces_of(frames: Iterator[Frame], first: int) -> Iterator[Piece]:
    """The pieces of a clip from frame `first` on; `frames` begins one earlier, if there is one."""
    seam = next(frames) if first else None
    length = PIECE - first % PIECE
    while piece := tuple(islice(frames, length)):
        yield Piece(seam, piece, length == PIECE)
        seam, length = piece[-1], PIECE


def _guessed(tracker: Tracker, piece: Piece) -> tuple[Piece, list[Observation] | None]:
    """What a tracker that begins at the seam sees there and after; None where it cannot begin."""
    if piece.seam is None or not piece.whole:
        return piece, None
    own = tracker.begun_alone(piece.seam)
    if own is None:
        return piece, None
    first, followed = own
    return piece, [first, *(followed.step(frame) for frame in piece.frames)]
