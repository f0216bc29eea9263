"""Checkpoints and bundles: files that rebuild their networks, hostile until checked.

A network is one safetensors file whose metadata carries its role and its preset as JSON. A bundle
is a folder with `bundle.toml` and one such file per role:

    schema = 1
    name = "compact"
    licence = "MIT"
    commercial = true
    [networks]
    p2b = "p2b.safetensors"
    b2f = "b2f.safetensors"
    fr = "fr.safetensors"
    [sha256]
    p2b = "64 hex digits"

Nothing is unpickled. Names, shapes and types are compared with the network that the preset
describes before any tensor is read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from dance_freestyle import overrides
from dance_freestyle.b2f import B2F
from dance_freestyle.embedder import Embedder
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B
from dance_freestyle.parser import Parser
from dance_freestyle.preset_fields import (
    B2FPreset,
    EmbedderPreset,
    FRPreset,
    P2BPreset,
    ParserPreset,
)
from dance_freestyle.weight_files import check_layout, check_state
from dancecli.errors import UsageError, WeightsError
from dancecli.media.files import sha256_of
from dancecli.weights import folder as weights_folder
from dancecli.workdir import write_aside

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = "dance-freestyle-1"
"""Written into every file; raised when the meaning of presets or tensors changes."""

LARGEST_FILE = 4 << 30
LARGEST_TEXT = 1 << 20
"""Bytes of a network's file, and of a preset or bundle.toml."""

_REAL = {"F32", "F16", "BF16"}
_WHOLE = {"I64"}


@dataclass(frozen=True)
class Role:
    """One of the three networks: the kind of its preset and how it is built."""

    preset: type
    build: Callable[[Any], nn.Module]


ROLES = {
    "p2b": Role(P2BPreset, P2B),
    "b2f": Role(B2FPreset, B2F),
    "fr": Role(FRPreset, FR),
    "parser": Role(ParserPreset, Parser),
    "embedder": Role(EmbedderPreset, Embedder),
}


def save_network(path: Path, role: str, network: nn.Module, half: bool = False) -> None:
    """Write a network and its preset, whole or not at all.

    half: store real numbers in 16 bits, for files that are shipped.
    """
    about = {
        "format": FORMAT,
        "role": role,
        "preset": json.dumps(overrides.as_json(network.preset)),
    }
    state = {key: _stored(value, half) for key, value in network.state_dict().items()}
    write_aside(path, save(state, about))


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()
    return value.half() if half and value.is_floating_point() else value


def load_network(path: Path, role: str | None = None) -> nn.Module:
    """The network of a file, on the CPU, in single precision and evaluation mode.

    role: "p2b", "b2f" or "fr" when only that one will do.
    Raises WeightsError for whatever is not a whole, matching checkpoint.
    """
    with _opened(path) as file:
        return _rebuilt(path, file, role)


def read_preset(path: Path, role: str) -> Any:
    """The preset of a role's file; its tensors stay unread.

    Raises WeightsError for a file that does not describe such a network.
    """
    with _opened(path) as file:
        return _described(path, file.metadata() or {}, role)[1]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise WeightsError(f"{path}: {size} bytes, more than any checkpoint has")
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error


def _rebuilt(path: Path, file: Any, role: str | None) -> nn.Module:
    found, preset = _described(path, file.metadata() or {}, role)
    with torch.device("meta"):
        try:
            network = ROLES[found].build(preset)
        except (RuntimeError, ValueError, OverflowError) as error:
            raise WeightsError(f"{path}: its preset cannot be built ({error})") from error
    expected = network.state_dict()
    _check_header(path, file, expected)
    state = {key: _read(file.get_tensor(key)) for key in expected}
    check_state(path, expected, state)
    network.load_state_dict(state, assign=True)
    return network.eval()


def _described(path: Path, about: Mapping[str, str], role: str | None) -> tuple[str, Any]:
    """The role and the checked preset that the metadata gives."""
    if about.get("format") != FORMAT:
        raise WeightsError(
            f"{path}: format {about.get('format', 'none')!r:.60}, this dance reads {FORMAT!r}"
        )
    found, text = about.get("role", ""), about.get("preset", "")
    if found not in ROLES or role not in (None, found):
        raise WeightsError(f"{path}: holds {found!r:.40}, wanted {role or ' or '.join(ROLES)}")
    if len(text) > LARGEST_TEXT:
        raise WeightsError(f"{path}: its preset is {len(text)} characters long")
    try:
        return found, overrides.from_json(ROLES[found].preset, json.loads(text), found)
    except (UsageError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: its preset is refused: {error}") from error


def _check_header(path: Path, file: Any, expected: Mapping[str, Tensor]) -> None:
    layout = {}
    for key in file.keys():  # noqa: SIM118 - safe_open is not a mapping
        piece = file.get_slice(key)
        kind = piece.get_dtype()
        if kind not in _REAL | _WHOLE:
            raise WeightsError(f"{path}: '{key[:80]}' is stored as {kind}, which no network uses")
        layout[key] = (tuple(piece.get_shape()), kind in _REAL)
    wanted = {key: (tuple(x.shape), x.is_floating_point()) for key, x in expected.items()}
    check_layout(path, wanted, layout)


def _read(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


@dataclass(frozen=True)
class Bundle:
    """What `bundle.toml` says.

    folder: where it lies. files: role -> file. licence, commercial: of the weights.
    """

    folder: Path
    name: str
    licence: str
    commercial: bool | None
    files: Mapping[str, Path]

    def load(self, role: str) -> nn.Module:
        """The network of a role.

        Raises WeightsError when the bundle has none or its file is refused.
        """
        if role not in self.files:
            raise WeightsError(
                f"{self.folder}: the bundle has no {role}, only {', '.join(self.files) or 'no'}"
            )
        return load_network(self.files[role], role)


SHIPPED = Path(__file__).parent / "bundle"
"""Bundles that come with the package."""


def find_bundle(weights: str | None) -> Path:
    """The folder that --weights means: a path, or the name of a shipped or downloaded bundle.

    None is the shipped `compact`. Raises WeightsError naming the bundles that are here.
    """
    name = weights or "compact"
    homes = (SHIPPED, weights_folder())
    for folder in (Path(name), *(home / name for home in homes)):
        if (folder / "bundle.toml").is_file():
            return folder
    here = sorted({path.parent.name for home in homes for path in home.glob("*/bundle.toml")})
    raise WeightsError(
        f"no trained weights called '{name}' are here, nor is that a folder with a bundle.toml; "
        f"here are: {', '.join(here) or 'none'}; train them, or put a bundle into {homes[1]}"
    )


def bundle_with(role: str, weights: str | None) -> Bundle:
    """The bundle that --weights means if it has such a network, else the shipped one.

    Raises WeightsError when neither has.
    """
    for name in dict.fromkeys((weights, None)):
        try:
            bundle = read_bundle(find_bundle(name))
        except WeightsError:
            if name is None:
                raise
            continue
        if role in bundle.files:
            return bundle
    raise WeightsError(f"no weights with a {role} are here; train one: dance train {role} --help")


def read_bundle(folder: Path) -> Bundle:
    """The bundle of a folder; networks are read when asked for.

    Raises WeightsError when `bundle.toml` is missing or not as described above, or a file has
    another SHA-256 than it says.
    """
    path = folder / "bundle.toml"
    data = _toml(path)
    if data.get("schema") != 1:
        raise WeightsError(f"{path}: schema {data.get('schema')!r:.40}, this dance reads 1")
    networks = data.get("networks")
    if not isinstance(networks, dict):
        raise WeightsError(f"{path}: has no table [networks]")
    files = {role: _inside(path, role, name) for role, name in networks.items()}
    _check_hashes(path, files, data.get("sha256", {}))
    commercial = data.get("commercial")
    return Bundle(
        folder,
        str(data.get("name", folder.name))[:100],
        str(data.get("licence", "unknown"))[:200],
        commercial if isinstance(commercial, bool) else None,
        files,
    )


def _check_hashes(path: Path, files: Mapping[str, Path], hashes: Any) -> None:
    """A role without a hash is not checked: bundles in the making have none."""
    if not isinstance(hashes, dict):
        raise WeightsError(f"{path}: sha256 is not a table")
    for role, file in files.items():
        try:
            damaged = role in hashes and sha256_of(file) != hashes[role]
        except OSError as error:
            raise WeightsError(f"{file}: cannot be read ({error.strerror or error})") from error
        if damaged:
            raise WeightsError(f"{file}: is damaged: its SHA-256 is not the one of {path.name}")


def _toml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_TEXT:
            raise WeightsError(f"{path}: too long for a bundle's description")
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return data
    except FileNotFoundError:
        raise WeightsError(
            f"{path.parent}: not a bundle of weights, bundle.toml is missing"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"{path}: cannot be read ({error})") from error


def _inside(path: Path, role: str, name: Any) -> Path:
    if role not in ROLES:
        raise WeightsError(f"{path}: unknown network '{role[:40]}'; known: {', '.join(ROLES)}")
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
        raise WeightsError(
            f"{path}: {role} = {name!r:.60} must name a .safetensors file in the same folder"
        )
    return path.parent / name


def save_bundle(
    folder: Path,
    name: str,
    networks: Mapping[str, nn.Module],
    licence: str,
    commercial: bool | None = None,
    half: bool = False,
) -> None:
    """Write networks by role as a bundle; `bundle.toml` comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for role, network in networks.items():
        save_network(folder / f"{role}.safetensors", role, network, half)
    lines = ["schema = 1", f"name = {_quoted(name)}", f"licence = {_quoted(licence)}"]
    if commercial is not None:
        lines.append(f"commercial = {json.dumps(commercial)}")
    lines += ["", "[networks]"] + [f'{role} = "{role}.safetensors"' for role in networks]
    lines += ["", "[sha256]"]
    lines += [f'{role} = "{sha256_of(folder / f"{role}.safetensors")}"' for role in networks]
    write_aside(folder / "bundle.toml", ("\n".join(lines) + "\n").encode())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
