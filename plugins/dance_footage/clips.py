"""Which files of a folder are clips, and what their people are called."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from dancecli.errors import UsageError
from dancecli.media.files import named
from dancecli.plate.background import VIDEOS

LAYOUT = "a folder with video files (.mp4, .mov, .webm, ...) at any depth"


def clips_in(root: Path | None) -> list[str]:
    """The clips below a folder by their paths in it, sorted; symbolic links are not followed.

    Raises UsageError when there is no folder or no clip in it.
    """
    if root is None or not root.is_dir():
        where = "no folder was given" if root is None else f"{named(root)} is no folder"
        raise UsageError(f"{where}: 'video' wants {LAYOUT}")
    found = [
        Path(folder, name).relative_to(root).as_posix()
        for folder, _, names in os.walk(root)
        for name in names
        if Path(name).suffix.lower() in VIDEOS and not Path(folder, name).is_symlink()
    ]
    if not found:
        raise UsageError(f"{named(root)} holds no clips: 'video' wants {LAYOUT}")
    return sorted(found)


def key_of(clip: str) -> str:
    """A name for a clip of [A-Za-z0-9_-]: what can be read of its own, and a hash of all of it."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(clip).stem)[:40].strip("_")
    return f"{plain or 'clip'}-{hashlib.sha256(clip.encode()).hexdigest()[:8]}"
