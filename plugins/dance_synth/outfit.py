"""What a person wears, by name, and the surfaces that need a material.

Two kinds of garments: modelled ones of the pack ("male_casualsuit02": a suit, of which single
pieces can be worn), and ones cut from the body suit that comes with the mesh ("cut", "skirt",
"dress", "open"), whose lengths are free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dancecli.errors import UsageError

if TYPE_CHECKING:
    from dance_synth.assets import Assets

SLOTS = (
    "skin", "eyes", "teeth", "brows", "lashes", "hair", "upper", "lower", "dress", "coat", "shoes",
    "socks", "gloves", "sunglasses", "scarf", "hat",
)  # fmt: skip
"""Surfaces by name: the keys of `build`'s materials. Those that an outfit does not use may lack.

uv of "skin" is the base mesh's; hair on the scalp is painted there. uv of modelled pieces, hair,
brows, lashes, eyes and teeth is their own, as the textures of the pack have it. What is cut or
built here ("cut", "skirt", "dress", "open", socks, gloves, scarf, sunglasses, "beanie", "cap") has
uv in metres of cloth, past 1: the texture repeats, a tile is 1 m x 1 m.
Hair, brows and lashes are cutouts.
"""

CUT_TOPS = ("cut", "dress")
CUT_BOTTOMS = ("cut", "skirt")
CUT_COATS = ("open",)
CUT_HATS = ("beanie", "cap")
PLAIN_HAIR = ("", "shaved")

DUNGAREES = "male_worksuit01"
"""Trousers with a bib, which lies over any upper."""


@dataclass(frozen=True)
class Outfit:
    """The choice of clothes, hair and extras; "" is none. Numbers are in [0, 1].

    upper: "" (bare chest, on male bodies), "cut" (T-shirt to polo neck), "dress" (the same with a
        skirt in one piece; lower is then "" or "cut" leggings), or a suit's upper piece (`tops`).
    lower: "" (bare legs; only under a dress), "cut" (shorts to leggings), "skirt", or a suit with
        trousers or a skirt (`bottoms`).
    coat: "" or "open" (cut, open at the front) over any upper, or a suit whose coat is one piece
        with what is below it (`coats`; upper is then not drawn).
    sleeve: of a cut upper, 0 sleeveless, 0.45 elbow, 1 wrist. coat_sleeve: of an open coat.
    neck: 0 low and wide neckline, 0.5 at the collarbones, 1 polo neck. hem: of a cut upper, 0 at
        the waist, 1 below the hips. leg: of cut trousers, 0 hot pants, 0.5 knee, 1 ankle.
    skirt: length of skirt or dress, 0 mid-thigh, 0.5 knee, 1 calf. flare: how far a skirt stands
        out. coat_length: 0 hips, 1 knee. fit: how loose cut tops, trousers and coats are, 0 tight.
    shoes: "" (barefoot), or a name of `shoes`. socks: length, 0 none, 0.3 above the ankle, 1 knee.
    hair: "" bald, "shaved" (painted on the skin only), or a name of `hairs`.
    hat: "", "beanie", "cap", or a name of `hats`. brows, lashes: "" or a name.
    """

    upper: str = "cut"
    lower: str = "cut"
    coat: str = ""
    sleeve: float = 0.4
    coat_sleeve: float = 1.0
    neck: float = 0.5
    hem: float = 0.6
    leg: float = 1.0
    skirt: float = 0.4
    flare: float = 0.3
    coat_length: float = 0.4
    fit: float = 0.3
    shoes: str = "shoes01"
    socks: float = 0.3
    hair: str = "short01"
    hat: str = ""
    brows: str = "eyebrow001"
    lashes: str = "eyelashes01"
    sunglasses: bool = False
    gloves: bool = False
    scarf: bool = False

    def __post_init__(self) -> None:
        names = "sleeve", "coat_sleeve", "neck", "hem", "leg", "skirt", "flare", "coat_length"
        for name in (*names, "fit", "socks"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UsageError(f"an outfit's {name} must be from 0 to 1, not {value:g}")
        if not self.lower and self.upper != "dress":
            raise UsageError("an outfit without lower needs upper 'dress'")
        if self.upper == "dress" and self.lower not in ("", "cut"):
            raise UsageError(f"a dress is worn over nothing or 'cut' leggings, not {self.lower!r}")


def slots(outfit: Outfit) -> tuple[str, ...]:
    """The `SLOTS` that the outfit's materials must have."""
    worn = {
        "brows": outfit.brows, "lashes": outfit.lashes, "hair": outfit.hair not in PLAIN_HAIR,
        "upper": outfit.upper not in ("", "dress") and outfit.coat in ("", *CUT_COATS),
        "dress": outfit.upper == "dress", "lower": outfit.lower, "coat": outfit.coat,
        "shoes": outfit.shoes, "socks": outfit.socks > 0, "gloves": outfit.gloves,
        "sunglasses": outfit.sunglasses, "scarf": outfit.scarf, "hat": outfit.hat,
    }  # fmt: skip
    return tuple(name for name in SLOTS if worn.get(name, True))


def tops(assets: Assets, gender: str) -> tuple[str, ...]:
    """Values for `Outfit.upper`; gender is "f" or "m" as the garments were modelled."""
    cut = CUT_TOPS if gender == "f" else ("cut",)
    suits = _suits(assets, gender, "upper")
    return cut + tuple(name for name in suits if name in whole_tops(assets))


def whole_tops(assets: Assets) -> tuple[str, ...]:
    """Suits whose upper piece can be worn alone: not what is cut out below a coat or a bib."""

    def whole(name: str) -> bool:
        return name != DUNGAREES and "coat" not in assets.garments[name]["slots"]

    return tuple(name for g in "fm" for name in _suits(assets, g, "upper") if whole(name))


def bottoms(assets: Assets, gender: str) -> tuple[str, ...]:
    """Values for `Outfit.lower`."""
    cut = CUT_BOTTOMS if gender == "f" else ("cut",)
    return cut + _suits(assets, gender, "pants", "skirt")


def coats(assets: Assets, gender: str) -> tuple[str, ...]:
    """Values for `Outfit.coat` besides ""."""
    return CUT_COATS + _suits(assets, gender, "coat")


def shoes(assets: Assets) -> tuple[str, ...]:
    """Values for `Outfit.shoes` besides ""."""
    return tuple(n for n in sorted(assets.garments) if "lshoe" in assets.garments[n]["slots"])


def hats(assets: Assets) -> tuple[str, ...]:
    """Values for `Outfit.hat` besides ""."""
    return CUT_HATS + _suits(assets, "u", "hat")


def hairs(assets: Assets, gender: str) -> tuple[str, ...]:
    """Values for `Outfit.hair`."""
    return PLAIN_HAIR + _suits(assets, gender, "hair")


def brows(assets: Assets) -> tuple[str, ...]:
    """Values for `Outfit.brows` besides ""."""
    return assets.meshes("eyebrows")


def lashes(assets: Assets) -> tuple[str, ...]:
    """Values for `Outfit.lashes` besides ""."""
    return assets.meshes("eyelashes")


def _suits(assets: Assets, gender: str, *slots: str) -> tuple[str, ...]:
    """Garments of that gender (or for both) with a piece of one of the slots, sorted."""

    def fits(about: dict[str, object]) -> bool:
        has = {part for slot in about["slots"] for part in slot.split("+")}  # type: ignore[attr-defined]
        return about["gender"] in (gender, "u") and bool(has.intersection(slots))

    return tuple(name for name in sorted(assets.garments) if fits(assets.garments[name]))
