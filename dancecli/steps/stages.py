"""The plugins of one run: named at once, imported when first used."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from dancecli import licences, registry
from dancecli.device import resolve
from dancecli.errors import WeightsError
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
        identity = self.infos[group].identity
        if group != "dance.parser":
            return identity  # what poses and pictures come from is not imported to find them again
        key = getattr(registry.load_class(self.infos[group]), "key", None)
        if self.infos[group].isolated and self.settings.weights:
            return f"{identity} {registry.content(self.settings.weights)}"  # its code is elsewhere
        with suppress(WeightsError):  # told where they are needed
            return f"{identity} {key(self.settings)}" if callable(key) else identity
        return identity

    def describe(self) -> list[dict[str, Any]]:
        """Every plugin with version and licence, for the sidecar."""
        return [self._described(group) for group in self.infos]

    def _described(self, group: str) -> dict[str, Any]:
        info = self.infos[group]
        plugin = registry.load_class(info)
        return {**info.as_dict(), "licence": plugin.LICENCE, "commercial": plugin.COMMERCIAL}

    def weights(self) -> Any:
        """What the backend says of its weights (names, terms, SHA-256); else --weights as given."""
        described = getattr(self.backend, "weights", None)
        return described() if callable(described) else self.settings.weights

    def settle(self) -> None:
        """Load what has weights; `FALLBACKS` in its place, said aloud, where its own are damaged.

        Raises now, not after minutes of poses: WeightsError for weights that were asked for,
        PluginError for a library that the backend or the dense plugin that it needs lacks.
        """
        for group, substitute in FALLBACKS.items():
            try:
                assert getattr(self, group.removeprefix("dance."))
            except WeightsError as error:
                if self.settings.weights is not None or self.infos[group].name != DEFAULTS[group]:
                    raise
                self._replace(group, substitute, error)
        if self.backend.uses_dense:
            assert self.dense

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
                    getattr(self, group.removeprefix("dance."))
