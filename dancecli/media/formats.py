"""What can be written, chosen by OUT's extension, and whether OUT may be written at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dancecli.errors import MediaError, OutputExistsError, UsageError
from dancecli.media.files import named

NUMBERED = re.compile(r"\d{6,}\.png")
"""Names of the pictures of a PNG folder."""

LONGEST_NAME = 255 - len("..json.unfinished")
"""Bytes of OUT's name; file systems take 255, and what stands beside it has a longer one."""


@dataclass(frozen=True)
class OutputFormat:
    """How one kind of output is encoded. Names are FFmpeg's.

    name: as users know it. extension: with its dot; "" for a folder of pictures.
    container: the file's; "" where frames are not muxed as packets (gif, png).
    codec, options: of the parts, which the file's packets are copied from.
    pixels, alpha_pixels: pixel formats without and with alpha; "" where alpha cannot be kept.
    alpha_options: what changes with alpha.
    part: container of a part. reorder: frames by which decoding runs ahead of showing.
    sound_copied: codecs copied as they are. sound_codec, sound_rate, sound_file: what other
    sound becomes, its samples per second, and the extension of the file it passes through;
    "" for no sound.
    step: width and height must be multiples of it.
    """

    name: str
    extension: str
    container: str
    codec: str
    pixels: str
    alpha_pixels: str
    options: dict[str, str] = field(default_factory=dict)
    alpha_options: dict[str, str] = field(default_factory=dict)
    part: str = "mp4"
    reorder: int = 0
    sound_copied: frozenset[str] = frozenset()
    sound_codec: str = ""
    sound_rate: int = 48000
    sound_file: str = ".m4a"
    step: int = 1

    @property
    def keeps_alpha(self) -> bool:
        """Whether transparency can be kept."""
        return bool(self.alpha_pixels)

    @property
    def edits(self) -> bool:
        """Whether the container has edit lists, which hide sound before time zero."""
        return self.container in ("mp4", "mov")

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder of pictures."""
        return not self.extension


_MP4_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
# FFmpeg's lossless codec carries frames to formats that need all of them at the end.
_LOSSLESS = {"level": "3", "g": "1", "slices": "4", "slicecrc": "1"}

FORMATS = (
    OutputFormat(
        "mp4", ".mp4", "mp4", "libx264", "yuv420p", "",
        # Scene cuts may add key frames; groups stay closed, two frames at most are reordered.
        # x264's macroblock tree gave other bits for the same frames from one run to the next.
        options={"crf": "18", "preset": "fast", "profile": "high", "bf": "2",
                 "x264-params": "open-gop=0:mbtree=0"},
        reorder=2, sound_copied=_MP4_SOUND, sound_codec="aac", step=2,
    ),
    OutputFormat(
        "mov", ".mov", "mov", "prores_ks", "yuv444p10le", "yuva444p10le",
        options={"profile": "4444", "vendor": "apl0", "alpha_bits": "0"},
        alpha_options={"alpha_bits": "16"}, part="mov",
        sound_copied=_MP4_SOUND | {"pcm_s16le", "pcm_s24le"}, sound_codec="aac",
    ),
    OutputFormat(
        "webm", ".webm", "webm", "libvpx-vp9", "yuv420p", "yuva420p",
        options={"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
        # libvpx cannot hide frames and carry alpha at once.
        alpha_options={"auto-alt-ref": "0"}, part="webm",
        sound_copied=frozenset({"opus", "vorbis"}), sound_codec="libopus", sound_file=".ogg",
    ),
    OutputFormat("gif", ".gif", "", "ffv1", "bgr0", "bgra", _LOSSLESS, part="matroska"),
    OutputFormat("png", "", "", "ffv1", "bgr0", "bgra", _LOSSLESS, part="matroska"),
)  # fmt: skip


def format_of(out: Path) -> OutputFormat:
    """The format that OUT's name asks for. Raises UsageError naming the valid extensions."""
    extension = out.suffix.lower()
    for known in FORMATS:
        if known.extension == extension:
            return known
    if out.is_dir():
        return FORMATS[-1]
    valid = ", ".join(known.extension for known in FORMATS if known.extension)
    raise UsageError(
        f"unknown extension {extension!r} of {named(out)}: use {valid}, "
        "or a name without extension for a folder of PNG files"
    )


def check_output(out: Path, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Whether OUT may be written; touches nothing. OUT may also be one PNG picture.

    Raises UsageError for an unknown extension, OutputExistsError when OUT exists and `force` is
    not given, MediaError when its folder is missing or not writable or OUT is one of `inputs`.
    """
    picture = out.suffix.lower() == ".png"
    folder = not picture and format_of(out).is_folder
    check_folder(out)
    for path in inputs:
        if out.exists() and path.exists() and out.samefile(path):
            raise MediaError(f"{named(out)} is an input: writing it would destroy it; rename OUT")
    if out.is_dir():
        _check_pictures(out, folder)
        if not any(out.iterdir()):
            return
    elif folder and out.exists():
        raise MediaError(f"{named(out)} is a file: a folder of PNG files needs another name")
    if out.exists() and not force:
        raise OutputExistsError(f"{named(out)} exists: choose another name or give --force")


def check_folder(out: Path) -> None:
    """Raises MediaError unless a file of that name, and those beside it, can be made."""
    folder = out.absolute().parent
    if not folder.is_dir():
        raise MediaError(f"the folder {named(folder)} of {named(out)} does not exist: create it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MediaError(
            f"the folder {named(folder)} is not writable: choose another OUT or change its rights"
        )
    if out.name in ("", ".."):
        raise MediaError(f"{named(out)} has no name of its own: name the file, or a new folder")
    if len(os.fsencode(out.name)) > LONGEST_NAME:
        raise MediaError(
            f"the name of {named(out)} is too long: {LONGEST_NAME} bytes are most, since the "
            "sidecar's is longer"
        )


def _check_pictures(out: Path, folder: bool) -> None:
    """Raises MediaError unless OUT is to be a folder and holds numbered pictures only.

    With --force the whole folder is replaced, so nothing else may be in it.
    """
    if not folder:
        raise MediaError(f"{named(out)} is a folder: choose another name for the file")
    other = next((p.name for p in out.iterdir() if not NUMBERED.fullmatch(p.name)), None)
    if other is not None:
        raise MediaError(
            f"the folder {named(out)} holds other files (such as {ascii(other)[1:-1]}) "
            "and would be replaced: name a new or empty folder"
        )
