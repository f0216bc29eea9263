"""The plugins that prepare a data set, named in a job and loaded once per process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from dancecli import registry
from dancecli.data.noise import NOISES
from dancecli.errors import UsageError
from dancecli.loading import Plugins
from dancecli.stages import DEFAULTS, Settings

TRUTH = "truth"
"""In place of a plugin's name: what the data set itself says."""

AUTO = "auto"
"""For the pose: what the data set says where it says anything, else the default plugin."""

GROUPS = ("pose", "mask", "dense", "parser", "inpaint")


@dataclass(frozen=True)
class StageNames:
    """Which plugin does what. pose may be AUTO or TRUTH, dense may be TRUTH.

    parsed: keep what mask and parser make of pictures whose labels are known, too.
    noise: "measured" makes true poses as imperfect as an extractor's, "none" leaves them exact.
    """

    pose: str = AUTO
    mask: str = DEFAULTS["dance.mask"]
    dense: str = DEFAULTS["dance.dense"]
    parser: str = DEFAULTS["dance.parser"]
    inpaint: str = DEFAULTS["dance.inpaint"]
    parsed: bool = False
    noise: str = "measured"
    device: str = "auto"
    seed: int = 0

    def check(self) -> None:
        """Raises UsageError for a name that nobody has."""
        for group in GROUPS:
            if self.is_plugin(group):
                registry.find(f"dance.{group}", getattr(self, group))
        if self.noise not in NOISES:
            raise UsageError(f"--noise {self.noise}: say {' or '.join(NOISES)}")

    def is_plugin(self, group: str) -> bool:
        """Whether a plugin is named outright."""
        known = {"pose": (AUTO, TRUTH), "dense": (TRUTH,)}.get(group, ())
        return getattr(self, group) not in known

    def plugin(self, group: str) -> str:
        """The plugin's name; the default where it is left open."""
        name: str = getattr(self, group)
        return name if self.is_plugin(group) else DEFAULTS[f"dance.{group}"]

    def describe(self) -> dict[str, Any]:
        """The names, and for each plugin version and licence; for the manifest."""
        described = {}
        for group in GROUPS:
            if self.is_plugin(group) or getattr(self, group) == AUTO:
                info = registry.find(f"dance.{group}", self.plugin(group))
                plugin = registry.load_class(info)
                described[group] = {**info.as_dict(), "licence": plugin.LICENCE}
        return {"stages": self.as_dict(), "plugins": described}

    def as_dict(self) -> dict[str, Any]:
        """All of it, and no word of `parsed` where nothing is: as before there was such a thing."""
        named = asdict(self)
        return named if self.parsed else {k: v for k, v in named.items() if k != "parsed"}


class Stages(Plugins):
    """The plugins of some names."""

    def __init__(self, names: StageNames) -> None:
        self.names = names
        chosen = {f"dance.{group}": names.plugin(group) for group in GROUPS}
        super().__init__(Settings(device=names.device, seed=names.seed), chosen)


@lru_cache(maxsize=4)
def stages_of(names: StageNames) -> Stages:
    """The stages of some names, one object per process."""
    return Stages(names)
