"""Augmentation keeps what belongs together together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from dance_freestyle import appearance
from dance_freestyle.training import appearances, augment, batches, face_items
from dance_freestyle.training.samples import Sample, Shot, open_samples
from freestyle_tiny import TINY, TINY_PAPER
from hypothesis import given, settings
from hypothesis import strategies as st
from made_samples import made_set

from dancecli.drawing import hand_labels
from dancecli.labels import Label
from dancecli.mirror import mirrored_skeleton

torch.set_num_threads(1)

LIMBS = {
    "left_elbow": Label.LEFT_ARM, "right_elbow": Label.RIGHT_ARM,
    "left_knee": Label.LEFT_LEG, "right_knee": Label.RIGHT_LEG,
}  # fmt: skip


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_samples([made_set(tmp_path_factory.mktemp("made"), people=3)])


@pytest.fixture(scope="module")
def shot(people: list[Sample]) -> Shot:
    return people[0].shot(0)


def check_together(shot: Shot) -> None:
    """Joints lie on their limb's label; picture and dense map know the same person."""
    height, width = shot.labels.shape
    for name, label in LIMBS.items():
        x, y = (int(v) for v in shot.skeleton.joint(name))
        if 0 <= x < width and 0 <= y < height:
            assert shot.labels[y, x] == label, name
    if shot.dense is not None:
        np.testing.assert_array_equal(shot.dense[..., 0], shot.labels)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_everything_moves_together(shot: Shot, seed: int) -> None:
    matrix = augment.drawn_move(np.random.default_rng(seed), shot.labels.shape)
    moved = augment.moved(shot, matrix)
    check_together(moved)
    check_together(augment.fitted(moved, (128, 80)))
    assert not np.array_equal(moved.rgb, shot.rgb)


def test_a_mirror_exchanges_left_and_right_everywhere(shot: Shot) -> None:
    mirror = augment.mirrored(shot)
    check_together(mirror)
    assert mirror.dense is None
    left, right = (mirror.skeleton.joint(f"{side}_wrist")[0] for side in ("left", "right"))
    # Still a person who faces us: their left is on our right.
    assert left > right
    assert mirror.skeleton.left_hand[0, 0] == pytest.approx(left)
    twice = augment.mirrored(mirror)
    np.testing.assert_array_equal(twice.labels, shot.labels)
    np.testing.assert_array_equal(twice.rgb, shot.rgb)
    np.testing.assert_allclose(twice.skeleton.points(), shot.skeleton.points(), atol=1e-4)


def test_a_symmetric_face_is_its_own_mirror(shot: Shot) -> None:
    width = shot.labels.shape[1]
    face = shot.skeleton.face
    middle = face[30, 0]
    turned = mirrored_skeleton(shot.skeleton, width).face
    # Eyes, brows, jaw, nose and lips; the mouth's rings are drawn from their left corner.
    np.testing.assert_allclose(turned[:48, 1], face[:48, 1], atol=0.2 * 13)
    np.testing.assert_allclose(turned[:68, 0] - (width - middle), face[:68, 0] - middle, atol=1e-3)


def test_only_label_maps_are_squeezed(shot: Shot) -> None:
    narrow = augment.squeezed(shot.labels, (0.75, 1.0))

    def width(labels: np.ndarray) -> int:
        return int(np.ptp(np.flatnonzero(labels.any(0))) + 1)

    assert width(narrow) == pytest.approx(0.75 * width(shot.labels), abs=2)
    assert set(np.unique(narrow)) <= set(np.unique(shot.labels))
    middles = [np.flatnonzero(m.any(0)).mean() for m in (narrow, shot.labels)]
    assert middles[0] == pytest.approx(middles[1], abs=1.5)
    assert augment.squeezed(shot.labels, None) is shot.labels


def test_squeezing_changes_maps_and_not_poses(people: list[Sample]) -> None:
    plain = replace(TINY.p2b, aug_squeeze=False)
    differ = 0
    for seed in range(8):
        a = batches.p2b_item(people[0], plain, np.random.default_rng(seed))
        b = batches.p2b_item(people[0], TINY.p2b, np.random.default_rng(seed))
        assert torch.equal(a["P_S"], b["P_S"]) and torch.equal(a["P_D"], b["P_D"])
        differ += not torch.equal(a["P_M"], b["P_M"])
    assert differ > 0


def test_pairs_are_near_in_time(people: list[Sample]) -> None:
    rng = np.random.default_rng(0)
    far = replace(people[0], count=3, numbers=(0, 200, 1000))
    pairs = {batches.drawn_pair(far, rng, 0.2) for _ in range(200)}
    assert pairs == {(0, 0), (1, 1), (0, 1), (1, 0), (2, 2)}
    assert {batches.drawn_pair(far, rng, 0.0) for _ in range(100)} == {(0, 1), (1, 0), (2, 2)}


def test_dropout_only_takes_parts_away() -> None:
    rng = np.random.default_rng(0)
    present = np.array([True, True, False, True, True])
    drawn = np.stack([augment.dropped(present, 0.05, rng) for _ in range(2000)])
    assert not drawn[:, 2].any()
    assert drawn[:, 0].mean() == pytest.approx(0.95, abs=0.02)
    np.testing.assert_array_equal(augment.dropped(present, 0.0, rng), present)


def test_items_hold_what_the_presets_ask_for(people: list[Sample]) -> None:
    rng = np.random.default_rng(0)
    item = batches.p2b_item(people[0], TINY.p2b, rng)
    assert item["p_star"].shape == (64, 40) and item["P_D"].shape == (3, 64, 40)
    assert (item["p_star"] >= 20).any()  # hands are drawn in
    bare = replace(TINY.p2b, use_dp=False, hand_labels=False)
    item = batches.p2b_item(people[0], bare, rng)
    assert "P_D" not in item and item["p_star"].max() < 20 and item["P_M"].max() < 20
    item = batches.b2f_item(people[0], TINY.b2f, rng)
    assert item["P_B"].shape == (64, 40) and item["x"].shape == (3, 128, 80)
    assert item["P_B"].max() < 27 and item["texture"].shape == (6, 128, 80)
    assert item["faces"].shape == (1, 4) and "regions" not in item
    pictures = (item["x"], item["plate"], item["images"])
    assert all(picture.dtype == torch.uint8 for picture in pictures)
    with_regions = replace(TINY_PAPER.b2f, loss=replace(TINY_PAPER.b2f.loss, region=1.0))
    item = batches.b2f_item(people[0], with_regions, rng)
    assert len(item["regions"]) == 3 and "texture" not in item  # two hands, upper clothes


def test_hands_that_are_switched_off_are_not_drawn_as_arms(people: list[Sample]) -> None:
    # The made labels end at the wrists; the hands hang into the background.
    def silhouettes(hands: bool) -> list[torch.Tensor]:
        p2b = replace(TINY.p2b, hand_labels=hands)
        b2f = replace(TINY_PAPER.b2f, hand_labels=hands)
        pose = batches.p2b_item(people[0], p2b, np.random.default_rng(0))
        frame = batches.b2f_item(people[0], b2f, np.random.default_rng(0), mapper=p2b)
        maps = [pose["p_star"], pose["P_M"], frame["P_B"], frame["inside"], frame["p_star"]]
        return [labels > 0 for labels in maps]

    for drawn, bare in zip(silhouettes(True), silhouettes(False), strict=True):
        assert (drawn & ~bare).any() and not (bare & ~drawn).any()


def test_the_parts_of_a_photo_are_told_with_its_hands(people: list[Sample]) -> None:
    shot, preset = people[0].shot(0), TINY_PAPER.b2f
    drawn = appearance.separate(shot.rgb, hand_labels(shot.labels, shot.skeleton), preset.crop)
    item = batches.painting_item(shot, augment.fitted(shot, preset.canvas), preset, None)
    np.testing.assert_array_equal(item["images"].movedim(1, -1), drawn.images)


def test_face_labels_are_drawn_at_full_size(people: list[Sample]) -> None:
    preset = replace(TINY_PAPER.b2f, size=(256, 160), canvas=(256, 160), channels=(8,) * 6)
    item = batches.b2f_item(people[0], preset, np.random.default_rng(1))
    assert set(range(22, 27)) <= set(item["P_B"].unique().tolist())


def test_the_face_box_holds_the_face(people: list[Sample]) -> None:
    item = batches.b2f_item(people[0], TINY_PAPER.b2f, np.random.default_rng(2))
    left, top, right, bottom = item["faces"][0].tolist()
    rows, columns = np.nonzero(item["P_B"].numpy() == 13)
    assert left <= columns.min() and columns.max() < right
    assert top <= rows.min() and rows.max() < bottom
    assert right - left == pytest.approx(bottom - top)


def test_worn_faces_are_worse_but_the_same_face(people: list[Sample]) -> None:
    item = face_items.fr_item(people[0], TINY.fr, np.random.default_rng(0))
    assert item is not None
    difference = (batches.signed(item["c0"]) - batches.signed(item["truth"])).abs().mean()
    assert 0.01 < difference < 0.5
    assert item["identity"].shape == (3, 32, 32)


def test_faces_bend_by_the_deviation_that_is_written_down() -> None:
    side, rng = 256, np.random.default_rng(0)
    ramp = np.broadcast_to(np.arange(side, dtype=np.uint8)[None, :, None], (side, side, 3))
    bends = [augment._bent(ramp, rng, 0.0, 1.0).astype(float) - ramp for _ in range(300)]
    inner = np.stack(bends)[:, :, 40:-40, 0]  # a ramp's value is its place, but for the edges
    assert inner.std() == pytest.approx(augment.ELASTIC * side, rel=0.1)


def test_a_codec_keeps_the_detail_of_red_better_than_that_of_blue() -> None:
    def contrast(channel: int) -> float:
        striped = np.zeros((64, 64, 3), np.uint8)
        striped[:, ::2, channel] = 255
        coded = appearances.coded(striped, 50)[..., channel].astype(float)
        return float(np.abs(np.diff(coded, axis=1)).mean())

    assert contrast(0) > 1.3 * contrast(2)  # brightness is 0.299 red and 0.114 blue


def test_fr_restores_by_another_picture_in_the_same_colours(people: list[Sample]) -> None:
    for seed in range(6):
        item = face_items.fr_item(people[0], TINY.fr, np.random.default_rng(seed))
        assert item is not None
        side = TINY.fr.size
        assert item["photo"].shape == item["c0"].shape == (3, side, side)
        assert not torch.equal(item["photo"], item["truth"])  # not the answer itself
        inside = item["inside"].float() / 255
        assert inside[side // 2, side // 2] == 1 and inside[0, 0] == 0
        assert 0.05 < inside.mean() < 0.6


def test_a_person_whose_face_shows_once_teaches_fr_only_without_a_photo(
    people: list[Sample],
) -> None:
    alone = replace(people[0], count=1, numbers=people[0].numbers[:1])
    rng = np.random.default_rng(0)
    assert face_items.fr_item(alone, TINY.fr, rng) is None
    item = face_items.fr_item(alone, replace(TINY.fr, photo=False), rng)
    assert item is not None and "photo" not in item


def test_boxes_carry_their_picture_s_number() -> None:
    items = [{"faces": torch.ones(n, 4)} for n in (1, 0, 2)]
    assert batches.collated(items, "cpu")["faces"][:, 0].tolist() == [0, 2, 2]


@pytest.mark.parametrize("nearer", [4, 7], ids=["right", "left"])
def test_in_a_mirror_the_nearer_hand_is_still_in_front(shot: Shot, nearer: int) -> None:
    world = np.random.default_rng(0).normal(0, 0.5, (25, 3)).astype(np.float32)
    world[[4, 7], 2] = 0.3
    world[nearer, 2] = -0.3
    body = shot.skeleton.body.copy()
    body[:, :2] = 40 * world[:, :2] + 70
    hand = shot.skeleton.left_hand
    skeleton = replace(
        shot.skeleton,
        body=body,
        left_hand=hand,
        right_hand=hand + np.float32([3, 2, 0]),
        world=world,
    )
    drawn = replace(shot, skeleton=skeleton, labels=hand_labels(shot.labels, skeleton))
    mirrored = augment.mirrored(drawn)
    again = hand_labels(mirrored.labels, mirrored.skeleton)
    front = Label.LEFT_HAND if nearer == 4 else Label.RIGHT_HAND  # sides are exchanged
    assert (drawn.labels == Label.LEFT_HAND).any() and (drawn.labels == Label.RIGHT_HAND).any()
    assert abs(int((again == front).sum()) - int((mirrored.labels == front).sum())) <= 3
    assert mirrored.skeleton.depth() is not None
