"""`--licence`: refusing what may not be used commercially.

What plugins and weight files say of themselves is all that is known here; no advice on law.
"""

from __future__ import annotations

from dancecli.errors import LicenceError

ANY, COMMERCIAL = "any", "commercial"

CHOICES = (ANY, COMMERCIAL)
"""What `--licence` takes."""

USE = {True: "yes", False: "no", None: "unclear"}
"""COMMERCIAL as people read it."""


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
