"""Which fold an event belongs to, which events a model may be applied to, and how many at once."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.dataset.events import Events, Features
from rootflow.errors import InputError, UsageError


def fold_of(event_number: NDArray[np.integer[Any]], folds: FoldingConfig) -> NDArray[np.uint8]:
    """Return (n,) the fold of each event.

    It is the rest of the number, (n,) of `Events.fold_numbers`, on division by the number of
    folds; the hash scheme mixes its bits before, so that neighbours fall into folds as if by lot.
    """
    mixed = mix(event_number) if folds.scheme == "hash" else event_number.astype(np.uint64)
    return (mixed % np.uint64(folds.count)).astype(np.uint8)


def mix(numbers: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Return the numbers with their bits mixed, no two alike; negative ones as plus 2^64.

    This is SplitMix64 with the number as its seed: G. Steele, D. Lea, C. Flood, Fast
    Splittable Pseudorandom Number Generators, OOPSLA 2014, doi:10.1145/2660193.2660195,
    with the shifts and factors of D. Stafford's mixer 13.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    shifted = mixed >> np.uint64(30)
    mixed ^= shifted
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(mixed, np.uint64(27), out=shifted)
    mixed ^= shifted
    mixed *= np.uint64(0x94D049BB133111EB)
    np.right_shift(mixed, np.uint64(31), out=shifted)
    mixed ^= shifted
    return mixed


EVENTS_AT_ONCE = 1024


def refuse_seen(
    name: str, fold: NDArray[np.integer[Any]], folds: FoldingConfig, held_out: Collection[int]
) -> None:
    """Refuse events, by their folds (n,), of which a model of this name has only not seen some."""
    seen = ~np.isin(fold, [*held_out])
    if np.any(seen):
        raise InputError(
            f"{name} was trained on the folds of {np.sum(seen)} of these {len(fold)} "
            f"events (folds {', '.join(map(str, np.unique(fold[seen])))} of "
            f"{folds.count}, {folds.scheme}); it may be applied to fold "
            f"{', '.join(map(str, held_out))}"
        )


def refuse_other_folds(name: str, trained: Sequence[FoldsConfig], folds: FoldingConfig) -> None:
    """Refuse models that are not one for each fold, in the order of the folds.

    The folds of each training say as `held_out` which one it has not seen.
    """
    if len(trained) != folds.count:
        raise UsageError(
            f"{name}: {len(trained)} models for {folds.count} folds; one is needed for each"
        )
    for place, found in enumerate(trained):
        wanted = FoldsConfig(count=folds.count, scheme=folds.scheme, held_out=place)
        if found != wanted:
            raise UsageError(
                f"{name}: the model for {_in_words(wanted)} was trained without {_in_words(found)}"
            )


def _in_words(folds: FoldsConfig) -> str:
    return f"fold {folds.held_out} of {folds.count} ({folds.scheme})"


def taken_by(model: str, events: Events, features: Features, max_jets: int | None = None) -> Events:
    """Return events with the features alone that a model, of this name or file, takes.

    `max_jets` is its number of jet slots; none: it takes no jets.
    """
    found = {
        name: tuple(each for each in names if each in events.features.get(name, ()))
        for name, names in features.items()
    }
    there, wanted = _listed(events.features), _listed(features)
    if found != features and there != wanted:
        raise InputError(f"{model} takes {wanted}; these events have {there}")
    slots = max_jets if max_jets is None else events.jet_mask.shape[1]
    if slots != max_jets:
        raise InputError(
            f"{model} takes {max_jets} jet slots, these events have {slots}: "
            f"preprocess them with data.max_jets={max_jets}"
        )
    return events.taking(features)


def batches(events: Events, at_once: int = EVENTS_AT_ONCE) -> Iterator[Events]:
    """Yield the events in batches; of no events, one batch of none."""
    for start in range(0, max(len(events), 1), at_once):
        yield events.take(slice(start, start + at_once))


def _listed(features: Features) -> str:
    return "; ".join(
        f"{name}: {', '.join(features[name])}" for name in sorted(features) if features[name]
    )
