"""The paper's user study: a blind page of pairs, and the count of the answers that it saves.

The page holds its videos, so it can be mailed; which side is whose is drawn anew each time and not
written anywhere a viewer would look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from dancecli.errors import UsageError
from dancecli.evaluate.gallery import FILM_KINDS, embedded
from dancecli.evaluate.sources import parse_named
from dancecli.media.files import written_aside

LARGEST = 512 << 20
"""Bytes of all videos of a page."""

LARGEST_ANSWERS = 1 << 20


def write_study(given: Sequence[str], out: Path) -> Path:
    """`A=FOLDER_OR_VIDEO B=...` -> the page `study.html`, and `study.json` that tells who is who.

    Videos of two folders are paired by file name. Raises UsageError when nothing pairs, or two
    pairs would have one name.
    """
    systems = parse_named(given, "--study")
    if len(systems) != 2:
        raise UsageError(f"--study takes two systems, A=... and B=..., not {len(systems)}")
    pairs = _pairs(*systems.values())
    total = sum(path.stat().st_size for pair in pairs.values() for path in pair)
    if total > LARGEST:
        raise UsageError(f"the videos have {total >> 20} MiB, one page holds {LARGEST >> 20}")
    shown = [
        {"name": name, "videos": [embedded(path) for path in pair]} for name, pair in pairs.items()
    ]
    identity = hashlib.sha256(json.dumps(shown).encode()).hexdigest()
    study = {"id": identity, "pairs": shown}
    text = json.dumps(study).replace("<", "\\u003c")
    page = Template(files("dancecli.evaluate").joinpath("study.html").read_text())
    about = {"id": identity, "systems": list(systems), "pairs": list(pairs)}
    out.mkdir(parents=True, exist_ok=True)
    # The page, which may find no room, within the other: both are new, or neither.
    with written_aside(out / "study.json") as key, written_aside(out / "study.html") as film:
        key.write_text(json.dumps(about, indent=1) + "\n")
        film.write_text(page.substitute(study=text), encoding="utf-8")
    return out / "study.html"


def _pairs(one: Path, two: Path) -> dict[str, tuple[Path, Path]]:
    if one.is_file() and two.is_file():
        if still := [path for path in (one, two) if path.suffix.lower() not in FILM_KINDS]:
            raise UsageError(f"{still[0]}: browsers play {', '.join(FILM_KINDS)}; convert it")
        return {one.stem: (one, two)}
    if not (one.is_dir() and two.is_dir()):
        raise UsageError(f"{one} and {two}: give two videos, or two folders of videos")
    films = [
        {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in FILM_KINDS}
        for folder in (one, two)
    ]
    shared = [name for name in films[0] if name in films[1]]
    if not shared:
        raise UsageError(f"{one} and {two} have no video of the same name")
    return _by_stem([(films[0][name], films[1][name]) for name in shared])


def _by_stem(pairs: Sequence[tuple[Path, Path]]) -> dict[str, tuple[Path, Path]]:
    found: dict[str, tuple[Path, Path]] = {}
    for pair in pairs:
        film = pair[0]
        if film.stem in found:
            raise UsageError(
                f"{found[film.stem][0]} and {film} would both be pair '{film.stem}': rename one in "
                "both folders, or take it away"
            )
        found[film.stem] = pair
    return found


def tally(answers: Sequence[Path], study: Path) -> dict[str, Any]:
    """How often each system was preferred, over all and per pair.

    study: the `study.json` of the page. A file without a choice is no viewer's. Raises UsageError
    for answers to another page, and for one viewer's that are given twice.
    """
    about = _read(study)
    systems, pairs = about.get("systems"), about.get("pairs")
    if not (isinstance(systems, list) and len(systems) == 2 and isinstance(pairs, list)):
        raise UsageError(f"{study}: not a study.json of `dance evaluate --study`")
    counts = {name: [0, 0] for name in pairs}
    found = [_answers(path, about.get("id"), pairs) for path in answers]
    _check_viewers(found)
    for each in found:
        for pair, choice in each.choices:
            counts[pair][choice] += 1
    sums = [sum(count[side] for count in counts.values()) for side in (0, 1)]
    total = sum(sums)
    return {
        "viewers": sum(bool(each.choices) for each in found),
        "preferred": {
            name: {"times": sums[side], "share": round(sums[side] / total, 4) if total else None}
            for side, name in enumerate(systems)
        },
        "pairs": {pair: dict(zip(systems, count, strict=True)) for pair, count in counts.items()},
    }


@dataclass(frozen=True)
class _Answers:
    """A file of them. viewer: the number that the page drew; None in files of earlier pages."""

    path: Path
    viewer: str | None
    choices: list[tuple[str, int]]


def _check_viewers(found: Sequence[_Answers]) -> None:
    """Raises UsageError when a viewer would count twice."""
    seen: dict[object, Path] = {}
    for each in found:
        file = each.path.resolve()
        for key in (file, each.viewer):
            if key is not None and key in seen:
                what = "named twice" if key == file else f"of the same viewer as {seen[key]}"
                raise UsageError(f"{each.path}: {what}; a viewer counts once: take one away")
        seen[file] = seen[each.viewer] = each.path


def _answers(path: Path, identity: Any, pairs: list[Any]) -> _Answers:
    content = _read(path)
    if content.get("study") != identity:
        raise UsageError(f"{path}: answers to another study page")
    answers = content.get("answers")
    if not isinstance(answers, list):
        raise UsageError(f"{path}: holds no answers")
    found = []
    for answer in answers:
        pair = answer.get("pair") if isinstance(answer, dict) else None
        choice = answer.get("choice") if isinstance(answer, dict) else None
        if (
            not isinstance(pair, str)
            or pair not in pairs
            or type(choice) is not int
            or choice not in (0, 1)
        ):
            raise UsageError(f"{path}: an answer names no pair, or neither side")
        found.append((pair, choice))
    if len({pair for pair, _ in found}) != len(found):
        raise UsageError(f"{path}: one pair is answered twice")
    viewer = content.get("viewer")
    return _Answers(path, viewer if isinstance(viewer, str) else None, found)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_ANSWERS:
            raise UsageError(f"{path}: too large for answers")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({str(error)[:100]})") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: not a JSON object")
    return content
