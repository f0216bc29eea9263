"""A clip followed in pieces, on painted clips with a scripted extractor."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from test_motion_tracking import BLUE, RED, Script, middle, painted, person, run, wall

from dancecli.motion import Observation, Tracker, follow_in_pieces
from dancecli.motion.pieces import PIECE
from dancecli.types import Frame, Skeleton

LENGTH = 3 * PIECE + 5


def walk(x: float, step: float, frames: int = LENGTH) -> list[Skeleton]:
    return [person(x + step * t) for t in range(frames)]


def clip(people: Sequence[Sequence[Skeleton]]) -> list[Frame]:
    colours = (RED, BLUE)
    return [
        painted(wall(), list(zip(here, colours, strict=False)), t) for t, here in enumerate(people)
    ]


def in_pieces(
    frames: Sequence[Frame],
    people: Sequence[Sequence[Skeleton]],
    workers: int = 2,
    known: Sequence[Observation] = (),
    which: str = "largest",
) -> tuple[list[Observation], Script]:
    script = Script(people)
    tracker = Tracker(script, which)
    rest = frames[max(0, len(known) - 1) :]
    found = list(known)
    for seen in follow_in_pieces(tracker, rest, known, workers):
        found += seen
    return found, script


def as_json(seen: Sequence[Observation]) -> list[object]:
    return [each.to_json() for each in seen]


def test_a_lone_dancer_is_followed_from_every_seam() -> None:
    people = [[here] for here in walk(100, 2)]
    frames = clip(people)
    seen, script = in_pieces(frames, people)
    assert [middle(s) for s in seen] == pytest.approx([100 + 2 * t for t in range(LENGTH)], abs=1)
    assert sorted(set(script.whole)) == [0, PIECE - 1, 2 * PIECE - 1, 3 * PIECE - 1]


@pytest.mark.parametrize("company", [False, True])
def test_the_number_of_threads_changes_nothing(company: bool) -> None:
    others = walk(420, 0)
    people = [
        [a, b] if company and t > PIECE else [a]
        for t, (a, b) in enumerate(zip(walk(90, 2), others, strict=True))
    ]
    frames = clip(people)
    one, two, five = (as_json(in_pieces(frames, people, n)[0]) for n in (1, 2, 5))
    assert one == two == five
    assert len(one) == LENGTH


def test_in_company_the_chain_goes_on() -> None:
    people = [[a, b] for a, b in zip(walk(90, 2), walk(420, 0), strict=True)]
    frames = clip(people)
    seen, _ = in_pieces(frames, people, which="left")
    assert as_json(seen) == as_json(run(frames, Script(people), "left"))


def test_somebody_else_who_is_alone_at_a_seam_is_not_taken_for_the_dancer() -> None:
    """The dancer hides while a bystander is in view, just where a piece begins."""
    left, right = walk(90, 1), walk(420, 0)
    hidden = range(PIECE - 4, PIECE + 3)
    people = [
        [right[t]] if t in hidden else [left[t], right[t]] if t < PIECE + 10 else [left[t]]
        for t in range(LENGTH)
    ]
    frames = [
        painted(wall(), [(p, RED if p is left[t] else BLUE) for p in here], t)
        for t, here in enumerate(people)
    ]
    seen, _ = in_pieces(frames, people, which="left")
    assert all(s.skeleton is None or middle(s) < 300 for s in seen)
    assert seen[-1].skeleton is not None


@pytest.mark.parametrize("stop", [1, PIECE - 1, PIECE, PIECE + 7, 3 * PIECE])
def test_a_stopped_run_goes_on_with_the_same_bits(stop: int) -> None:
    """Whether it stopped at a seam or, in company, anywhere in a piece."""
    people = [[a, b] for a, b in zip(walk(90, 2), walk(420, 0), strict=True)]
    frames = clip(people)
    whole, _ = in_pieces(frames, people, which="left")
    known = [Observation.from_json(each.to_json()) for each in whole[:stop]]
    again, _ = in_pieces(frames, people, known=known, which="left")
    assert as_json(again) == as_json(whole)


def test_a_stop_at_a_seam_of_a_lone_dancer_changes_nothing_either() -> None:
    people = [[here] for here in walk(100, 2)]
    frames = clip(people)
    whole, _ = in_pieces(frames, people)
    again, _ = in_pieces(frames, people, known=whole[: 2 * PIECE])
    assert as_json(again) == as_json(whole)
