"""What the registry hands out for an isolated plugin: its class's and its object's stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from dancecli.isolation.contract import DECLARED, WEIGHTS, Method, methods
from dancecli.isolation.registered import Isolated
from dancecli.isolation.remote import Remote
from dancecli.stages import Settings


class Proxy:
    """Keeps the Protocol of its group: the same attributes, and methods that run in the worker."""

    def __init__(self, remote: Remote, settings: Settings) -> None:
        self._remote, self._thing = remote, remote.build(settings)
        for name, value in remote.attributes(self._thing).items():
            setattr(self, name, value)
        offered = dict(methods(remote.plugin.group))
        if self._thing.made.get("weights"):
            offered[WEIGHTS.name] = WEIGHTS
        for name, method in offered.items():
            setattr(self, name, partial(self._call, method))

    def _call(self, method: Method, *args: Any, **named: Any) -> Any:
        return self._remote.call(self._thing, method, method.arguments(*args, **named))


class IsolatedClass:
    """Stands for the plugin's class: what it declares, and a Proxy when called with Settings."""

    INTERFACE_VERSION: int
    LICENCE: str
    COMMERCIAL: bool | None
    OPTION: str | None = None
    takes_weights: bool
    key: Callable[[Settings], str]

    def __init__(self, plugin: Isolated, target: str) -> None:
        """Raises PluginError when the class cannot be imported in its environment."""
        self._remote = Remote(plugin, target)
        declared = self._remote.declared()
        for name in DECLARED:
            if name in declared:
                setattr(self, name, declared[name])
        if declared.get("key"):
            self.key = self._remote.key

    def __call__(self, settings: Settings) -> Proxy:
        return Proxy(self._remote, settings)


@cache
def isolated_class(plugin: Isolated, target: str) -> IsolatedClass:
    """One per plugin and process, so that a plugin's objects share a worker."""
    return IsolatedClass(plugin, target)
