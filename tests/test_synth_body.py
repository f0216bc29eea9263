"""Bodies and clothes of the synthesiser: whole, dressed, with left left and right right."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from dance_synth import outfit as choices
from dance_synth.assets import Assets, open_assets
from dance_synth.drape import Drape
from dance_synth.human import Body, build, posed
from dance_synth.labelling import average_body, divided_skin
from dance_synth.layers import clearance
from dance_synth.outfit import SLOTS, Outfit, slots
from dance_synth.parts import Material, Posed
from dance_synth.shape import ADULT, STOUT, Shape, detail_names, macro_weights, morph
from dance_synth.skinning import RigPose
from dance_synth.surface import Sheet, clipped, group_sheet, split

from dancecli.errors import UsageError, WeightsError
from dancecli.labels import Label
from dancecli.types import JOINT

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "assets" / "humans"
ASSETS = Path(os.environ.get("DANCE_TEST_ASSETS") or _BESIDE)

needs_assets = pytest.mark.skipif(
    not (ASSETS / "MANIFEST.json").is_file(),
    reason=f"the human asset pack is not in {ASSETS}; set DANCE_TEST_ASSETS",
)

WOMAN, MAN = Shape(gender=0), Shape(gender=1)
STILL = RigPose(np.tile(np.eye(3, dtype=np.float32), (79, 1, 1)), np.zeros(3, np.float32))
MATERIALS = {
    name: Material(np.full((1, 1, 4), 20 + number, np.uint8), "cloth")
    for number, name in enumerate(SLOTS)
}
OUTFITS = {
    "shirt": (MAN, Outfit()),
    "bare": (MAN, Outfit(upper="", leg=0.2, shoes="", socks=0.0, hair="")),
    "dress": (WOMAN, Outfit(upper="dress", lower="", hair="long01")),
    "skirt": (WOMAN, Outfit(lower="skirt", hat="cap", hair="bob02", sleeve=0.0, neck=0.0)),
    "coat": (
        WOMAN,
        Outfit(coat="open", scarf=True, gloves=True, sunglasses=True, hat="beanie", leg=1.0),
    ),
    "jacket": (MAN, Outfit(coat="male_casualsuit05", lower="male_worksuit01", hat="fedora")),
    "suit": (MAN, Outfit(upper="male_casualsuit01", lower="male_casualsuit01")),
}


@lru_cache(maxsize=1)
def pack() -> Assets:
    return open_assets(ASSETS)


@lru_cache(maxsize=32)
def person(name: str) -> Body:
    shape, outfit = OUTFITS[name]
    return build(pack(), shape, outfit, MATERIALS)


def bent(bone: str, axis: int, degrees: float) -> RigPose:
    """Still, but for one bone and all that hangs on it."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.eye(3, dtype=np.float32)
    one, two = [i for i in range(3) if i != axis]
    turn[one, one], turn[one, two], turn[two, one], turn[two, two] = cos, -sin, sin, cos
    parents = pack().body["bone_parent"]
    rotations = STILL.rotations.copy()
    moved = {pack().bone_names.index(bone)}
    for number, parent in enumerate(parents):
        if number in moved or parent in moved:
            moved.add(number)
            rotations[number] = turn
    return RigPose(rotations, STILL.shift, grounded=False)


def silhouette(vertices: np.ndarray, triangles: np.ndarray, axis: int = 2) -> np.ndarray:
    """Pixels of 1 cm that triangles cover, seen from far along an axis: bool (220, 260)."""
    cv2 = pytest.importorskip("cv2")
    keep = [i for i in (0, 1, 2) if i != axis]
    flat = vertices[:, sorted(keep, key=lambda i: i == 1)]
    pixels = np.stack([flat[:, 0] * 100 + 130, 210 - flat[:, 1] * 100], 1)
    image = np.zeros((220, 260), np.uint8)
    for corners in np.round(pixels[triangles] * 16).astype(np.int32):
        cv2.fillConvexPoly(image, corners, 1, shift=4)
    return image > 0


def painted(vertices: np.ndarray, body: Body) -> np.ndarray:
    """Labels as seen from the front, uint8 (220, 260); what is nearer is painted later."""
    cv2 = pytest.importorskip("cv2")
    pixels = np.stack([vertices[:, 0] * 100 + 130, 210 - vertices[:, 1] * 100], 1)
    image = np.zeros((220, 260), np.uint8)
    order = np.argsort(vertices[body.triangles][..., 2].mean(1), kind="stable")
    corners = np.round(pixels[body.triangles] * 16).astype(np.int32)
    for number in order:
        cv2.fillConvexPoly(image, corners[number], int(body.labels[number]), shift=4)
    return image


def of_label(body: Body, *labels: Label) -> np.ndarray:
    """The corners (N, 3) in rest of all triangles with these labels."""
    here = np.isin(body.labels, labels)
    found = posed(body, STILL).vertices[body.triangles[here]].reshape(-1, 3)
    assert len(found), labels
    return found


@needs_assets
class TestAssets:
    def test_a_folder_without_a_pack_is_refused(self, tmp_path):
        with pytest.raises(WeightsError, match="holds no human assets"):
            open_assets(tmp_path)

    @pytest.mark.parametrize("harm", ["short", "changed", "gone"])
    def test_a_damaged_file_is_refused_by_name(self, tmp_path, harm):
        (tmp_path / "hair").mkdir()
        shutil.copy(ASSETS / "MANIFEST.json", tmp_path)
        data = bytearray((ASSETS / "hair/short03.npz").read_bytes())
        data[len(data) // 2] ^= 1
        if harm != "gone":
            kept = data if harm == "changed" else data[:-1]
            (tmp_path / "hair/short03.npz").write_bytes(bytes(kept))
        with pytest.raises(WeightsError, match=r"short03\.npz"):
            open_assets(tmp_path).fitted("hair", "short03")

    def test_a_manifest_of_something_else_is_refused(self, tmp_path):
        (tmp_path / "MANIFEST.json").write_text(json.dumps({"x": {"sha256": "0"}}))
        with pytest.raises(WeightsError, match=r"body\.npz"):
            open_assets(tmp_path)

    def test_every_choice_on_offer_can_be_worn(self):
        base = average_body(pack())
        for gender, shape in (("f", WOMAN), ("m", MAN)):
            offers = {
                "upper": choices.tops(pack(), gender), "lower": choices.bottoms(pack(), gender),
                "coat": choices.coats(pack(), gender), "hair": choices.hairs(pack(), gender),
                "shoes": choices.shoes(pack()), "hat": choices.hats(pack()),
            }  # fmt: skip
            assert all(len(names) >= 1 for names in offers.values()), offers
            longest = max(map(len, offers.values()))
            for number in range(longest):
                picked = {key: names[number % len(names)] for key, names in offers.items()}
                if picked["upper"] == "dress":
                    picked["lower"] = ""
                body = build(pack(), shape, Outfit(**picked), MATERIALS)
                assert np.isfinite(body.rig.rest).all(), picked
        assert base.shape == (19158, 3)


class TestShape:
    @pytest.mark.parametrize(
        "bad", [{"age": 0.3}, {"gender": 1.1}, {"weight": -0.1}, {"races": {}},
                {"races": {"elf": 1.0}}, {"details": {"nose/nose-hump-incr": 2.0}}]
    )  # fmt: skip
    def test_impossible_bodies_are_refused(self, bad):
        with pytest.raises(UsageError):
            Shape(**bad)

    @given(st.floats(0, 1), st.floats(ADULT, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
    def test_shares_of_a_kind_sum_to_one(self, gender, age, muscle, weight, height):
        shape = Shape(gender, age, muscle, weight, height)
        found = list(macro_weights(shape))
        races = sum(w for n, w in found if n.count("-") == 2 and "universal" not in n)
        builds = sum(w for n, w in found if n.startswith("macrodetails/universal"))
        assert races == pytest.approx(1)
        assert builds == pytest.approx(1)

    @needs_assets
    def test_an_unknown_detail_is_refused(self):
        with pytest.raises(UsageError, match="nose/none"):
            morph(pack(), Shape(details={"nose/none": 0.2}))

    @needs_assets
    def test_height_and_stoutness_do_what_they_say(self):
        def size(shape: Shape, axis: int) -> float:
            points = group_sheet(pack(), morph(pack(), shape), "body")
            used = points.points[np.unique(points.triangles)]
            if axis == 2:
                trunk = (np.abs(used[:, 1] - 0.15) < 0.1) & (np.abs(used[:, 0]) < 0.1)
                used = used[trunk]
            return float(np.ptp(used[:, axis]))

        heights = [size(Shape(height=h), 1) for h in (0.2, 0.5, 0.8)]
        assert 1.4 < heights[0] < heights[1] < heights[2] < 2.2
        assert set(STOUT) <= set(detail_names(pack()))
        stout = Shape(weight=1, details=dict.fromkeys(STOUT, 0.6))
        assert size(stout, 2) > size(Shape(), 2) + 0.05


class TestCutting:
    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.floats(-1, 1, width=32), min_size=9, max_size=9))
    def test_both_sides_together_are_the_whole(self, values):
        field = np.array(values, np.float32)
        grid = np.stack(np.meshgrid([0, 1, 2], [0, 1, 2], indexing="ij"), -1).reshape(-1, 2)
        quads = np.array([[r * 3 + c, r * 3 + c + 3, r * 3 + c + 4, r * 3 + c + 1]
                          for r in range(2) for c in range(2)])  # fmt: skip
        triangles = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]]).astype(np.int32)
        made = split(triangles, triangles, field, (9, 9))
        points = made.points.extend(grid.astype(np.float64))
        uvs = made.uvs.extend(grid.astype(np.float64))

        def area(rows: np.ndarray, of: np.ndarray) -> float:
            a, b = of[rows[:, 1]] - of[rows[:, 0]], of[rows[:, 2]] - of[rows[:, 0]]
            signed = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
            assert (signed >= -1e-6).all()
            return float(signed.sum())

        assert area(made.triangles, points) == pytest.approx(4, abs=1e-4)
        assert area(made.corners, uvs) == pytest.approx(4, abs=1e-4)
        after = made.points.extend(field)[made.triangles]
        assert (after[made.inside] >= -1e-5).all()
        assert (after[~made.inside] <= 1e-5).all()

    @needs_assets
    def test_a_hem_is_straight(self):
        base = average_body(pack())
        sheet = group_sheet(pack(), base, "helper-skirt")
        cut = clipped(sheet, [base[:, 1] + np.float32(0.3)])
        edge = cut.points[cut.points[:, 1] < -0.29]
        assert edge[:, 1] == pytest.approx(-0.3, abs=1e-5)
        assert np.allclose(cut.weights.sum(1), 1, atol=1e-5)


class TestLayers:
    def test_a_ray_meets_the_nearest_surface_on_either_side(self):
        def wall(x: float) -> Sheet:
            points = np.array([[x, -1, -1], [x, 3, -1], [x, -1, 3]], np.float32)
            rows = np.array([[0, 1, 2]], np.int32)
            nothing = np.zeros((3, 8))
            return Sheet(points, nothing.astype(np.uint8), nothing.astype(np.float32), rows, rows,
                         np.zeros((3, 2), np.float32), np.zeros(1, np.uint8))  # fmt: skip

        points = np.zeros((2, 3), np.float32)
        ways = np.array([[1, 0, 0], [0, 0, 0]], np.float32)
        found = clearance(points, ways, [wall(0.03), wall(-0.01), wall(0.2)])
        assert found[0] == pytest.approx(-0.01, abs=1e-6)
        assert np.isinf(found[1])
        assert np.isinf(clearance(points, ways, [])).all()

    def test_cloth_in_a_leg_is_moved_out_and_other_cloth_is_not(self):
        leg = np.array([[[0, 1, 0], [0, 0, 0]]], np.float32)
        hung = Drape(np.array([0, 1], np.int32), np.array([0]), leg,
                     np.full((1, 8), 0.1, np.float32), np.full((2, 1), 1, np.float32))  # fmt: skip
        points = np.array([[0.02, 0.5, 0], [0.3, 0.5, 0], [0.02, 0.5, 0]], np.float32)
        moves = np.concatenate([np.eye(3), np.zeros((3, 1))], 1)[None].astype(np.float32)
        out = hung.hung(points, moves)
        assert 0.1 < out[0, 0] < 0.12
        assert (out[1:] == points[1:]).all()


@needs_assets
class TestPerson:
    @pytest.mark.parametrize("name", OUTFITS)
    def test_arrays_fit_together(self, name):
        body = person(name)
        count, triangles = len(body.weld), len(body.triangles)
        assert 10_000 < triangles < 60_000
        assert body.triangles.min() >= 0 and max(body.triangles.max(), body.naked.max()) < count
        assert body.weld.max() == len(body.rig.rest) - 1
        assert body.uv.shape == (count, 2) and np.isfinite(body.uv).all()
        assert body.material.max() < len(body.materials)
        assert len(body.materials) == len(slots(OUTFITS[name][1]))
        assert body.labels.min() > 0 and body.labels.max() < 22
        assert body.part.max() <= 24 and body.part_uv.shape == (triangles, 3, 2)
        assert set(np.unique(body.naked_part)) == set(range(1, 25))
        assert body.naked_uv.min() >= 0 and body.naked_uv.max() <= 1
        assert 1.4 < body.height < 2.1
        assert np.allclose(body.rig.weights.sum(1), 1, atol=1e-4)

    def test_the_same_recipe_gives_the_same_bits(self):
        shape, outfit = OUTFITS["coat"]
        one, two = person("coat"), build(open_assets(ASSETS), shape, outfit, MATERIALS)
        for field in fields(one):
            first, second = getattr(one, field.name), getattr(two, field.name)
            if isinstance(first, np.ndarray):
                assert np.array_equal(first, second), field.name
        pose = bent("upperleg01.L", 0, -60)
        assert np.array_equal(posed(one, pose).vertices, posed(two, pose).vertices)

    def test_a_lacking_material_is_named(self):
        some = {k: v for k, v in MATERIALS.items() if k != "shoes"}
        with pytest.raises(UsageError, match="shoes"):
            build(pack(), MAN, Outfit(), some)

    @pytest.mark.parametrize(
        "wrong", [{"upper": "toga"}, {"lower": "shoes01"}, {"shoes": "male_casualsuit01"},
                  {"hat": "crown"}, {"hair": "x"}, {"upper": "male_worksuit01"}, {"coat": "cut"}]
    )  # fmt: skip
    def test_an_unknown_garment_is_refused(self, wrong):
        with pytest.raises(UsageError, match=next(iter(wrong.values()))):
            build(pack(), MAN, Outfit(**wrong), MATERIALS)

    def test_nobody_is_undressed(self):
        with pytest.raises(UsageError):
            Outfit(lower="")
        with pytest.raises(UsageError, match="gender"):
            build(pack(), WOMAN, Outfit(upper=""), MATERIALS)


@needs_assets
class TestLabels:
    def test_left_is_left(self):
        body = person("bare")
        for name in ("ARM", "HAND", "LEG"):
            assert of_label(body, Label[f"LEFT_{name}"])[:, 0].min() > -0.01
            assert of_label(body, Label[f"RIGHT_{name}"])[:, 0].max() < 0.01
        shod = person("shirt")
        assert of_label(shod, Label.LEFT_SHOE)[:, 0].min() > 0
        assert of_label(shod, Label.RIGHT_SHOE)[:, 0].max() < 0

    def test_bare_feet_are_legs_and_the_neck_is_trunk(self):
        body = person("bare")
        assert of_label(body, Label.LEFT_LEG)[:, 1].min() < 0.01
        assert Label.HAIR not in body.labels
        head = of_label(body, Label.FACE)
        assert head[:, 1].max() == pytest.approx(body.height, abs=0.02)
        assert head[:, 1].min() > of_label(body, Label.TORSO_SKIN)[:, 1].max() - 0.12

    def test_all_that_is_worn_has_its_label(self):
        worn = {
            "coat": {Label.COAT, Label.UPPER_CLOTHES, Label.PANTS, Label.SCARF, Label.GLOVE,
                     Label.SUNGLASSES, Label.HAT, Label.HAIR, Label.FACE},
            "dress": {Label.DRESS, Label.SOCKS, Label.LEFT_LEG, Label.LEFT_ARM, Label.LEFT_HAND},
            "skirt": {Label.SKIRT, Label.UPPER_CLOTHES, Label.TORSO_SKIN, Label.HAT},
            "jacket": {Label.COAT, Label.UPPER_CLOTHES, Label.PANTS, Label.HAT},
        }  # fmt: skip
        for name, labels in worn.items():
            assert labels <= set(np.unique(person(name).labels)), name
        assert Label.LEFT_HAND not in person("coat").labels or (
            (person("coat").labels == Label.GLOVE).sum()
            > 10 * (person("coat").labels == Label.LEFT_HAND).sum()
        )

    def test_parts_lie_where_densepose_has_them(self):
        body = person("bare")
        middle = posed(body, STILL).vertices[body.naked].mean(1)

        def at(part: int) -> np.ndarray:
            return middle[body.naked_part == part].mean(0)

        assert at(2)[2] > at(1)[2]
        for left, right in ((4, 3), (5, 6), (8, 7), (10, 9), (12, 11), (14, 13), (15, 16),
                            (17, 18), (19, 20), (21, 22), (24, 23)):  # fmt: skip
            assert at(left)[0] > 0.02 and at(right)[0] < -0.02
        for front, back in ((9, 7), (10, 8), (13, 11), (14, 12)):
            assert at(front)[2] > at(back)[2]
        for upper, lower in ((10, 14), (17, 21), (2, 10), (24, 2)):
            assert at(upper)[1] > at(lower)[1]

    def test_charts_run_on_within_a_part(self):
        """Along every edge inside a part, U and V of both sides agree but where V closes."""
        skin = divided_skin(pack())
        ends = np.concatenate([skin.triangles[:, [i, (i + 1) % 3]] for i in range(3)])
        uv = np.concatenate([skin.part_uv[:, [i, (i + 1) % 3]] for i in range(3)])
        part = np.tile(skin.part, 3)
        turned = ends[:, 0] > ends[:, 1]
        ends[turned], uv[turned] = ends[turned, ::-1], uv[turned, ::-1]
        order = np.lexsort((part, ends[:, 1], ends[:, 0]))
        ends, uv, part = ends[order], uv[order], part[order]
        same = (ends[1:] == ends[:-1]).all(1) & (part[1:] == part[:-1])
        gap = np.abs(uv[1:] - uv[:-1])[same].max((1, 2))
        closing = np.isin(part[1:][same], (3, 4, 5, 6))
        assert same.sum() > 30_000
        assert gap[~closing].max() < 0.01
        assert (gap[closing] > 0.01).mean() < 0.05


@needs_assets
class TestHiddenSkin:
    @pytest.mark.parametrize("name", OUTFITS)
    @pytest.mark.parametrize("axis", [0, 2])
    def test_the_dressed_person_covers_the_naked_one(self, name, axis):
        body = person(name)
        vertices = posed(body, STILL).vertices
        dressed = silhouette(vertices, body.triangles, axis)
        naked = silhouette(vertices, body.naked, axis)
        assert naked.sum() > 2000
        # A shoe's arch is above the sole of the foot in it.
        naked[205:] = False
        assert (naked & ~dressed).sum() < 0.003 * naked.sum()

    @pytest.mark.parametrize("name", ["shirt", "suit", "jacket", "coat"])
    @pytest.mark.parametrize("bone", ["", "upperleg01.L", "upperarm01.L"])
    def test_no_skin_comes_through_clothes(self, name, bone):
        body = person(name)
        pose = bent(bone, 0, -45) if bone else STILL
        seen = painted(posed(body, pose).vertices, body)
        covered = np.isin(seen, (Label.UPPER_CLOTHES, Label.COAT, Label.PANTS, Label.SCARF))
        torn = np.isin(seen, (Label.LEFT_LEG, Label.RIGHT_LEG))
        # The trunk's skin is seen at the neck alone.
        torn |= (seen == Label.TORSO_SKIN) & (np.arange(220) > 80)[:, None]
        assert covered.sum() > 2500
        assert torn.sum() < 0.01 * covered.sum()

    def test_hands_and_face_are_never_hidden(self):
        whole = (divided_skin(pack()).labels == Label.LEFT_HAND).sum()
        for name in ("shirt", "dress", "skirt", "suit"):
            assert (person(name).labels == Label.LEFT_HAND).sum() > 0.97 * whole, name


@needs_assets
class TestPose:
    @pytest.mark.parametrize("name", ["shirt", "dress", "coat"])
    def test_rest_stands_on_the_ground(self, name):
        found = posed(person(name), STILL)
        assert isinstance(found, Posed)
        assert found.vertices.dtype == np.float32 and found.points.shape == (137, 3)
        drawn = found.vertices[person(name).triangles]
        assert drawn[..., 1].min() == pytest.approx(0, abs=1e-5)
        assert np.abs(found.points[JOINT["mid_hip"]][[0, 2]]).max() < 0.1

    def test_keypoints_are_where_they_belong(self):
        body = person("bare")
        found = posed(body, STILL)
        names = JOINT
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
            left, right = (found.points[names[f"{s}_{joint}"]] for s in ("left", "right"))
            assert left[0] > 0.02 and right[0] < -0.02
            assert left[0] == pytest.approx(-right[0], abs=0.02)
        order = ("nose", "neck", "mid_hip", "left_knee", "left_ankle", "left_big_toe")
        heights = [found.points[names[joint]][1] for joint in order]
        assert heights == sorted(heights, reverse=True)
        for axis in (0, 2):
            shape = silhouette(found.vertices, body.naked, axis)
            flat = found.points[:, [2 if axis == 0 else 0, 1]]
            x, y = (flat[:, 0] * 100 + 130).astype(int), (210 - flat[:, 1] * 100).astype(int)
            near = np.lib.stride_tricks.sliding_window_view(np.pad(shape, 1), (3, 3)).max((2, 3))
            assert near[y, x].all()

    def test_face_normals_look_ahead_and_turn_with_the_head(self):
        body = person("shirt")
        still = posed(body, STILL).normals
        assert (still[:67] == 0).all()
        assert np.linalg.norm(still[67:], axis=1) == pytest.approx(1, abs=1e-4)
        assert still[67 + 30, 2] > 0.5 and still[67 + 68, 2] > 0.99
        behind = posed(body, bent("neck01", 1, 180)).normals
        assert behind[67 + 30, 2] < -0.4

    def test_a_bent_elbow_moves_the_hand_and_nothing_else(self):
        body = person("shirt")
        still, moved = posed(body, STILL), posed(body, bent("lowerarm01.L", 0, -90))
        gap = np.linalg.norm(moved.points - still.points, axis=1)
        assert gap[JOINT["left_wrist"]] > 0.2 and gap[25:46].min() > 0.2
        others = [JOINT[n] for n in ("right_wrist", "left_shoulder", "nose", "left_ankle")]
        assert gap[others].max() < 1e-4
        length = [
            np.linalg.norm(p.points[JOINT["left_wrist"]] - p.points[JOINT["left_elbow"]])
            for p in (still, moved)
        ]
        assert length[0] == pytest.approx(length[1], rel=0.05)

    def test_grounded_feet_and_free_ones(self):
        body = person("shirt")
        up = np.array([0.5, 0.3, -1], np.float32)
        free = posed(body, RigPose(STILL.rotations, up, grounded=False))
        assert free.vertices[body.triangles][..., 1].min() == pytest.approx(0.3, abs=1e-4)
        kept = posed(body, RigPose(STILL.rotations, up))
        assert kept.vertices[body.triangles][..., 1].min() == pytest.approx(0, abs=1e-5)
        assert kept.points[JOINT["mid_hip"], 0] == pytest.approx(0.5, abs=0.05)

    def test_a_raised_knee_stays_below_the_skirt(self):
        body = person("dress")
        cloth = np.unique(body.weld[body.triangles[body.labels == Label.DRESS]])
        hung = np.intersect1d(cloth, body.drape.rows)
        still = posed(body, STILL)
        raised = posed(body, bent("upperleg01.L", 0, -50))
        knee = raised.points[JOINT["left_knee"]]
        assert knee[2] > still.points[JOINT["left_knee"], 2] + 0.15
        where = np.zeros((len(body.rig.rest), 3), np.float32)
        where[body.weld] = raised.vertices
        hip = raised.points[JOINT["left_hip"]]
        axis = (knee - hip) / np.linalg.norm(knee - hip)
        offset = where[hung] - hip
        along = offset @ axis
        far = np.linalg.norm(offset - along[:, None] * axis, axis=1)
        beside = (along > 0.1) & (along < 0.9 * np.linalg.norm(knee - hip))
        assert beside.sum() > 50
        assert np.quantile(far[beside], 0.02) > 0.045

    def test_a_pose_of_another_rig_is_refused(self):
        with pytest.raises(UsageError, match="79"):
            posed(person("shirt"), RigPose(STILL.rotations[:5], STILL.shift))
