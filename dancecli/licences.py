"""`--licence`: refusing what may not be used commercially.

What plugins and weight files say of themselves is all that is known here; no advice on law.
"""

from __future__ import annotations

from typing import Any

from dancecli.errors import LicenceError, PluginError

ANY, COMMERCIAL = "any", "commercial"

CHOICES = (ANY, COMMERCIAL)
"""What `--licence` takes."""

USE = {True: "yes", False: "no", None: "unclear"}
"""COMMERCIAL as people read it."""


def fault(plugin: Any) -> str:
    """What is wrong with LICENCE and COMMERCIAL of a plugin's class, empty when nothing is."""
    licence = getattr(plugin, "LICENCE", None)
    if not isinstance(licence, str) or not licence.strip() or not licence.isprintable():
        return f"LICENCE is {licence!r}, not a line of text"
    if not hasattr(plugin, "COMMERCIAL"):
        return "COMMERCIAL is missing: True, False or None (unclear)"
    return fault_of_use(plugin.COMMERCIAL)


def fault_of_use(commercial: Any) -> str:
    """What is wrong with a COMMERCIAL alone, as an object may say it for itself."""
    # Not by `in`: 1 equals True, and an array has no one answer.
    if not any(commercial is known for known in USE):
        return f"COMMERCIAL is {commercial!r}, not True, False or None (unclear)"
    return ""


def refuse(wanted: str, what: str, commercial: bool | None, licence: str) -> None:
    """Raises LicenceError when `wanted` is "commercial" and the terms do not clearly allow it.

    what: names the thing for the message. commercial: True, False, or None for open terms, which
    are refused as well. licence: its terms, one line.
    """
    if wanted == ANY or commercial is True:
        return
    why = "forbid commercial use" if commercial is False else "leave commercial use unclear"
    raise LicenceError(
        f"--licence commercial refuses {what}: its terms {why} ({licence}); "
        "choose another, or leave --licence out"
    )


def refuse_plugin(plugin: Any, what: str, wanted: str) -> None:
    """As `refuse`, of a plugin's class or object."""
    commercial, licence = (getattr(plugin, key, None) for key in ("COMMERCIAL", "LICENCE"))
    refuse(wanted, what, commercial, licence or "none declared")


def refuse_unsaid(plugin: object, fault: str) -> None:
    """Raises PluginError for terms that have a fault. plugin: names it for the message."""
    if fault:
        raise PluginError(f"{plugin} does not say its terms: {fault}; tell its author")
