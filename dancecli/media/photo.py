"""Photos in, pictures out (Pillow)."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dancecli.errors import MediaError
from dancecli.media.files import check_input, named, one_line, written_aside
from dancecli.media.hdr import Colours, to_sdr
from dancecli.types import Frame, Source, UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PHOTO_PIXELS = 128_000_000
"""Larger photos are refused before they are decoded: 128 megapixels are 384 MB of RGB."""

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "GIF", "HEIF", "AVIF")
"""Pillow's names of what is tried; MPO is a JPEG with a second picture, as phones write it."""

HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif"})
"""ISO base media brands of still pictures; other brands are videos."""

HEAD = 1 << 16
"""Bytes in which the colours of a HEIC or AVIF file are looked for."""

TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")
"""Pillow's modes with alpha."""

_log = logging.getLogger("dancecli.media")


def read_photo(path: Path, what: str = "photo") -> Frame:
    """A photo as people see it, uint8 (H, W, 3) RGB in sRGB.

    EXIF orientation and colour profile are applied, and HDR becomes SDR; transparency lies over
    white. Reads JPEG, PNG, WebP, BMP, TIFF and still GIF, HEIC and AVIF with pillow-heif. Raises
    MediaError, which calls it `what`, when the file is missing, damaged, too large, moving, or no
    picture.
    """
    check_input(path, what)
    heif = _heif_brand(path)
    _register_heif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own bomb warning: the limit below is ours
        rgb = _pixels(_open(path, heif, what), path, what)
    height, width = rgb.shape[:2]
    return Frame(rgb, source=Source(path, None, width, height))


def write_png(path: Path, rgb: UInt8Array, tags: Mapping[str, str] | None = None) -> None:
    """Writes uint8 (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey; complete or not at all.

    tags: as `provenance.container_tags` gives them, for pictures with something made. Raises
    MediaError when it cannot be written.
    """
    with written_aside(path) as unfinished:
        save_png(unfinished, rgb, tags)


def save_png(path: Path, rgb: UInt8Array, tags: Mapping[str, str] | None = None) -> None:
    """Writes RGB or RGBA, (H, W, 3 or 4), as a PNG in place. Raises OSError.

    Of the tags, "comment" becomes its Comment.
    """
    from PIL import Image, PngImagePlugin

    text = PngImagePlugin.PngInfo()
    for key, value in (tags or {}).items():
        text.add_itxt(key.capitalize(), value)  # the keywords that PNG knows
    Image.fromarray(rgb).save(path, format="PNG", compress_level=3, pnginfo=text)


def _heif_brand(path: Path) -> bool:
    """Whether the first bytes say HEIC or AVIF."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def _register_heif() -> None:
    """Teaches Pillow HEIC where pillow-heif is installed."""
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def _open(path: Path, heif: bool, what: str) -> Image:
    """The picture, header read only; raises MediaError for what is no still picture."""
    from PIL import Image, UnidentifiedImageError

    Image.init()
    known = [name for name in FORMATS if name in Image.OPEN]
    try:
        picture = Image.open(path, formats=known)
    except Image.DecompressionBombError:
        raise MediaError(_too_large(path, "far", what)) from None
    except UnidentifiedImageError:
        raise MediaError(_unidentified(path, heif, what)) from None
    except Exception as error:  # hostile headers make decoders fail in any way
        raise MediaError(f"cannot read {what} {named(path)}: {one_line(error)}") from error
    if picture.width * picture.height > MAX_PHOTO_PIXELS:
        raise MediaError(_too_large(path, f"{picture.width}x{picture.height},", what))
    if picture.mode == "F":
        raise MediaError(f"{what} {named(path)} holds 32-bit floats: save it with 8 or 16 bits")
    if _count(picture) > 1:
        raise MediaError(
            f"{named(path)} is an animation of {_count(picture)} pictures, not a {what}: "
            f"give one still picture{'' if what == 'photo' else ', or convert it to .mp4 or .gif'}"
        )
    return picture


def animation(path: Path) -> str | None:
    """The format's name where a picture file moves; None where it is still or cannot be read."""
    from PIL import Image

    try:
        with Image.open(path, formats=("WEBP", "PNG", "AVIF")) as picture:
            moves = getattr(picture, "n_frames", 1) > 1
            return {"WEBP": "WebP"}.get(str(picture.format), picture.format) if moves else None
    except Exception:  # hostile headers make decoders fail in any way
        return None


def _count(picture: Image) -> int:
    """Pictures in the file; pages of a TIFF and the extras of a HEIC are not an animation."""
    if picture.format not in ("GIF", "WEBP", "PNG"):
        return 1
    return int(getattr(picture, "n_frames", 1))


def _too_large(path: Path, size: str, what: str) -> str:
    return (
        f"{what} {named(path)} is {size} more than the {MAX_PHOTO_PIXELS // 1_000_000} megapixels "
        "that are read: scale it down"
    )


def _unidentified(path: Path, heif: bool, what: str) -> str:
    """Why Pillow knows no such picture: HEIC without its plugin, a video, or something else."""
    if heif:
        return (
            f"{named(path)} is HEIC or AVIF, which needs pillow-heif: "
            'pip install "dancecli[heic]", or save the '
            f"{what} as JPEG"
        )
    if _is_video(path):
        still = "photo" if what == "photo" else "picture"
        return f"{named(path)} is a video, not a {still}: give a picture, such as one frame of it"
    return (
        f"{named(path)} is not a picture that can be read: give JPEG, PNG, WebP, BMP, TIFF or HEIC"
    )


def _is_video(path: Path) -> bool:
    """Whether it opens as a video."""
    from dancecli.media.probe import opened

    try:
        with opened(path):
            return True
    except MediaError:
        return False


def _pixels(picture: Image, path: Path, what: str) -> UInt8Array:
    """Decodes, turns upright, and brings any mode to RGB."""
    try:
        picture.load()
        _clear_exactly(picture, path)
        upright = _eight_bit(_upright(picture, path), picture.format)
        rgb = np.ascontiguousarray(np.asarray(_over_white(_srgb(upright))))
    except MediaError:
        raise
    except Exception as error:  # truncated or hostile data make decoders fail in any way
        raise MediaError(
            f"{what} {named(path)} is damaged or truncated ({one_line(error)}): get it again"
        ) from error
    colours = _nclx(path) if picture.format in ("HEIF", "AVIF") else Colours()
    if not colours.wide or picture.info.get("icc_profile"):
        return rgb
    _log.info("%s: %s, shown as SDR (sRGB)", named(path), colours)
    return to_sdr(rgb, colours)


def _nclx(path: Path) -> Colours:
    """What a HEIC or AVIF file says of its colours in numbers, which Pillow leaves out.

    ISO/IEC 14496-12, 12.1.5: a box "colr" of kind "nclx", in the head of the file.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    at = head.find(b"colrnclx")
    if not 0 <= at <= len(head) - 12:
        return Colours()
    primaries, transfer = struct.unpack(">HH", head[at + 8 : at + 12])
    return Colours(transfer, primaries)


def _upright(picture: Image, path: Path) -> Image:
    """EXIF orientation applied; a damaged EXIF block does not cost the photo."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except Exception as error:
        _log.warning("%s: EXIF data unreadable (%s), orientation unknown", path, one_line(error))
        return picture


def _eight_bit(picture: Image, kind: str | None) -> Image:
    """Grey of 16 or 32 bits as 8 bits, a transparent grey as alpha; other modes pass.

    Pillow's own conversion clips at 255 instead of scaling. kind: the file's format.
    """
    from PIL import Image

    if not picture.mode.startswith("I"):
        return picture
    grey: Any = np.asarray(picture).astype(np.float64).clip(0)
    levels = [65535.0, float(2**32 - 1)]
    if picture.mode == "I" and kind == "TIFF":  # 32 bits may hold what 8 would
        levels.insert(0, 255.0)
    full = next(most for most in levels if grey.max() <= most)
    scaled = Image.fromarray((grey * (255.0 / full) + 0.5).astype(np.uint8))
    clear = picture.info.get("transparency")
    if clear is None:
        return scaled
    alpha = Image.fromarray(np.where(grey == clear, 0, 255).astype(np.uint8))
    return Image.merge("LA", (scaled, alpha))


def _clear_exactly(picture: Image, path: Path) -> None:
    """The transparent colour of a PNG as alpha, in place.

    Pillow compares the lower bytes of one of 16 bits with the pixels' upper ones, all it has kept.
    """
    clear = picture.info.get("transparency")
    if picture.format != "PNG" or picture.mode != "RGB" or clear is None:
        return
    import cv2
    from PIL import Image

    whole: Any = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if whole is None or whole.dtype != np.uint16:
        return
    alpha = np.where((whole[..., 2::-1] == clear).all(2), 0, 255).astype(np.uint8)
    picture.putalpha(Image.fromarray(alpha))
    del picture.info["transparency"]


def _srgb(picture: Image) -> Image:
    """The embedded profile (Display P3 of phones, CMYK of printers) converted to sRGB."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    if "transparency" in picture.info:  # a colour, which is another one afterwards
        picture = picture.convert("RGBA")
    import io

    from PIL import ImageCms

    mode = "RGB" if picture.mode == "CMYK" else picture.mode
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, srgb, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a broken profile, or one of another mode: read as sRGB
    return converted or picture


def _over_white(picture: Image) -> Image:
    """RGB; alpha and transparent colours flattened over white."""
    from PIL import Image

    if "transparency" not in picture.info and picture.mode not in TRANSPARENT:
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")
