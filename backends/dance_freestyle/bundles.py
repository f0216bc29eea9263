"""Bundles of weights: a folder with `bundle.toml` and one safetensors file per network.

    schema = 1
    name = "compact"
    licence = "MIT"
    commercial = true
    [networks]
    p2b = "p2b.safetensors"
    b2f = "b2f.safetensors"
    [sha256]
    p2b = "64 hex digits"

What is here needs no torch, so that whoever only asks which weights there are does not wait for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dancecli.errors import WeightsError
from dancecli.media.files import sha256_of
from dancecli.toml import tomllib
from dancecli.weights import folder as weights_folder

ROLES = ("p2b", "b2f", "fr", "parser", "embedder")
"""Networks that a bundle may hold."""

LARGEST_TEXT = 1 << 20
"""Bytes of a preset or bundle.toml."""


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

    def load(self, role: str) -> Any:
        """The network of a role.

        Raises WeightsError when the bundle has none or its file is refused.
        """
        if role not in self.files:
            raise WeightsError(
                f"{self.folder}: the bundle has no {role}, only {', '.join(self.files) or 'no'}"
            )
        from dance_freestyle.checkpoint import load_network

        return load_network(self.files[role], role)

    def about(self, roles: Collection[str]) -> dict[str, Any]:
        """Name, terms and SHA-256 by role of some of the networks, for the sidecar."""
        files = {role: sha256_of(self.files[role]) for role in roles if role in self.files}
        terms = {"licence": self.licence, "commercial": self.commercial}
        return {"name": self.name, **terms, "sha256": files}


SHIPPED = Path(__file__).parent / "bundle"
"""Bundles that come with the package."""


def find_bundle(weights: str | None) -> Path:
    """The folder that --weights means: a path, or the name of a shipped or downloaded bundle.

    None is the shipped `compact`. Raises WeightsError naming the bundles that are here.
    """
    name = weights or "compact"
    homes = (SHIPPED, weights_folder())
    given = () if weights is None else (Path(weights),)
    for folder in (*given, *(home / name for home in homes)):
        if (folder / "bundle.toml").is_file():
            return folder
    here = sorted({path.parent.name for home in homes for path in home.glob("*/bundle.toml")})
    raise WeightsError(
        f"no trained weights called '{name}' are here, nor is that a folder with a bundle.toml; "
        f"here are: {', '.join(here) or 'none'}; train them, or put a bundle into {homes[1]}"
    )


def bundle_with(role: str, weights: str | None) -> Bundle:
    """The bundle that --weights means if it has such a network, else the shipped one.

    Raises WeightsError when neither has, or the one that has is damaged.
    """
    for name in dict.fromkeys((weights, None)):
        try:
            folder = find_bundle(name)
        except WeightsError:
            if name is None:
                raise
            continue  # another backend's weights, or told by the one that wants them
        bundle = read_bundle(folder, (role,))
        if role in bundle.files:
            return bundle
    raise WeightsError(f"no weights with a {role} are here; train one: dance train {role} --help")


def read_bundle(folder: Path, roles: Collection[str] = ROLES) -> Bundle:
    """The bundle of a folder; networks are read when asked for.

    roles: those whose files are compared with their hashes. Raises WeightsError when `bundle.toml`
    is missing or not as described above, or such a file has another SHA-256 than it says.
    """
    path = folder / "bundle.toml"
    data = _toml(path)
    if data.get("schema") != 1:
        raise WeightsError(f"{path}: schema {data.get('schema')!r:.40}, this dance reads 1")
    networks = data.get("networks")
    if not isinstance(networks, dict):
        raise WeightsError(f"{path}: has no table [networks]")
    files = {role: _inside(path, role, name) for role, name in networks.items()}
    wanted = {role: file for role, file in files.items() if role in roles}
    _check_hashes(path, wanted, data.get("sha256", {}))
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
