"""Weight files that others publish: what they are called, where they are, whether they are whole.

Files lie in `cache_root() / "weights"` ($DANCE_CACHE) and are read only after their size and
SHA-256 have been checked, wherever these are published.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from dancecli.errors import UsageError, WeightsError
from dancecli.media.files import sha256_of
from dancecli.workdir import cache_root


@dataclass(frozen=True)
class WeightFile:
    """One published file.

    name: what the code calls it. file: its name on disk. about: what it is. addresses: where it is
    published, best first. size: bytes, and sha256: 64 hex digits, or None where its publisher gives
    none. licence: one line. commercial: True, False, or None where the terms leave it open.
    """

    name: str
    file: str
    about: str
    addresses: tuple[str, ...]
    licence: str
    commercial: bool | None
    size: int | None = None
    sha256: str | None = None


_LPIPS = "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1/"

MANIFEST = {
    each.name: each
    for each in (
        WeightFile(
            "vgg19",
            "vgg19-dcbb9e9d.pth",
            "VGG-19 trained on ImageNet",
            ("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",),
            "torchvision BSD-3-Clause; trained on ImageNet, whose pictures are for research",
            None,
            574_673_361,
            "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        ),
        WeightFile(
            "vggface2",
            "resnet50_ft_weight.pkl",
            "ResNet-50 trained on VGGFace2",
            (
                "https://drive.google.com/open?id=1A94PAAnwk6L7hXdBXLFosB_s0SzEhAFU",
                "https://github.com/cydonia999/VGGFace2-pytorch",
            ),
            "converted from the authors' Caffe model; VGGFace2's pictures are for research",
            None,
        ),
        WeightFile(
            "vgg16",
            "vgg16-397923af.pth",
            "VGG-16 trained on ImageNet",
            ("https://download.pytorch.org/models/vgg16-397923af.pth",),
            "torchvision BSD-3-Clause; trained on ImageNet, whose pictures are for research",
            None,
        ),
        WeightFile(
            "squeezenet1_1",
            "squeezenet1_1-b8a52dc0.pth",
            "SqueezeNet 1.1 trained on ImageNet",
            ("https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",),
            "torchvision BSD-3-Clause; trained on ImageNet, whose pictures are for research",
            None,
            None,
            "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
        ),
        WeightFile(
            "lpips_vgg",
            "lpips-v0.1-vgg.pth",
            "LPIPS v0.1's heads for VGG-16 (vgg.pth, to be saved under this name)",
            (_LPIPS + "vgg.pth",),
            "BSD-2-Clause",
            True,
            7_289,
            "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        ),
        WeightFile(
            "lpips_squeeze",
            "lpips-v0.1-squeeze.pth",
            "LPIPS v0.1's heads for SqueezeNet (squeeze.pth, to be saved under this name)",
            (_LPIPS + "squeeze.pth",),
            "BSD-2-Clause",
            True,
            10_811,
            "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
        ),
        WeightFile(
            "fid_inception",
            "pt_inception-2015-12-05-6726825d.pth",
            "FID's Inception network",
            (
                "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                "pt_inception-2015-12-05-6726825d.pth",
            ),
            "Apache-2.0; trained on ImageNet, whose pictures are for research",
            None,
            95_628_359,
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        ),
    )
}
"""Name -> file."""


def folder() -> Path:
    """Where weight files are looked for."""
    return cache_root() / "weights"


def known(name: str) -> WeightFile:
    """The manifest's entry of a name.

    Raises UsageError with the names that exist.
    """
    if name in MANIFEST:
        return MANIFEST[name]
    close = difflib.get_close_matches(name, MANIFEST, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise UsageError(f"no weight file is called '{name}'; known: {', '.join(MANIFEST)}{hint}")


def locate(name: str) -> Path:
    """The file of a name, verified.

    Raises WeightsError saying which file is missing or damaged, where it is published and where to
    put it; UsageError for an unknown name.
    """
    entry = known(name)
    path = folder() / entry.file
    if not path.is_file():
        raise WeightsError(
            f"{entry.about} is needed and not here: get {entry.file}{_hash_hint(entry)} "
            f"from {entry.addresses[0]} and put it into {folder()}"
        )
    _verify(entry, path)
    return path


def _hash_hint(entry: WeightFile) -> str:
    return f" (SHA-256 {entry.sha256})" if entry.sha256 else ""


def _verify(entry: WeightFile, path: Path) -> None:
    size = path.stat().st_size
    if entry.size is not None and size != entry.size:
        raise WeightsError(
            f"{path}: {size} bytes, {entry.size} expected; get it again from {entry.addresses[0]}"
        )
    if entry.sha256 is not None and (found := sha256_of(path)) != entry.sha256:
        raise WeightsError(
            f"{path}: its SHA-256 is {found}, {entry.sha256} expected; "
            f"get it again from {entry.addresses[0]}"
        )
