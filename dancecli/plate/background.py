"""`--background`: what the user asked for, told apart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dancecli.errors import UsageError

Kind = Literal["photo", "driving", "colour", "image", "video"]

IMAGES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)
VIDEOS = frozenset(
    {
        ".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".gif", ".mpg", ".mpeg", ".ts", ".3gp",
        ".wmv",
    }
)  # fmt: skip

FORMS = "valid are photo, driving, a colour (white, #1e90ff), or the path of a picture or video"


@dataclass(frozen=True)
class BackgroundSpec:
    """kind, and what belongs to it: colour (RGB, 0-255) or path."""

    kind: Kind
    colour: tuple[int, int, int] | None = None
    path: Path | None = None


def parse_background(text: str) -> BackgroundSpec:
    """What `--background` names.

    A file called like a colour or a keyword is meant by "./white". Whether a file can be read is
    found out by whoever reads it. Raises UsageError for what is none of these.
    """
    word = text.strip()
    if word.lower() == "photo":
        return BackgroundSpec("photo")
    if word.lower() == "driving":
        return BackgroundSpec("driving")
    colour = _colour(word)
    if colour is not None:
        return BackgroundSpec("colour", colour=colour)
    return _file(word)


def _colour(word: str) -> tuple[int, int, int] | None:
    """RGB of a CSS name or notation, None where it is not one."""
    from PIL import ImageColor

    try:
        red, green, blue, *alpha = ImageColor.getrgb(word)
    except ValueError:
        if word.startswith("#"):
            raise UsageError(
                f"--background {word}: not a colour; write #rrggbb with digits 0-9 and a-f"
            ) from None
        return None
    if max(red, green, blue) > 255:
        raise UsageError(f"--background {word}: not a colour; red, green and blue are 0-255")
    if alpha and alpha[0] != 255:
        raise UsageError(f"--background {word}: a background cannot be transparent; use #rrggbb")
    return red, green, blue


def _file(word: str) -> BackgroundSpec:
    # A file may be called "~name"; where no user is, Path.expanduser raises.
    path = Path(os.path.expanduser(word))  # noqa: PTH111
    suffix = path.suffix.lower()
    try:
        found, folder = bool(word) and path.exists(), bool(word) and path.is_dir()
    except (OSError, ValueError):  # too long for a path, or a zero byte in it
        found, folder = False, False
    if folder:
        raise UsageError(f"--background {word}: that is a folder; {FORMS}")
    if not found and (suffix in IMAGES | VIDEOS or "/" in word or "\\" in word):
        raise UsageError(f"--background {word}: no such file; {FORMS}")
    if not found:
        raise UsageError(f"--background {word!r}: neither a colour nor a file; {FORMS}")
    if suffix in IMAGES:
        return BackgroundSpec("image", path=path)
    if suffix in VIDEOS:
        return BackgroundSpec("video", path=path)
    raise UsageError(
        f"--background {word}: cannot tell by '{suffix}' whether it is a picture or a video; "
        f"pictures end in {', '.join(sorted(IMAGES))}; videos in {', '.join(sorted(VIDEOS))}"
    )
