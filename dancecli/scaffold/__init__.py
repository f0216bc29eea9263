"""`dance plugins new`: a distribution of somebody's own that works before a line is changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from dancecli import registry
from dancecli.errors import OutputExistsError, UsageError
from dancecli.scaffold import texts
from dancecli.stages import KINDS

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""A name that packages, modules and options can share."""

LONGEST = 40
"""Letters of a name."""


@dataclass(frozen=True)
class Distribution:
    """name: of the plugin, as options take it. kind: one of KINDS."""

    name: str
    kind: str

    @property
    def package(self) -> str:
        """What pip calls it."""
        return f"dance-plugin-{self.name}"

    @property
    def module(self) -> str:
        """What Python calls it."""
        return self.package.replace("-", "_")

    @property
    def group(self) -> str:
        """Its entry-point group."""
        return f"dance.{self.kind.replace('-', '_')}"

    def check(self) -> None:
        """Raises UsageError for an unknown kind, an impossible name, or one that is taken."""
        if self.kind not in KINDS:
            raise UsageError(f"--kind {self.kind}: say one of {', '.join(KINDS)}")
        if not NAME.fullmatch(self.name) or len(self.name) > LONGEST:
            raise UsageError(
                f"{self.name[: 2 * LONGEST]!r} cannot name a plugin: use small letters and digits, "
                f"a letter first, single dashes between words, at most {LONGEST} signs, "
                f"such as my-{self.kind}"
            )
        for info in registry.installed():
            if self.name == info.name or self.package == info.distribution:
                raise UsageError(
                    f"'{self.name}' is installed already: plugin '{info.name}' of {info.group}, "
                    f"from {info.distribution} {info.version}; choose another name"
                )

    def files(self) -> dict[str, str]:
        """Path within the distribution -> text."""
        module, class_name = self._module()
        values = {
            "name": self.name, "package": self.package, "module": self.module,
            "group": self.group, "kind": self.kind, "class_name": class_name,
            "use": texts.USES[self.kind].format(name=self.name), "what": texts.WHATS[self.kind],
        }  # fmt: skip
        tests = texts.READER_TESTS if self.kind == "dataset" else texts.TESTS
        written = {
            "pyproject.toml": texts.PYPROJECT,
            "README.md": texts.README,
            "tests/test_contract.py": tests,
        }
        filled = {path: Template(text).substitute(values) for path, text in written.items()}
        return {**filled, f"{self.module}.py": module}

    def _module(self) -> tuple[str, str]:
        """The module's text and its class, named for the plugin."""
        source = files("dancecli.scaffold.kinds") / f"{self.kind.replace('-', '_')}.py"
        camel = "".join(word.capitalize() for word in self.name.split("-"))
        text = source.read_text(encoding="utf-8")
        (found,) = re.findall(r"^class My(\w+):", text, re.MULTILINE)
        return re.sub(rf"\bMy{found}\b", f"{camel}{found}", text), f"{camel}{found}"


def write(name: str, kind: str, folder: Path | None = None) -> Path:
    """Writes a distribution with one plugin into a new folder, `dance-plugin-NAME` by default.

    Raises UsageError for a name or kind that cannot be, OutputExistsError when the folder is there,
    MediaError when the disk refuses. Nothing is left behind then.
    """
    from dancecli.media.files import named, written_aside

    made = Distribution(name, kind)
    made.check()
    out = folder or Path(made.package)
    if out.exists() or out.is_symlink():
        raise OutputExistsError(f"{named(out)} is there already: choose another name or folder")
    with written_aside(out) as unfinished:
        for path, text in made.files().items():
            target = unfinished / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
    return out
