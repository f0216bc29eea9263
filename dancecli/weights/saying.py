"""The one line that tells a user which file is needed and how to get it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from dancecli.media.files import named
from dancecli.weights import store
from dancecli.weights.manifest import WeightFile


def command(*names: str) -> str:
    """What to type."""
    return f"dance weights fetch {' '.join(names)}"


def in_full(entry: WeightFile, told: bool = False) -> str:
    """How to get a file by hand: address, name, size, hash, and where it belongs.

    told: the line names the addresses already.
    """
    if not entry.addresses:
        return (
            f"'{entry.name}' has no public address: get {described(entry)} from whoever has it; "
            f"{by_hand(entry)}"
        )
    where = "there" if told else " or ".join(entry.addresses)
    return f"by hand: get {described(entry)} from {where}; {by_hand(entry)}"


def described(entry: WeightFile) -> str:
    """Name, size and hash of a file, as far as they are published."""
    if entry.listing:
        return f"the folder with its {entry.listing}"
    facts = [f"{entry.size} bytes"] if entry.size else []
    facts += [f"SHA-256 {entry.sha256}" if entry.sha256 else "no SHA-256 is published"]
    return f"{entry.file} ({', '.join(facts)})"


def by_hand(entry: WeightFile) -> str:
    """What to do with a file or folder that was fetched by hand."""
    if entry.listing:
        return f"run `{command(entry.name)} --from DIR`, or put it there as {store.place(entry)}"
    trust = "" if entry.sha256 else " --trust"
    install = f"run `{command(entry.name)} --from FILE{trust}`"
    if entry.archive:
        return install
    also = f" and run `{command(entry.name)}{trust}`" if trust else ""
    return f"{install}, or put it into {store.folder()}{also}"


def trusting(entry: WeightFile, source: Path | None = None) -> str:
    """What to do with a file of unknown hash. source: where it was taken from by hand."""
    quoted = subprocess.list2cmdline if os.name == "nt" else shlex.join
    again = f" --from {quoted([named(source)])}" if source else ""
    return f"if it is what you expect, run `{command(entry.name)}{again} --trust`"


def missing(entry: WeightFile) -> str:
    """The whole message of a file that is not here."""
    if not entry.addresses:
        return f"{entry.about} is needed and not here: {in_full(entry)}"
    return f"{entry.about} is needed and not here: run `{command(entry.name)}`, or {in_full(entry)}"


def damaged(entry: WeightFile, detail: str) -> str:
    """The whole message of a file that is here and not what was published."""
    return f"{store.place(entry)}: {detail}; get it again with `{command(entry.name)}`"


def untrusted(entry: WeightFile, detail: str) -> str:
    """The whole message of a file that nobody vouched for."""
    return f"{store.place(entry)}: {detail} and none is published; {trusting(entry)}"
