"""Getting a weight file, from where it is published or from a file at hand: verified, in place."""

from __future__ import annotations

import shutil
from pathlib import Path

from dancecli import licences
from dancecli.errors import WeightsError
from dancecli.media.files import (
    check_input,
    named,
    remove,
    room,
    settle,
    sha256_of,
    written_aside,
)
from dancecli.progress import Progress
from dancecli.weights import store
from dancecli.weights.archives import unpack
from dancecli.weights.catalogue import known
from dancecli.weights.download import FailedError, download, drop
from dancecli.weights.manifest import LARGEST, WeightFile
from dancecli.weights.saying import in_full, trusting

TRUST = "its publisher gives no SHA-256 to compare with"


class RejectedError(WeightsError):
    """A file is not what was published."""


class UntrustedError(WeightsError):
    """A file may be the right one, but nobody has said so."""


def fetch(
    name: str,
    progress: Progress,
    source: Path | None = None,
    trust: bool = False,
    licence: str = licences.ANY,
) -> Path:
    """Put a file into the weights folder, whole or not at all; returns what `locate` would.

    source: a file fetched by hand, instead of the published addresses; it is copied. trust: accept
    a file whose publisher gives no hash, and remember the hash it has. licence: "commercial"
    refuses files whose terms do not allow that. Another process that fetches the same is waited
    for. Raises UsageError for an unknown name, LicenceError, MediaError when the disk is full,
    WeightsError saying why nothing was put into place.
    """
    entry = known(name)
    licences.refuse(licence, f"the weight file '{name}'", entry.commercial, entry.licence)
    with store.held(entry):
        if source is not None:
            _from_hand(entry, source, trust, progress)
        elif not _settled(entry, trust, progress):
            _from_addresses(entry, trust, progress)
    return store.path_of(entry)


def remove_file(name: str) -> int:
    """Remove a file, what is unfinished of it and the hash trusted for it; returns bytes freed.

    Raises UsageError for an unknown name, WeightsError when the folder cannot be written.
    """
    entry = known(name)
    with store.held(entry):
        return store.discard(entry)


def _settled(entry: WeightFile, trust: bool, progress: Progress) -> bool:
    """Whether a file in place needs no fetching. Raises UntrustedError for one to be trusted."""
    found = store.state(entry)
    if found.word == store.HERE:
        progress.say(f"{entry.name} is here already")
        return True
    if found.word == store.UNTRUSTED:
        path = store.place(entry)
        sha256 = _judged(entry, path, trust, path)
        store.remember(entry, store.Record(sha256))
        progress.say(f"{entry.name} is here, its SHA-256 {sha256} is trusted from now on")
        return True
    if found.word == store.DAMAGED:
        progress.say(f"{entry.name} is here but damaged: {found.detail}")
    return False


def _from_hand(entry: WeightFile, source: Path, trust: bool, progress: Progress) -> None:
    """Install a copy of a file or, of what is a folder, of all files that it lists."""
    if entry.listing:
        return _copy_folder(entry, entry.listing, source, progress)
    _check_plain(source)
    if wrong := store.wrong_size(entry, source):
        raise RejectedError(f"{named(source)} is not {entry.file}: {wrong}; {_kept_out(entry)}")
    part = store.bookkeeping(entry, ".hand")
    try:
        with room(part):
            shutil.copyfile(source, part)
        _install(entry, part, _judged(entry, part, trust, source, True), progress)
        drop(store.bookkeeping(entry, ".part"))
    finally:
        remove(part)


def _check_plain(path: Path) -> None:
    """Raises MediaError or WeightsError for what cannot be a weight file."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise WeightsError(f"{named(path)} is not a plain file")  # opening a pipe would wait
    check_input(path, "weight file")
    if path.stat().st_size > LARGEST:
        raise WeightsError(f"{named(path)} is larger than any weight file")


def _copy_folder(entry: WeightFile, listing: str, source: Path, progress: Progress) -> None:
    if not (source / listing).is_file():
        raise WeightsError(
            f"{named(source)} is not the folder '{entry.file}': it has no {listing}; "
            f"{in_full(entry)}"
        )
    hashes = store.read_listing(source / listing)
    with written_aside(store.place(entry)) as aside, progress.stage(
        entry.name, len(hashes), unit="file"
    ) as step:  # fmt: skip
        aside.mkdir()
        shutil.copyfile(source / listing, aside / listing)
        for name, sha256 in hashes.items():
            _copy_listed(source / name, aside / name, sha256)
            step()
    progress.say(f"{entry.name}: {len(hashes)} files in {store.place(entry)}")


def _copy_listed(source: Path, target: Path, sha256: str) -> None:
    _check_plain(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if wrong := store.wrong_hash(sha256, target):
        raise RejectedError(f"{named(source)} is damaged: {wrong}; nothing was installed")


def _from_addresses(entry: WeightFile, trust: bool, progress: Progress) -> None:
    """Try the addresses in their order.

    Raises WeightsError with what each answered and what a person can do.
    """
    part = store.bookkeeping(entry, ".part")
    failures = []
    for address in entry.addresses:
        progress.say(f"{entry.name}: fetching {entry.file} from {address}")
        try:
            download(address, part, entry.size, progress, entry.name)
            _install(entry, part, _judged(entry, part, trust, Path(entry.file)), progress)
            return drop(part)
        except UntrustedError:
            raise  # kept, so that --trust need not fetch it again
        except RejectedError as error:
            drop(part)
            failures.append(f"{address}: {error}")
        except FailedError as error:
            failures.append(f"{address}: {error}")
    tried = f"cannot fetch '{entry.name}': {'; '.join(failures)}; " if failures else ""
    raise WeightsError(f"{tried}{in_full(entry, bool(failures))}")


def _judged(entry: WeightFile, path: Path, trust: bool, told: Path, by_hand: bool = False) -> str:
    """The SHA-256 of a whole file that may be installed.

    told: its name for messages. by_hand: the file of that name was given by --from.
    """
    wrong = store.wrong_size(entry, path) or store.wrong_hash(store.expected(entry), path)
    if wrong:
        raise RejectedError(f"{named(told)} is not {entry.file}: {wrong}; {_kept_out(entry)}")
    sha256 = sha256_of(path)
    if not store.expected(entry) and not trust:
        how = trusting(entry, told if by_hand else None)
        raise UntrustedError(f"{named(told)} has the SHA-256 {sha256}, {TRUST}; {how}")
    return sha256


def _kept_out(entry: WeightFile) -> str:
    if entry.sha256 is None and store.expected(entry):
        return (
            "kept out, since another one was trusted before "
            f"(`dance weights remove {entry.name}` forgets that)"
        )
    return "it was kept out"


def _install(entry: WeightFile, part: Path, sha256: str, progress: Progress) -> None:
    """Move a verified file into place, or what is wanted of an archive."""
    if entry.archive:
        record = store.Record(sha256, _unpack(entry, entry.archive, part))
    else:
        record = store.Record(sha256)
        with room(store.place(entry)):
            settle(part)
            _free(store.place(entry))
            part.replace(store.place(entry))
            settle(store.folder())
    if entry.archive or not entry.sha256:
        store.remember(entry, record)
    progress.say(f"{entry.name}: {store.path_of(entry)} (SHA-256 {sha256})")


def _free(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        raise WeightsError(f"{path} is a folder where a file belongs; move it away")


def _unpack(entry: WeightFile, kind: str, archive: Path) -> dict[str, str]:
    """The SHA-256 of each wanted file, unpacked into place together."""
    with written_aside(store.place(entry)) as aside:
        aside.mkdir()
        try:
            unpack(archive, kind, entry.unpack, aside)
        except WeightsError as error:
            raise RejectedError(f"{entry.file}: {error}; it was kept out") from error
        return {name: sha256_of(aside / name) for name in entry.unpack}
