"""From people in whole pictures to samples: what is in them, and who is left out and why."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from mediapipe_media import DEMO, media, picture
from prepare_people import GREY, person, view

from dancecli.data import rules as reasons
from dancecli.data.people import Person, Skipped, View
from dancecli.data.plugins import AUTO, TRUTH, StageNames, Stages
from dancecli.data.preparing import prepare
from dancecli.data.rules import Rules
from dancecli.data.samples import Crop, Sample, encode
from dancecli.errors import UsageError
from dancecli.labels import Label
from dancecli.types import JOINT, DenseMap

EXACT = StageNames(pose=TRUTH, noise="none")

Array = np.ndarray


@cache
def stages(names: StageNames = EXACT) -> Stages:
    return Stages(names)


def prepared(*views: View, names: StageNames = EXACT, rules: Rules = Rules()) -> Sample:  # noqa: B008
    sample = prepare(person(*views), stages(names), rules)
    assert isinstance(sample, Sample), sample
    encode(sample)  # raises where the format is broken
    return sample


def reason(*views: View, names: StageNames = EXACT, rules: Rules = Rules()) -> str:  # noqa: B008
    skipped = prepare(person(*views), stages(names), rules)
    assert isinstance(skipped, Skipped)
    return skipped.reason


def body(crop: Crop) -> Array:
    """The person without hands, whose drawn fingers reach past the figure's."""
    return np.isin(crop.labels, [0, Label.LEFT_HAND, Label.RIGHT_HAND], invert=True)


def test_a_crop_shows_the_person_at_one_size_with_labels_pose_and_dense() -> None:
    (crop,) = prepared(view()).crops
    assert crop.rgb.shape == crop.plate.shape == (512, 320, 3)
    rows = np.flatnonzero(body(crop).any(1))
    assert (rows[-1] + 1 - rows[0]) * 1.2 == pytest.approx(512, rel=0.03)
    for joint, label in (("nose", Label.FACE), ("left_knee", Label.LEFT_LEG),
                         ("right_elbow", Label.RIGHT_ARM)):  # fmt: skip
        x, y = crop.skeleton.joint(joint).astype(int)
        assert crop.labels[y, x] == label, joint
    assert crop.dense is not None
    shown = crop.dense.iuv[..., 0] > 0
    assert (shown & body(crop)).sum() > 0.75 * shown.sum()


def test_hands_are_drawn_where_their_points_are() -> None:
    (crop,) = prepared(view()).crops
    for side, label in (("left", Label.LEFT_HAND), ("right", Label.RIGHT_HAND)):
        points = getattr(crop.skeleton, f"{side}_hand")[:, :2].astype(int)
        assert (crop.labels[points[:, 1], points[:, 0]] == label).mean() > 0.9
    (bare,) = prepared(view(hands=False)).crops
    assert bare.labels.max() < Label.LEFT_HAND


def test_the_plate_has_nobody_on_it_and_is_the_picture_elsewhere() -> None:
    (crop,) = prepared(view()).crops
    assert np.abs(crop.plate.astype(int) - GREY).max() <= 6
    far = np.s_[:20]
    assert np.array_equal(crop.plate[far], crop.rgb[far])


def test_other_people_are_off_the_plate_too_but_not_in_the_labels() -> None:
    alone = view()
    rgb, people = alone.rgb.copy(), np.asarray(alone.people).copy()
    rgb[100:400, 385:410] = (250, 20, 20)
    people[100:400, 385:410] = True
    (crop,) = prepared(replace(alone, rgb=rgb, people=people)).crops
    red = (crop.rgb[..., 0] > 200) & (crop.rgb[..., 1] < 60)
    assert red.any() and not crop.labels[red].any()
    assert (np.abs(crop.plate.astype(int) - GREY).max(-1) > 40).mean() < 0.002


def test_a_plate_that_the_set_knows_is_taken() -> None:
    known = view()
    pattern = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    plate = np.tile(pattern, (26, 28, 1))
    (crop,) = prepared(replace(known, plate=plate)).crops
    assert crop.plate.std() > 30


def test_someone_cut_off_by_the_picture_is_not_smeared_beyond_its_edge() -> None:
    cut = view(tall=500, place=(60, 120), size=(400, 440))
    assert (np.asarray(cut.labels)[-1] > 0).any()
    sample = prepared(cut, rules=Rules(joints=6))
    (crop,), (box,) = sample.crops, sample.about["boxes"]
    edge = int((400 - box[1]) * 512 / (box[3] - box[1]))
    assert edge < 480 and crop.labels[: edge - 2].any()
    assert np.abs(crop.rgb[edge + 3 :].astype(int) - GREY).max() <= 10
    assert not crop.labels[edge + 2 :].any()


def test_what_meta_json_says_leads_back_to_the_picture() -> None:
    views = [view(number=4), view(place=(100, 30), number=30)]
    sample = prepared(*views)
    about = json.loads(json.dumps(sample.about))
    assert about["set"] == "made" and about["stages"]["pose"] == "truth"
    assert [crop.number for crop in sample.crops] == [4, 30]
    for crop, known, box, face in zip(sample.crops, views, about["boxes"], about["faces"],
                                      strict=True):  # fmt: skip
        assert known.skeleton is not None
        back = crop.skeleton.moved((box[3] - box[1]) / 512, box[0], box[1])
        assert np.allclose(back.body, known.skeleton.body, atol=1e-2)
        rows, columns = np.nonzero(crop.labels == Label.FACE)
        assert face[0] <= columns.min() and face[2] >= columns.max() + 1
        assert face[1] <= rows.min() and face[3] >= rows.max() + 1
        assert face[2] - face[0] == pytest.approx(face[3] - face[1], abs=0.3)
    assert about["face_labels"] == [[], []], "the figure has no landmarks"


def test_a_face_that_is_not_seen_has_no_box_and_one_with_landmarks_has_labels() -> None:
    known = view()
    behind = np.where(known.labels == Label.FACE, Label.HAIR, known.labels).astype(np.uint8)
    face = np.ones((70, 3), np.float32)
    assert known.skeleton is not None
    face[:, :2] = known.skeleton.joint("nose") + np.mgrid[0:7, 0:10].reshape(2, 70).T * 3
    sample = prepared(
        replace(known, labels=behind), replace(known, skeleton=replace(known.skeleton, face=face))
    )
    assert sample.about["faces"][0] is None and sample.about["faces"][1] is not None
    assert sample.about["face_labels"][0] == []
    assert set(sample.about["face_labels"][1]) <= {22, 23, 24, 25, 26}
    assert sample.about["face_labels"][1]


def hidden(known: View) -> View:
    people = np.asarray(known.people).copy()
    labels = np.asarray(known.labels).copy()
    people[260:, :], labels[260:, :] = True, 0
    return replace(known, people=people, labels=labels)


def elsewhere(known: View) -> View:
    assert known.skeleton is not None
    return replace(known, skeleton=known.skeleton.moved(1, 190, 0))


def without_joints(known: View) -> View:
    assert known.skeleton is not None
    points = known.skeleton.body.copy()
    points[[i for name, i in JOINT.items() if name not in ("neck", "nose", "left_hip")], 2] = 0
    return replace(known, skeleton=replace(known.skeleton, body=points))


UNUSABLE = {
    reasons.SMALL: lambda: view(tall=150),
    reasons.EMPTY: lambda: replace(view(), labels=np.zeros((520, 560), np.uint8)),
    reasons.UNEVEN: lambda: replace(view(), labels=np.ones((519, 560), np.uint8)),
    reasons.FEW_JOINTS: lambda: without_joints(view()),
    reasons.ELSEWHERE: lambda: elsewhere(view()),
    reasons.HIDDEN: lambda: hidden(view()),
    reasons.NO_TRUE_POSE: lambda: replace(view(), skeleton=None),
    reasons.THIN: lambda: replace(view(), mask=np.eye(520, 560, dtype=bool)),
}


@pytest.mark.parametrize("why", UNUSABLE)
def test_who_cannot_serve_is_left_out_for_that_reason(why: str) -> None:
    assert reason(UNUSABLE[why]()) == why


def test_unusable_views_are_counted_and_the_others_kept() -> None:
    sample = prepared(view(number=1), elsewhere(view(number=2)), view(tall=150, number=3))
    assert [crop.number for crop in sample.crops] == [1]
    assert sample.about["dropped"] == {reasons.ELSEWHERE: 1, reasons.SMALL: 1}
    assert reason(view(tall=150), elsewhere(view()), view(tall=100)) == reasons.SMALL
    assert reason() == reasons.EMPTY


def test_a_view_comes_out_the_same_alone_and_among_others() -> None:
    names = StageNames(pose=TRUTH)
    views = [view(number=n, place=(100 + 9 * n, 50)) for n in range(3)]
    together = prepared(*views, names=names)
    alone = [prepared(v, names=names).crops[0] for v in views[::-1]][::-1]
    for one, other in zip(together.crops, alone, strict=True):
        assert np.array_equal(one.skeleton.points(), other.skeleton.points())
        assert np.array_equal(one.rgb, other.rgb) and np.array_equal(one.labels, other.labels)
        assert np.array_equal(one.plate, other.plate)
        assert one.dense and other.dense and np.array_equal(one.dense.iuv, other.dense.iuv)


def test_noise_moves_true_poses_and_the_template_follows() -> None:
    (exact,) = prepared(view()).crops
    (noisy,) = prepared(view(), names=StageNames(pose=AUTO)).crops
    seen = noisy.skeleton.body[:, 2] > 0
    away = np.linalg.norm((exact.skeleton.body - noisy.skeleton.body)[seen, :2], axis=1)
    assert 0.5 < np.median(away) < 35
    assert exact.dense and noisy.dense
    assert not np.array_equal(exact.dense.iuv, noisy.dense.iuv)
    assert np.array_equal(body(exact) & body(noisy), body(exact) & body(noisy))
    other = prepared(view(), names=StageNames(seed=1)).crops[0]
    assert not np.array_equal(noisy.skeleton.body, other.skeleton.body)


def test_what_mask_and_parser_say_is_kept_beside_the_truth_where_it_is_wanted() -> None:
    bare = prepared(view()).crops[0]
    assert bare.parsed is None
    crop = prepared(view(), names=replace(EXACT, parsed=True, parser="heuristic")).crops[0]
    assert np.array_equal(crop.labels, bare.labels)
    assert crop.parsed is not None and not np.array_equal(crop.parsed, crop.labels)
    true, found = crop.labels > 0, crop.parsed > 0
    assert (true & found).sum() / (true | found).sum() > 0.7


def test_a_true_dense_map_is_cropped_and_none_invented() -> None:
    known = view()
    iuv = np.zeros((*np.asarray(known.labels).shape, 3), np.float32)
    iuv[np.asarray(known.labels) > 0] = (2, 0.25, 0.75)
    names = replace(EXACT, dense=TRUTH)
    (crop,) = prepared(replace(known, dense=DenseMap(iuv)), names=names).crops
    assert crop.dense is not None
    marked = crop.dense.iuv[..., 0] > 0
    assert np.allclose(crop.dense.iuv[marked], (2, 0.25, 0.75))
    assert (marked == (crop.labels > 0))[body(crop)].mean() > 0.99
    assert prepared(known, names=names).crops[0].dense is None


def test_names_that_nobody_has_are_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="heuristic"):
        StageNames(parser="heuristics").check()
    with pytest.raises(UsageError, match="mediapipe"):
        StageNames(pose="openpoze").check()
    with pytest.raises(UsageError, match="measured"):
        StageNames(noise="loud").check()
    StageNames(pose=TRUTH, dense=TRUTH).check()


def test_a_bare_photo_gets_everything_from_the_plugins() -> None:
    frame = picture(DEMO / "photo.jpg")
    (crop,) = prepared(View(frame.rgb), names=StageNames()).crops
    assert {Label.FACE, Label.UPPER_CLOTHES} <= set(np.unique(crop.labels).tolist())
    assert crop.skeleton.seen("left_shoulder", "right_hip", "left_knee")
    x, y = crop.skeleton.joint("nose").astype(int)
    assert crop.labels[y, x] == Label.FACE
    inside = body(crop)
    changed = np.abs(crop.rgb.astype(int) - crop.plate).max(-1) > 12
    assert changed[inside].mean() > 0.6, "the person is gone from the plate"


def test_each_of_a_group_gets_their_own_pose() -> None:
    """The pose is looked for where the mask is, so that a neighbour's is not taken."""
    frame = picture(media("target_group_skiers.jpg"))
    names = StageNames()
    found = stages(names).pose.extract(frame)
    assert len(found) >= 3
    masks = [stages(names).mask.mask(frame, s).alpha >= 0.5 for s in found[:2]]
    people = np.logical_or.reduce(masks)
    for mask, skeleton in zip(masks, found, strict=False):
        sample = prepare(
            Person("p", (View(frame.rgb, mask=mask, people=people),)), stages(names),
            Rules(height=60),
        )  # fmt: skip
        assert isinstance(sample, Sample)
        box = sample.about["boxes"][0]
        back = sample.crops[0].skeleton.moved((box[3] - box[1]) / 512, box[0], box[1])
        tall = mask.any(1).sum()
        away = np.linalg.norm((back.body - skeleton.body)[:, :2], axis=1)
        assert np.median(away) < 0.05 * tall
