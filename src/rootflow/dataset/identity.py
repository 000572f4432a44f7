"""Who an event is, as numbers that are the same for the same event alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.arrays import SUFFIX
from rootflow.dataset.folds import mix
from rootflow.ntuple.identity import Identity
from rootflow.ntuple.objects import Objects

NUMBERS_AT_ONCE = 500_000
MOMENTUM = 4  # the first features of jets and leptons
FACTORS = mix(np.arange(256, dtype=np.uint64)) | np.uint64(1)


def content_of(
    identity: Identity, objects: Sequence[Objects], met: NDArray[np.float32] | None = None
) -> NDArray[np.uint64]:
    """Return (n,) a hash of the number and all momenta of each event, 0 of one without objects.

    Neither the order of objects nor weights, truth or identification change it: an event stays
    who it is. The number of a row is not looked at.
    """
    seed = np.zeros_like(identity.number) if identity.of_row else identity.number
    found = mix(seed)
    counts = np.zeros(len(found), dtype=np.int64)
    for kind, table in enumerate(objects):
        of_objects = mix(_combined(table.features[:, :MOMENTUM]) + FACTORS[kind])
        np.add.at(found, table.event, of_objects)
        counts += table.counts()
    if met is not None:
        found += mix(_combined(met))
    found[counts == 0] = 0
    return found


def identity_of(identity: Identity, file: int | None) -> NDArray[np.uint64]:
    """Return (n,) a hash of the number and the rest of the identity of each event.

    Without a file, the same identity in two files is the same event.
    """
    found = mix(identity.number)
    for name, values in sorted(identity.beside.items()):
        found = mix(found + values.astype(np.uint64) + np.uint64(crc32(name.encode())))
    return found if file is None else mix(found + np.uint64(file))


def _combined(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return (n,) the bits of each row as one number."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    found = np.zeros(len(bits), dtype=np.uint64)
    for column, factor in zip(bits.T, FACTORS, strict=False):
        found += column * factor
    return found


def repeated_numbers(directory: Path) -> int:
    """Return how many event numbers the events of more than one file of a dataset have.

    The numbers are looked at in parts of bounded size, the same number always in the same part.
    """
    numbers = np.load(directory / f"event_number{SUFFIX}", mmap_mode="r")
    files = np.load(directory / f"file_index{SUFFIX}", mmap_mode="r")
    repeated = 0
    for places in parted(numbers):
        number, file = numbers[places], files[places]
        order = np.lexsort((file, number))
        same_number = number[order][1:] == number[order][:-1]
        other_file = same_number & (file[order][1:] != file[order][:-1])
        repeated += len(np.unique(number[order][1:][other_file]))
    return repeated


def repeats(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where a key (n,) was before, and for each such place the first one of that key.

    They are looked at in parts of bounded size; those of 0 are never the same.
    """
    first, again = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for places in parted(keys):
        key = keys[places]
        order = np.argsort(key, kind="stable")
        same = np.zeros(len(key), dtype=np.bool_)
        same[1:] = (key[order][1:] == key[order][:-1]) & (key[order][1:] != 0)
        beginning = np.maximum.accumulate(np.where(same, 0, np.arange(len(key))))
        first.append(places[order][beginning[same]])
        again.append(places[order][same])
    return np.concatenate(first), np.concatenate(again)


def parted(
    numbers: NDArray[np.uint64] | NDArray[np.int64],
) -> Iterator[NDArray[np.int64]]:
    """Yield the places of numbers, rising, in parts of bounded size: equal ones are in one."""
    parts = len(numbers) // NUMBERS_AT_ONCE + 1
    starts = range(0, len(numbers), NUMBERS_AT_ONCE)
    for part in range(parts):
        yield np.concatenate(
            [
                start + np.flatnonzero(mix(block) % np.uint64(parts) == part)
                for start in starts
                for block in (numbers[start : start + NUMBERS_AT_ONCE],)
            ]
            or [np.empty(0, np.int64)]
        )
