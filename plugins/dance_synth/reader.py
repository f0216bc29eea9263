"""`dance prepare-data synth`: unlimited synthetic people with exact truth, made when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from dance_synth.actor import actor
from dance_synth.assets import Assets, open_assets
from dance_synth.clips import CREDIT, clip, write_clip
from dance_synth.scene import TOGETHER, Setting, views
from dance_synth.shots import KINDS
from dancecli.data.people import Options, Person, Skipped, View
from dancecli.errors import MediaError, UsageError, WeightsError
from dancecli.stages import INTERFACE_VERSION, Settings

PEOPLE = 1000
"""People made when no number is asked for."""

SETTINGS = {
    "assets": "folder of the human asset pack",
    "backgrounds": "folder of your own photos (JPEG, PNG) to stand before",
    "size": "HEIGHTxWIDTH of the pictures, 512x320 by default",
    "together": "mixed, shared or changed: one place, light and camera for all frames or not",
    "others": "share of scenes with other people, 0.25 by default",
    "things": "share of scenes with furniture, 0.3 by default",
    "shot": f"kind of all shots, by chance without it: {', '.join(KINDS)}; "
    "of heads each picture has an expression of its own",
    "clips": "folder: whole dances are made, and written there as mp4 with the truth as JSON",
}
"""What --set takes."""

LEAST, MOST = 64, 2048
"""Pixels of a picture's side."""


class SynthReader:
    """`DatasetReader` of people who do not exist. A unit is one person, by number."""

    INTERFACE_VERSION: ClassVar[int] = INTERFACE_VERSION
    LICENCE: ClassVar[str] = f"pictures: MIT, as this program; {CREDIT}"
    COMMERCIAL: ClassVar[bool | None] = True

    layout = ""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def units(self, root: Path | None, options: Options) -> list[str]:
        """Numbers from 0, as text of one length.

        root: the asset pack, else `--set assets`, $DANCE_ASSETS or the weights folder's "humans".
        Raises UsageError for an option that is not known, WeightsError where there is no pack.
        """
        setting_of(options)
        _pack(root, options)
        count = PEOPLE if options.people is None else options.people
        digits = max(6, len(str(count - 1)))
        return [f"{number:0{digits}d}" for number in range(count)]

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        """One person with their views and all truth; Skipped where a photo cannot be read.

        Raises UsageError for another unit's name, WeightsError for a damaged pack.
        """
        if not unit.isdecimal():
            raise UsageError(f"synth has people by number, not {unit!r}")
        setting, assets, number = setting_of(options), _pack(root, options), int(unit)
        about: dict[str, Any] = {
            "seed": options.seed, "licence": self.LICENCE,
            "person": dict(actor(assets, options.seed, number).about),
        }  # fmt: skip
        try:
            if "clips" in options.set:
                shown = _clip(assets, setting, unit, options, about)
            else:
                made = list(
                    views(assets, setting, options.seed, number, options.frames, options.gap)
                )
                shown, about["views"] = [each for each, _ in made], [more for _, more in made]
        except MediaError as error:
            yield Skipped(unit, str(error))
            return
        yield Person(f"synth-{options.seed}-{unit}", tuple(shown), about)


def _clip(
    assets: Assets, setting: Setting, unit: str, options: Options, about: dict[str, Any]
) -> list[View]:
    """Writes the clip; gives at most `options.frames` of its frames, spread evenly."""
    folder = Path(options.set["clips"])
    film = clip(assets, setting, options.seed, int(unit))
    step = -(-len(film) // options.frames)
    written = write_clip(folder, unit, film, about)
    return [each for k, each in enumerate(written) if k % step == 0]


def setting_of(options: Options) -> Setting:
    """What --set gave. Raises UsageError naming what is wrong and what there is."""
    given = options.set
    unknown = sorted(set(given) - set(SETTINGS))
    if unknown:
        known = "; ".join(f"{name} ({about})" for name, about in SETTINGS.items())
        raise UsageError(f"synth knows no --set {unknown[0]}; it knows {known}")
    together = given.get("together", "mixed")
    if together not in TOGETHER:
        raise UsageError(f"--set together={together}: give {', '.join(TOGETHER)}")
    kind = given.get("shot")
    if kind is not None and "clips" in given:
        raise UsageError("--set shot and clips exclude each other: clips show whole people")
    if kind is not None and kind not in KINDS:
        raise UsageError(f"--set shot={kind}: give {', '.join(KINDS)}")
    return Setting(
        _size(given.get("size", "512x320")), together, _share(given, "others", 0.25),
        _share(given, "things", 0.3), _photos(given.get("backgrounds")), kind,
    )  # fmt: skip


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) == 2 and all(part.isdecimal() for part in parts):
        height, width = (int(part) for part in parts)
        if all(LEAST <= side <= MOST and side % 2 == 0 for side in (height, width)):
            return height, width
    raise UsageError(f"--set size={text}: give HEIGHTxWIDTH, even, {LEAST}-{MOST}, as 512x320")


def _share(given: Any, name: str, otherwise: float) -> float:
    try:
        value = float(given.get(name, otherwise))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"--set {name}={given[name]}: give a share from 0 to 1")
    return value


def _photos(folder: str | None) -> tuple[Path, ...]:
    if folder is None:
        return ()
    try:
        found = sorted(Path(folder).iterdir())
    except OSError as error:
        raise UsageError(f"--set backgrounds={folder}: {error.strerror}") from error
    photos = tuple(path for path in found if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not photos:
        raise UsageError(f"--set backgrounds={folder}: there is no .jpg, .jpeg or .png in it")
    return photos


def _pack(root: Path | None, options: Options) -> Assets:
    return find_pack(root or options.set.get("assets"))


def find_pack(given: Path | str | None) -> Assets:
    """The asset pack. Raises WeightsError with all places where it may be."""
    asked = given or os.environ.get("DANCE_ASSETS")
    if asked:
        return _opened(Path(asked).absolute())
    from dancecli.weights import folder

    kept = folder() / "humans"
    if not kept.is_dir():
        raise WeightsError(
            "synth needs the human asset pack and there is none: give its folder as ROOT, with "
            f"--set assets=DIR or $DANCE_ASSETS, or put it into {kept} "
            "(dance weights fetch humans --from DIR)"
        )
    return _opened(kept.absolute())


@lru_cache(maxsize=2)
def _opened(folder: Path) -> Assets:
    return open_assets(folder)
