"""Rows of jobs as people write them: CSV with a header, JSON lines, or photos x videos."""

from __future__ import annotations

import csv
import glob
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dancecli.batch.files import is_web
from dancecli.data.stores import filesystem, is_url
from dancecli.errors import UsageError
from dancecli.media.files import named

CROSS = "x"
"""Between photos and videos: every photo dances every video."""

FORMS = "give a table (.csv, .tsv, .jsonl), or photos x videos such as 'photos/*.jpg' x dance.mp4"


@dataclass(frozen=True)
class Line:
    """One row. number: as an editor counts, the header being 1. cells: those that are filled.

    fault: what makes it unreadable; empty where it is not.
    """

    number: int
    cells: Mapping[str, object]
    fault: str = ""


def column(name: str) -> str:
    """A column's name as options are known by: `--No-Audio ` is no_audio."""
    return name.strip().lstrip("-").lower().replace("-", "_")


def read_table(path: Path) -> list[Line]:
    """The rows of a table, by its extension.

    Raises UsageError for a file that cannot be read or is no table.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".tsv", ".jsonl", ".ndjson"):
        raise UsageError(f"{named(path)}: cannot tell what it holds by '{kind}'; {FORMS}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = list(_json_lines(text) if "json" in kind else _separated(text, kind))
    except OSError as error:
        raise UsageError(f"{named(path)}: {error.strerror}; {FORMS}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{named(path)}: not a table: {error}") from error
    if not lines:
        raise UsageError(f"{named(path)} has no rows")
    return lines


def _separated(text: str, kind: str) -> Iterator[Line]:
    """A header, then one row per record; empty cells count as not there."""
    rows = enumerate(csv.reader(io.StringIO(text), delimiter=_comma(text, kind)), 1)
    filled = ((number, row) for number, row in rows if any(cell.strip() for cell in row))
    _, header = next(filled, (1, []))
    names = [column(name) for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise csv.Error(f"two columns are called {', '.join(twice)}")
    for number, row in filled:
        spare = [cell for cell in row[len(names) :] if cell.strip()]
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}
        fault = f"{len(row)} cells for {len(names)} columns" if spare else _zero_byte(cells)
        yield Line(number, cells, fault)


def _comma(text: str, kind: str) -> str:
    """What separates cells: spreadsheets of some countries write semicolons."""
    if kind == ".tsv":
        return "\t"
    header = text.partition("\n")[0]
    return ";" if ";" in header and "," not in header else ","


def _json_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):  # not at U+2028, as splitlines
        if line.strip():
            yield _json_line(number, line)


def _json_line(number: int, line: str) -> Line:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Line(number, {}, f"not JSON: {error}")
    if not isinstance(record, dict):
        return Line(number, {}, 'not a JSON object such as {"photo": ..., "video": ...}')
    odd = sorted(key for key, value in record.items() if isinstance(value, (list, dict)))
    fault = f"{', '.join(odd)}: a text, a number, true or false is wanted" if odd else ""
    cells = {column(key): value for key, value in record.items() if value not in (None, "")}
    return Line(number, cells, fault or _zero_byte(cells))


def _zero_byte(cells: Mapping[str, object]) -> str:
    """What is wrong with a text that can name no file; empty where all can."""
    odd = [name for name, value in cells.items() if isinstance(value, str) and "\0" in value]
    return f"{', '.join(odd)}: a zero byte, which no name can hold" if odd else ""


def crossed(words: Sequence[str]) -> list[Line]:
    """Every photo with every video, of words or patterns on both sides of CROSS.

    Raises UsageError where a side is missing or matches nothing.
    """
    at = words.index(CROSS)
    photos = [place for word in words[:at] for place in _matching(word)]
    videos = [place for word in words[at + 1 :] for place in _matching(word)]
    if not photos or not videos:
        raise UsageError(f"nothing stands {'after' if photos else 'before'} the {CROSS}; {FORMS}")
    pairs = [{"photo": photo, "video": video} for video in videos for photo in photos]
    return [Line(number, pair) for number, pair in enumerate(pairs, 1)]


def _matching(word: str) -> list[str]:
    """The files that a pattern names, in order; a file's own name is itself, brackets and all.

    The web has no patterns: a `?` begins a query there.
    """
    if is_web(word) or not glob.has_magic(word) or (not is_url(word) and Path(word).exists()):
        return [word]
    found = _remote(word) if is_url(word) else glob.glob(word, recursive=True)  # noqa: PTH207
    if not found:
        raise UsageError(f"{word} matches no file")
    return sorted(found)


def _remote(pattern: str) -> list[str]:
    files, path = filesystem(pattern)
    return [files.unstrip_protocol(found) for found in files.glob(path)]
