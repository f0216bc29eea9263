"""Media in and out: photos, videos as frames with time stamps, sound, and what is written.

Reading: `read_photo`, `probe`, `VideoStream`. Writing: `format_of` and `check_output` before the
work, `PartWriter` during it, `write_png` for pictures people look at.
"""

from dancecli.media.audio import AudioSource
from dancecli.media.files import check_input, sha256_of
from dancecli.media.formats import FORMATS, OutputFormat, check_folder, check_output, format_of
from dancecli.media.parts import PartWriter
from dancecli.media.photo import read_photo, write_png
from dancecli.media.probe import VideoInfo, probe
from dancecli.media.reader import VideoStream

__all__ = [
    "FORMATS",
    "AudioSource",
    "OutputFormat",
    "PartWriter",
    "VideoInfo",
    "VideoStream",
    "check_folder",
    "check_input",
    "check_output",
    "format_of",
    "probe",
    "read_photo",
    "sha256_of",
    "write_png",
]
