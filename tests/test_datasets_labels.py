"""Labels of the public data sets become our 22."""

from __future__ import annotations

import numpy as np
import pytest
from dance_datasets.files import UnusableError
from dance_datasets.labels import ARM, AROUND, ATR, LIP, MHP, VIP, mapped
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dancecli.labels import BODY_LABELS, Label, mirrored

TABLES = {"vip": VIP, "lip": LIP, "atr": ATR, "mhp": MHP}
PAIRS = {
    "vip": [(14, 15), (16, 17), (18, 19)],
    "lip": [(14, 15), (16, 17), (18, 19)],
    "atr": [(9, 10), (12, 13), (14, 15)],
    "mhp": [(k, k + 1) for k in (5, 7, *range(22, 33, 2))],
}
"""Labels that change places in the mirror, as the sets' authors publish them."""

PROTECTOR, WATCH, WRISTBAND = 9, 53, 54


def label_maps(count: int) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
    return shapes.flatmap(lambda s: arrays(np.uint16, s, elements=st.integers(0, count - 1)))


@given(st.data(), st.sampled_from(sorted(TABLES)))
def test_every_label_of_every_set_becomes_one_of_the_22(data: st.DataObject, name: str) -> None:
    raw = data.draw(label_maps(len(TABLES[name])))
    labels = mapped(raw, TABLES[name], "x.png")
    assert labels.dtype == np.uint8 and labels.shape == raw.shape
    assert labels.max() < BODY_LABELS
    assert (labels[raw == 0] == 0).all()


@given(st.data(), st.sampled_from(sorted(TABLES)))
def test_mapping_a_mirrored_map_is_mirroring_the_mapped_one(data: st.DataObject, name: str) -> None:
    table = TABLES[name]
    raw = data.draw(label_maps(len(table)))
    raw[np.isin(raw, [PROTECTOR, WATCH, WRISTBAND])] = 0  # chosen by their surroundings
    swap = np.arange(len(table))
    for left, right in PAIRS[name]:
        swap[[left, right]] = right, left
    flipped = mapped(swap[raw[:, ::-1]].astype(np.uint16), table, "x.png")
    assert np.array_equal(flipped, mirrored(mapped(raw, table, "x.png")))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_label_that_the_set_has_not_is_refused(name: str) -> None:
    raw = np.array([[0, len(TABLES[name])]], np.uint16)
    with pytest.raises(UnusableError, match=r"x\.png: annotation has labels above"):
        mapped(raw, TABLES[name], "x.png")


def test_the_sets_agree_on_what_things_are_called() -> None:
    assert np.array_equal(VIP, np.arange(20))
    assert LIP[10] == Label.DRESS and np.array_equal(np.delete(LIP, 10), np.delete(VIP, 10))
    assert ATR.tolist() == [0, 1, 2, 4, 5, 12, 9, 6, 9, 18, 19, 13, 16, 17, 14, 15, 0, 11]
    assert len(MHP) == 59
    assert (MHP[7], MHP[8]) == (Label.LEFT_HAND, Label.RIGHT_HAND)
    assert MHP[[34, 36, 37, 38, 48, 55]].tolist() == [7, 6, 6, 6, 13, 5]
    assert [k for k in range(59) if MHP[k] == 0] == [0, 40, 41, 42, 44, 45, 46, 51, 52, 56]
    assert MHP[PROTECTOR] == AROUND and MHP[WATCH] == MHP[WRISTBAND] == ARM


def row(*runs: tuple[int, int]) -> np.ndarray:
    """One row of (label, pixels)."""
    return np.repeat(*np.array(runs).T)[None].astype(np.uint16)


def test_a_protector_takes_the_label_that_most_of_its_border_has() -> None:
    raw = np.full((9, 9), 17, np.uint16)  # trousers
    raw[:2] = 30  # left leg above
    raw[2:5, 3:6] = PROTECTOR
    labels = mapped(raw, MHP, "x.png")
    assert (labels[2:5, 3:6] == Label.PANTS).all()
    raw[4:] = 30
    raw[2:5, 3:6] = PROTECTOR
    assert (mapped(raw, MHP, "x.png")[2:5, 3:6] == Label.LEFT_LEG).all()


def test_each_protector_is_judged_by_its_own_surroundings() -> None:
    raw = row((30, 3), (PROTECTOR, 2), (30, 2), (0, 4), (17, 2), (PROTECTOR, 3), (17, 2))
    labels = mapped(raw, MHP, "x.png")[0]
    assert (labels[3:5] == Label.LEFT_LEG).all() and (labels[13:16] == Label.PANTS).all()


def test_background_has_no_vote_on_a_protector() -> None:
    raw = np.zeros((7, 7), np.uint16)
    raw[3, 3], raw[3, 2] = PROTECTOR, 20
    assert mapped(raw, MHP, "x.png")[3, 3] == Label.SOCKS


def test_a_protector_with_nothing_around_it_is_background() -> None:
    raw = row((17, 3), (0, 2), (PROTECTOR, 2))
    assert (mapped(raw, MHP, "x.png")[0, 5:] == 0).all()


@pytest.mark.parametrize("thing", [WATCH, WRISTBAND])
def test_what_is_worn_at_the_wrist_becomes_the_nearest_arm(thing: int) -> None:
    raw = row((6, 3), (0, 2), (thing, 2), (0, 9), (5, 3), (thing, 1))
    labels = mapped(raw, MHP, "x.png")[0]
    assert (labels[5:7] == Label.RIGHT_ARM).all() and labels[-1] == Label.LEFT_ARM


def test_below_a_sleeve_the_hand_tells_the_arm() -> None:
    raw = row((8, 2), (WATCH, 1), (14, 9), (5, 1))
    assert mapped(raw, MHP, "x.png")[0, 2] == Label.RIGHT_ARM


def test_a_watch_without_arms_is_background() -> None:
    assert (mapped(row((14, 5), (WATCH, 2)), MHP, "x.png")[0, 5:] == 0).all()


def test_a_watch_counts_as_arm_for_the_protector_beside_it() -> None:
    raw = row((5, 1), (WATCH, 1), (PROTECTOR, 1))
    assert mapped(raw, MHP, "x.png").tolist() == [[14, 14, 14]]
