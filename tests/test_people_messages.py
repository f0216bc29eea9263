"""What is said where --person names nobody: right for every command that has the option."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import Run

from dancecli.errors import UsageError
from dancecli.motion.people import check_person, choose
from dancecli.types import Skeleton

HINT = r"`dance reenact --list-people`"


def standing(x: float) -> Skeleton:
    body = np.ones((25, 3), np.float32)
    body[:, 0], body[:, 1] = x, np.linspace(0, 100, 25)
    return Skeleton(body)


@pytest.mark.parametrize(
    ("count", "says"), [(1, "give 1 "), (2, "give 1-2, counted from the left ")]
)
def test_a_number_too_high_says_which_there_are_and_who_numbers_them(count: int, says: str) -> None:
    people = [standing(100.0 * n) for n in range(count)]
    with pytest.raises(UsageError, match=says) as caught:
        choose(people, "3")
    assert HINT in str(caught.value) and "\n" not in str(caught.value)


def test_a_word_that_means_nobody_says_which_there_are() -> None:
    with pytest.raises(UsageError, match=f"largest, left, right or a number from 1 .*{HINT}"):
        check_person("nobody")


def test_the_picture_of_the_people_is_a_png(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"mine")
    ran = run("reenact", demo_photo, demo_video, "--list-people", "-o", out, "--force")
    assert ran.code == 2 and f"-o {out}: the picture of --list-people is a .png" in ran.err
    assert out.read_bytes() == b"mine"
