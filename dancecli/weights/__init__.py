"""Weight files that others publish: what they are called, where they are, whether they are whole.

Plugins call `locate`; `dance weights` fetches. Files lie in `cache_root() / "weights"`
($DANCE_CACHE) and are read only after their size and SHA-256 have been checked.
"""

from __future__ import annotations

from pathlib import Path

from dancecli.errors import WeightsError
from dancecli.weights import saying, store
from dancecli.weights.catalogue import catalogue, known, needed_by
from dancecli.weights.manifest import WeightFile
from dancecli.weights.store import folder

__all__ = ["WeightFile", "catalogue", "folder", "known", "locate", "needed_by"]


def locate(name: str) -> Path:
    """The file of a name, verified; of an archive the file, or the folder of files, wanted of it.

    Raises WeightsError saying which file is missing, damaged or not yet trusted, where it is
    published, and the command that gets it; UsageError for an unknown name.
    """
    entry = known(name)
    found = store.state(entry)
    if found.word == store.HERE:
        return store.path_of(entry)
    if found.word == store.MISSING:
        raise WeightsError(saying.missing(entry))
    tell = saying.damaged if found.word == store.DAMAGED else saying.untrusted
    raise WeightsError(tell(entry, found.detail))
