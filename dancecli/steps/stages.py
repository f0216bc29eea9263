"""The plugins of one run: named at once, imported when first used."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cache
from typing import Any

from dancecli import licences, registry
from dancecli.device import resolve
from dancecli.errors import WeightsError
from dancecli.guarding import blamed
from dancecli.isolation.environment import OURS
from dancecli.job import Job
from dancecli.loading import Plugins
from dancecli.stages import DEFAULTS, FALLBACKS, Settings

logger = logging.getLogger(__name__)


class Stages(Plugins):
    """The plugins a job asks for.

    Names are looked up on construction, so a misspelt one fails before any work. Importing waits
    for the first use: poses read from the work directory need no pose extractor at all.
    """

    def __init__(self, job: Job) -> None:
        devices = job.devices or (job.device,)
        for device in devices:
            if device not in ("auto", "cpu"):
                resolve(device)  # refused now, not after the poses
        super().__init__(
            Settings(devices[0], job.weights, job.seed, licence=job.licence), job.plugins
        )
        self.infos = {group: registry.find(group, name) for group, name in job.plugins.items()}

    def identity(self, *groups: str) -> list[str]:
        """Name, version and weights of some of the plugins, for cache keys."""
        return [self._identity(f"dance.{group}") for group in groups]

    def _identity(self, group: str) -> str:
        info = self.infos[group]
        told = self._weights_used(info)
        return f"{info.identity} {told}" if told else info.identity

    def _weights_used(self, info: registry.PluginInfo) -> str:
        """What of the weights a plugin's results depend on; empty where nothing."""
        told = self._parser_weights(info)
        return self._foreign_weights(info) if told is None else told

    def _parser_weights(self, info: registry.PluginInfo) -> str | None:
        """What a parser says its results depend on; None where it says nothing, and for others."""
        if info.group != "dance.parser":
            return None
        key = getattr(registry.load_class(info), "key", None)
        try:
            with blamed(info, "failed in key"):
                return str(key(self.settings)) if callable(key) else None
        except WeightsError:  # told where they are needed
            return None

    def _foreign_weights(self, info: registry.PluginInfo) -> str:
        """What --weights holds, where the plugin may take it: another's, or an isolated parser.

        Our own extractors take no weights, so --weights does not change their key and they need
        not be imported. Our backend takes some, and says which in `weights`.
        """
        given, isolated = self.settings.weights, info.isolated is not None
        foreign = info.distribution != OURS or (info.group == "dance.parser" and isolated)
        if given is None or not foreign:
            return ""
        takes = getattr(registry.load_class(info), "takes_weights", True) is not False
        return registry.content(given) if takes else ""

    def chosen(self, group: str) -> bool:
        """Whether another plugin than the group's default was asked for."""
        return self.infos[group].asked != DEFAULTS[group]

    def describe(self) -> list[dict[str, Any]]:
        """Every plugin with version and licence, for the sidecar."""
        return [self._described(group) for group in self.infos]

    def _described(self, group: str) -> dict[str, Any]:
        info = self.infos[group]
        built = vars(self).get(group.removeprefix("dance."))
        plugin = registry.load_class(info)
        # An object may know better than its class, where that depends on its weights.
        commercial = getattr(built, "COMMERCIAL", plugin.COMMERCIAL)
        weights = _said_of_weights(built)
        said = {"weights": weights} if weights else {}
        return {**info.as_dict(), "licence": plugin.LICENCE, "commercial": commercial, **said}

    def weights(self) -> Any:
        """What the backend says of its weights (names, terms, SHA-256); else --weights as given."""
        described = _said_of_weights(self.backend)
        return self.settings.weights if described is None else described

    def settle(self) -> None:
        """Load what has weights; `FALLBACKS` in its place, said aloud, where its own are damaged.

        And whatever was chosen in a default's place, of the groups that the job has. Raises now,
        not after minutes of poses: WeightsError for weights that are not there, PluginError for a
        library that is missing. Other defaults come with the package and wait for their first use.
        """
        for group in [group for group in FALLBACKS if group in self.infos]:
            try:
                self._built(group)
            except WeightsError as error:
                if self.settings.weights is not None or self.chosen(group):
                    raise
                self._replace(group, FALLBACKS[group], error)
        if "dance.dense" in self.infos and self.backend.uses_dense:
            self._built("dance.dense")
        for group in self.infos:
            if self.chosen(group) and group not in (*FALLBACKS, "dance.dense"):
                self._built(group)
        self._say_unused_weights()

    def _say_unused_weights(self) -> None:
        groups = [group for group in FALLBACKS if group in self.infos]
        if self.settings.weights is None or any(
            getattr(self._built(group), "takes_weights", True) for group in groups
        ):
            return
        names = [f"{g.removeprefix('dance.')} '{self.infos[g].name}'" for g in reversed(groups)]
        _warn_once(
            f"--weights {self.settings.weights} is not used by {' or '.join(names)}; leave it "
            f"out, or choose --backend {DEFAULTS['dance.backend']}"
        )

    def _built(self, group: str) -> Any:
        return getattr(self, group.removeprefix("dance."))

    def _replace(self, group: str, substitute: str, why: WeightsError) -> None:
        logger.warning(
            "WARNING: %s. Using %s instead, which learned nothing; reinstall dancecli to mend this",
            why, substitute,
        )  # fmt: skip
        self._names = {**self._names, group: substitute}
        self.infos[group] = registry.find(group, substitute)

    def refuse_forbidden(self) -> None:
        """Raises LicenceError now when any plugin's terms do not allow what the job asks for.

        Also for plugins whose results are kept from before and that would not be loaded again.
        """
        if self.settings.licence != licences.ANY:
            for group in self.infos:
                mended = (WeightsError,) if group in FALLBACKS else ()  # by `settle`
                with suppress(*mended):
                    self._built(group)


def _said_of_weights(plugin: Any) -> Any:
    """What a plugin says of its weights; None where it says nothing."""
    described = getattr(plugin, "weights", None)
    return described() if callable(described) else None


@cache
def _warn_once(text: str) -> None:
    """Not for every row of a batch."""
    logger.warning("%s", text)
