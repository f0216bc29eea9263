"""The output's size: `--size`."""

from __future__ import annotations

import re

from dancecli.errors import UsageError

Size = tuple[int, int]
"""(width, height) in pixels."""

LONGEST = 1280
"""The longest side of an output whose size was not asked for."""

SMALLEST_SIDE, LARGEST_SIDE = 16, 8192

FORMS = "valid are photo, driving or WxH such as 1280x720"


def output_size(spec: str | None, plate: Size | None, photo: Size, driving: Size) -> Size:
    """(width, height) for `--size photo|driving|WxH`; both even, as H.264 wants them.

    Without a spec: the plate's own size (the photo's where the plate has none, such as a colour),
    scaled down to a longest side of `LONGEST`. Raises UsageError for anything else.
    """
    if spec is None:
        return even_size(plate or photo, LONGEST)
    named = {"photo": photo, "driving": driving}.get(spec.strip().lower())
    return even_size(named or _parsed(spec))


def even_size(size: Size, longest: int | None = None) -> Size:
    """The size with even sides, scaled down in proportion where a side is over `longest`."""
    width, height = size
    scale = min(1.0, longest / max(width, height)) if longest else 1.0
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def _parsed(spec: str) -> Size:
    match = re.fullmatch(r"\s*(\d{1,6})\s*[xX×]\s*(\d{1,6})\s*", spec)
    if match is None:
        raise UsageError(f"--size {spec}: not a size; {FORMS}")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < SMALLEST_SIDE or max(width, height) > LARGEST_SIDE:
        raise UsageError(
            f"--size {spec}: each side must be {SMALLEST_SIDE} to {LARGEST_SIDE} pixels; {FORMS}"
        )
    return width, height
