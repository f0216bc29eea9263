"""How the synthetic humans look, and who they are: textures, recipes, shares."""

from __future__ import annotations

import itertools
import json
import os
import pickle
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from dance_synth import outfit as wardrobe
from dance_synth.assets import Assets, open_assets
from dance_synth.catalogue import Catalogue, catalogue, groups
from dance_synth.crowd.bodies import age_value, years
from dance_synth.crowd.outfits import CHANCES, sample_outfit
from dance_synth.crowd.palette import companions
from dance_synth.looks.atlas import skin_atlas
from dance_synth.looks.cloth import CUT_CHEST, cut_cloth, garment_cloth, panels
from dance_synth.looks.complexion import Complexion
from dance_synth.looks.fabric import PATTERNS, Fabric, weave
from dance_synth.looks.hair import brows, eyes, hair
from dance_synth.looks.prints import PRINTS, SIDE, draw_print, lay_print
from dance_synth.looks.skin import paint_skin
from dance_synth.noise import clouds, noise_in_space
from dance_synth.outfit import slots
from dance_synth.parts import Material
from dance_synth.recipe import Recipe, materials, sample
from dance_synth.shape import ADULT, detail_names

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "assets" / "humans"
ASSETS = Path(os.environ.get("DANCE_TEST_ASSETS") or _BESIDE)

needs_assets = pytest.mark.skipif(
    not (ASSETS / "MANIFEST.json").is_file(),
    reason=f"the human asset pack is not in {ASSETS}; set DANCE_TEST_ASSETS",
)

KINDS = {"skin", "cloth", "hair", "eye", "leather"}


@lru_cache(maxsize=1)
def pack() -> Assets:
    return open_assets(ASSETS)


@pytest.fixture
def assets() -> Assets:
    return pack()


@lru_cache(maxsize=1)
def crowd() -> tuple[Recipe, ...]:
    """Many people, drawn once; drawing needs no meshes."""
    return tuple(sample(3, index, catalogue(pack())) for index in range(1000))


def colour_of(material: Material, rows: np.ndarray) -> np.ndarray:
    """Mean colour over some texels."""
    return material.texture[..., :3].reshape(-1, 3)[rows].astype(float).mean(0)


# Noise and fabric, which need no pack


def test_clouds_are_even_and_their_edges_meet() -> None:
    field = clouds(np.random.default_rng(0), 256, (4, 6))
    assert field.mean() == pytest.approx(0, abs=1e-4) and field.std() == pytest.approx(1, abs=1e-3)
    for axis in (0, 1):
        inside = np.abs(np.diff(field, axis=axis)).mean()
        across = np.abs(np.take(field, 0, axis) - np.take(field, -1, axis)).mean()
        assert across < 2 * inside


def test_noise_in_space_depends_on_the_place_alone() -> None:
    points = np.random.default_rng(1).uniform(-1, 1, (4000, 3)).astype(np.float32)
    first = noise_in_space(np.random.default_rng(5), points, 0.1)
    near = points + np.float32(1e-4)
    assert 0.7 < first.std() < 1.4
    again = noise_in_space(np.random.default_rng(5), np.vstack([points, near]), 0.1)
    np.testing.assert_allclose(again[:4000], again[4000:], atol=0.05)


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_a_fabric_repeats_without_a_seam_and_keeps_its_colours(pattern: str) -> None:
    colours = ((60, 70, 120), (200, 190, 160), (120, 40, 40))
    for seed in range(3):
        cloth = weave(Fabric(pattern, colours, 1.0, "", seed))
        assert cloth.shape == (512, 512, 3) and np.isfinite(cloth).all()
        assert cloth.min() > -0.05 and cloth.max() < 1.3
        for axis in (0, 1):
            steps = np.abs(np.diff(cloth, axis=axis)).mean((1 - axis, 2))
            seam = np.abs(np.take(cloth, 0, axis) - np.take(cloth, -1, axis)).mean()
            assert seam <= 1.3 * steps.max() + 0.01
        low, high = np.array(colours).min(0) / 255, np.array(colours).max(0) / 255
        mean = cloth.mean((0, 1))
        assert (mean > 0.55 * low).all()
        assert (mean < np.maximum(1.1 * high, 0.9)).all()


def test_a_fabric_follows_its_seed() -> None:
    fabric = Fabric("flowers", seed=4)
    assert np.array_equal(weave(fabric), weave(fabric))
    assert not np.array_equal(weave(fabric), weave(replace(fabric, seed=5)))


@pytest.mark.parametrize("name", sorted(PRINTS))
def test_prints_are_seen_and_keep_within_their_alpha(name: str) -> None:
    colours = [np.array(c, np.float32) for c in ((0.9, 0.1, 0.1), (0.1, 0.2, 0.8))]
    for seed in range(4):
        drawn = draw_print(name, np.random.default_rng(seed), colours)
        assert drawn.shape == (SIDE, SIDE, 4)
        alpha = drawn[..., 3]
        assert alpha.min() >= 0 and alpha.max() <= 1
        assert 0.005 < (alpha > 0.5).mean() < 0.95
        assert (drawn[..., :3].max(2) <= alpha + 1e-4).all()


def test_a_print_is_laid_upright_in_the_middle_of_the_chest() -> None:
    cloth = np.zeros((512, 512, 3), np.float32)
    drawn = np.zeros((SIDE, SIDE, 4), np.float32)
    drawn[: SIDE // 2, : SIDE // 2] = (1, 0, 0, 1)  # its upper left quarter, as it is read
    lay_print(cloth, drawn, CUT_CHEST, 0.2)
    rows, columns = np.nonzero(cloth[..., 0] > 0.5)
    # Read from the front, left is the wearer's right, -x; u = 0 lies at the tile's edge.
    across = (columns + 256) % 512 - 256
    assert across.min() == pytest.approx(-0.1 * 512, abs=3)
    assert across.max() == pytest.approx(0, abs=3)
    height = 1 - rows / 512
    assert height.min() == pytest.approx(0.40, abs=0.01)
    assert height.max() == pytest.approx(0.50, abs=0.01)


def test_companions_can_be_told_from_the_ground() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ground, *others = companions(rng, (int(rng.integers(256)), 90, 120))
        for colour in others:
            assert all(0 <= v <= 255 for v in colour)
            assert abs(sum(colour) - sum(ground)) > 45


# Names


def test_targets_are_grouped_by_side_and_alternative() -> None:
    found = groups((
        "ears/l-ear-scale-decr", "ears/l-ear-scale-incr", "ears/r-ear-scale-decr",
        "ears/r-ear-scale-incr", "head/head-oval", "stomach/stomach-pregnant-incr",
        "x/eyebrows-left-down", "x/eyebrows-right-down",
    ))  # fmt: skip
    assert found == (
        (
            ("ears/l-ear-scale-decr", "ears/r-ear-scale-decr"),
            ("ears/l-ear-scale-incr", "ears/r-ear-scale-incr"),
        ),
        (("head/head-oval",),),
        (("x/eyebrows-left-down", "x/eyebrows-right-down"),),
    )


@given(st.floats(18, 90))
def test_ages_go_there_and_back(age: float) -> None:
    assert age_value(age) >= ADULT
    from dance_synth.shape import Shape

    assert years(Shape(age=age_value(age))) == pytest.approx(age, abs=0.05)


# People


@needs_assets
def test_a_person_depends_on_seed_and_number_alone(assets: Assets) -> None:
    names = catalogue(assets)
    apart = [sample(7, index, names) for index in (5, 2, 9)]
    again = [sample(7, index, names) for index in (2, 5, 9)]
    assert apart[0] == again[1] and apart[1] == again[0] and apart[2] == again[2]
    assert apart[0] != apart[1] and sample(8, 5, names) != apart[0]


@needs_assets
@given(seed=st.integers(0, 2**31), index=st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_every_recipe_can_be_made_from_the_catalogue(seed: int, index: int) -> None:
    assets = pack()
    names = catalogue(assets)
    person = sample(seed, index, names)
    gender = "m" if person.shape.gender > 0.5 else "f"
    outfit = person.outfit
    assert outfit.upper in wardrobe.tops(assets, gender)
    assert outfit.lower in ("", *wardrobe.bottoms(assets, gender))
    assert outfit.coat in ("", *wardrobe.coats(assets, gender))
    assert outfit.hair in wardrobe.hairs(assets, gender)
    assert outfit.shoes in ("", *names.shoes) and outfit.hat in ("", *names.hats)
    assert outfit.brows in names.brows and outfit.lashes in names.lashes
    assert set(person.shape.details) <= set(detail_names(assets))
    assert person.eyes in names.eyes
    painted = {"skin", "eyes", "teeth", "brows", "lashes", "hair"}
    assert set(person.fabrics) == set(slots(outfit)) - painted
    assert all(f.pattern in (*PATTERNS, "own") for f in person.fabrics.values())
    assert all(f.print in ("", *PRINTS) for f in person.fabrics.values())
    assert json.loads(json.dumps(person.as_json()))["outfit"]["shoes"] == outfit.shoes
    assert pickle.loads(pickle.dumps(person)) == person


@needs_assets
def test_left_and_right_details_go_together(assets: Assets) -> None:
    for person in crowd()[:200]:
        for name, weight in person.shape.details.items():
            folder, _, last = name.rpartition("/")
            other = {"l-": "r-", "r-": "l-"}.get(last[:2])
            if other:
                assert person.shape.details[f"{folder}/{other}{last[2:]}"] == weight


@needs_assets
def test_everyone_is_an_adult_and_ages_are_mixed() -> None:
    ages = np.array([years(person.shape) for person in crowd()])
    assert ages.min() >= 17.9
    assert 0.5 < (ages < 40).mean() < 0.75 and (ages > 60).mean() > 0.06


@needs_assets
def test_bodies_are_mixed() -> None:
    people = crowd()
    assert 0.45 < np.mean([p.shape.gender > 0.5 for p in people]) < 0.55
    for race in ("african", "asian", "caucasian"):
        assert np.mean([p.shape.races[race] > 0.5 for p in people]) > 0.2
    melanin = np.array([p.complexion.melanin for p in people])
    assert (melanin < 0.2).mean() > 0.1 and (melanin > 0.6).mean() > 0.15
    african = np.array([p.shape.races["african"] for p in people])
    assert np.corrcoef(african, melanin)[0, 1] > 0.7


@needs_assets
def test_rare_labels_are_as_frequent_as_stated() -> None:
    people = crowd()
    women = [p for p in people if p.shape.gender <= 0.5]
    worn = Counter(slot for p in people for slot in slots(p.outfit))
    for slot in ("coat", "hat", "gloves", "scarf", "sunglasses"):
        assert worn[slot] / len(people) == pytest.approx(CHANCES[slot], abs=0.035)
    dresses = [p for p in women if p.outfit.upper == "dress"]
    assert len(dresses) / len(women) == pytest.approx(CHANCES["dress"], abs=0.05)
    skirts = [p for p in women if p.outfit.lower in ("skirt", "female_elegantsuit01")]
    others = len(women) - len(dresses)
    assert len(skirts) / others == pytest.approx(CHANCES["skirt"], abs=0.06)
    assert worn["dress"] == len(dresses)
    assert 0.4 < worn["socks"] / len(people) < 0.75
    assert np.mean([p.outfit.hair in ("", "shaved") for p in people]) > 0.08


@needs_assets
def test_clothes_are_mostly_muted() -> None:
    surfaces = [p.fabrics[s] for p in crowd() for s in ("upper", "lower") if s in p.fabrics]
    grounds = np.array([fabric.colours[0] for fabric in surfaces])
    saturation = np.ptp(grounds, axis=1) / np.maximum(grounds.max(1), 1)
    vivid = (saturation > 0.6) & (grounds.max(1) > 110)
    assert vivid.mean() < 0.15
    assert (np.ptp(grounds, axis=1) < 40).mean() > 0.4


@needs_assets
def test_only_men_have_beards_only_women_make_up_and_old_people_go_grey() -> None:
    for person in crowd():
        looks = person.complexion
        if person.shape.gender > 0.5:
            assert looks.lips is None and looks.lids is None
        else:
            assert looks.beard == 0
    young = [p.grey for p in crowd() if years(p.shape) < 33]
    old = [p.grey for p in crowd() if years(p.shape) > 72]
    assert max(young) == 0 and np.mean(old) > 0.6


@needs_assets
def test_a_dress_is_never_worn_with_a_suit_jacket(assets: Assets) -> None:
    names: Catalogue = catalogue(assets)
    for seed in range(400):
        outfit = sample_outfit(np.random.default_rng(seed), names, "f")
        if outfit.upper == "dress":
            assert outfit.coat in ("", "open") and outfit.lower in ("", "cut")


# Textures


@needs_assets
def test_every_surface_gets_a_texture_in_range(assets: Assets) -> None:
    seen = set()
    for person in crowd()[:7]:
        made = materials(person, assets)
        assert set(made) == set(slots(person.outfit))
        for slot, material in made.items():
            seen.add(slot)
            texture = material.texture
            assert texture.dtype == np.uint8 and texture.shape[2] == 4
            assert texture.shape[0] == texture.shape[1] in (256, 512)
            assert material.kind in KINDS
            assert material.cutout == (slot in ("hair", "brows", "lashes"))
            if not material.cutout:
                assert (texture[..., 3] == 255).all()
    assert {"upper", "lower", "shoes", "hair"} <= seen


@needs_assets
def test_materials_are_the_same_every_time(assets: Assets) -> None:
    person = crowd()[4]
    first, second = materials(person, assets), materials(person, open_assets(ASSETS))
    for slot, material in first.items():
        assert np.array_equal(material.texture, second[slot].texture), slot


@needs_assets
def test_the_atlas_knows_where_the_skin_is(assets: Assets) -> None:
    atlas = skin_atlas(assets, 256)
    names = [str(n) for n in assets.vertex_labels["coarse_names"]]
    heights = {name: atlas.place[atlas.part == names.index(name), 1].mean() for name in names}
    assert heights["head"] > heights["torso"] > heights["l_upper_leg"] > heights["l_foot"]
    left = atlas.place[atlas.part == names.index("l_hand"), 0]
    assert left.min() > 0.3
    assert atlas.nearest.shape == (256 * 256,) and atlas.nearest.max() < len(atlas.texels)
    assert np.array_equal(atlas.nearest[atlas.texels], np.arange(len(atlas.texels)))
    assert atlas.place[atlas.scalp > 0.9][:, 1].min() > 0.65


@needs_assets
def test_skin_darkens_with_melanin_and_palms_stay_paler(assets: Assets) -> None:
    atlas = skin_atlas(assets, 256)
    torso = atlas.texels[atlas.part == 0]
    tones = [
        colour_of(paint_skin(assets, Complexion(melanin=m, tan=0), 256), torso)
        for m in (0.05, 0.35, 0.65, 0.95)
    ]
    for lighter, darker in itertools.pairwise(tones):
        assert (darker < lighter - 8).all()
    for tone in tones:
        assert tone[0] > tone[1] > tone[2]
    dark = paint_skin(assets, Complexion(melanin=0.9), 256)
    hand = atlas.part == [str(n) for n in assets.vertex_labels["coarse_names"]].index("l_hand")
    across = atlas.place @ np.array([0.81, 0.57, 0.1], np.float32)
    palm, back = atlas.texels[hand & (across < 0.48)], atlas.texels[hand & (across > 0.515)]
    assert (colour_of(dark, palm) > colour_of(dark, back) + 20).all()


@needs_assets
def test_beard_lipstick_and_hair_are_where_they_belong(assets: Assets) -> None:
    atlas = skin_atlas(assets, 512)
    marks = atlas.landmarks

    def at(person: Complexion, points: np.ndarray) -> np.ndarray:
        texture = paint_skin(assets, person, 512)
        rows = [((atlas.place - point) ** 2).sum(1).argsort()[:60] for point in points]
        return colour_of(texture, atlas.texels[np.concatenate(rows)])

    plain = Complexion(melanin=0.2, hair=(30, 20, 15), seed=2)
    chin, nose, crown = marks[[8]] + [0, 0.008, 0], marks[[29]], np.array([[0, 0.84, 0.02]])
    bearded = replace(plain, beard=1.0)
    assert at(bearded, chin).mean() < at(plain, chin).mean() - 60
    assert at(bearded, nose).mean() == pytest.approx(at(plain, nose).mean(), abs=6)
    bald = replace(plain, scalp=0.0)
    assert at(plain, crown).mean() < 60 < 140 < at(bald, crown).mean()
    lips = marks[[51, 57]]
    painted = at(replace(plain, lips=(160, 20, 40)), lips)
    assert painted[0] - painted[1] > at(plain, lips)[0] - at(plain, lips)[1] + 12


@needs_assets
def test_hair_takes_the_colour_asked_for_and_greys(assets: Assets) -> None:
    for style in ("short01", "braid01", "long01", "afro01", "bob01"):
        for colour in ((30, 22, 20), (205, 175, 130)):
            made = hair(assets, style, colour, 0.0, 1).texture
            seen = made[made[..., 3] > 128][:, :3].mean(0)
            np.testing.assert_allclose(seen, colour, atol=32)
    black, white = (hair(assets, "short03", (25, 20, 18), g, 1).texture for g in (0.0, 1.0))
    opaque = black[..., 3] > 128
    assert white[opaque][:, :3].mean() > black[opaque][:, :3].mean() + 80
    assert 0 < (hair(assets, "afro01", (30, 22, 20), 0.0, 1).texture[..., 3] == 0).mean() < 0.3


@needs_assets
def test_brows_are_thin_and_eyes_are_not_lurid(assets: Assets) -> None:
    brow = brows(assets, "eyebrow001", (200, 60, 20)).texture
    assert (brow[..., 3] == 0).mean() > 0.5 and brow[..., 3].max() > 100
    assert tuple(brow[0, 0, :3]) == pytest.approx((150, 45, 15), abs=1)
    for name in catalogue(assets).eyes:
        texture = eyes(assets, name).texture[..., :3].astype(float)
        saturation = np.ptp(texture, axis=2) / np.maximum(texture.max(2), 1)
        assert np.percentile(saturation, 99) < 0.75
        assert texture.max() < 235


@needs_assets
def test_the_pack_s_own_clothes_turn_to_the_colour_wanted(assets: Assets) -> None:
    for target in ((150, 40, 40), (40, 110, 60), (200, 196, 190)):
        fabric = Fabric("own", (target, (0, 0, 0), (255, 255, 255)))
        made = garment_cloth(assets, "male_casualsuit02", "upper", fabric)
        seen = panels(assets, "male_casualsuit02", "upper").seen
        mean = np.median(made.texture[seen][:, :3], 0)
        np.testing.assert_allclose(mean, target, atol=30)


@needs_assets
def test_modelled_tops_are_printed_on_one_flat_chest(assets: Assets) -> None:
    names = catalogue(assets).printable
    assert "male_casualsuit02" in names and "male_casualsuit03" not in names  # it has buttons
    for name in names:
        found = panels(assets, name, "upper")
        assert found.chest is not None
        u, v = found.chest[:, 2]
        assert found.seen[int((1 - v) * 512), int(u * 512)]
        assert np.linalg.det(found.chest[:, :2]) > 0  # not mirrored
    bare = Fabric("plain", seed=1)
    plain, printed = (
        garment_cloth(assets, names[-1], "upper", fabric).texture
        for fabric in (bare, replace(bare, print="badge"))
    )
    changed = (plain != printed).any(2)
    assert 0.001 < changed.mean() < 0.2


@needs_assets
def test_baked_shade_is_floored_and_gaps_hold_no_black(assets: Assets) -> None:
    for name, surface in (("male_casualsuit05", "lower"), ("male_casualsuit02", "lower")):
        found = panels(assets, name, surface)
        assert found.shade.min() > 0.5 * 0.55 - 1e-3
        made = garment_cloth(assets, name, surface, Fabric("plain", ((200, 200, 200),) * 3))
        assert made.texture[..., :3].min() > 45


def test_cut_cloth_is_a_tile_of_a_metre() -> None:
    made = cut_cloth(Fabric("stripes", ((20, 20, 20), (230, 230, 230), (0, 0, 0)), print="number"))
    assert made.texture.shape == (512, 512, 4) and made.kind == "cloth" and not made.cutout
