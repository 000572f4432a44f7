"""What models of any number of evaluations said of the same events, saved and side by side."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rootflow import checksum
from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import FloatArray, Statistic, bootstrap
from rootflow.evaluation.folder import EVALUATE_AGAIN
from rootflow.evaluation.paired import Metric, comparison_table, comparisons, having
from rootflow.evaluation.results import Comparison
from rootflow.files import whole_file
from rootflow.p_value import PValue
from rootflow.table import Cell, Column, Row, Table

# What stands beside the event number in an event's identity, by the branch.
IDENTITY = "identity_"
METADATA = b"rootflow"
OF_EVENTS = ("file_index", "event_number", "fold", "weight")
# Weights of the same event may differ by as much, relatively: they are sums in any order.
TOLERANCE = 1e-6
FILE, NUMBER = "file", "number"
Arrays = Mapping[str, NDArray[Any]]


class SavedAnswers(NamedTuple):
    """What the models of one evaluation `said` of n events, (n, ...) by name, by model.

    `who` (n,) tells events apart: the SHA-256 of the file, the event number and, by branch, the
    rest; `truth` (n, ...) must be the same in all evaluations.
    """

    name: str
    who: Arrays
    weight: FloatArray
    truth: Arrays
    said: Mapping[str, Arrays]


class EventTable(NamedTuple):
    """A table of n events as it is read back, with columns (n,).

    The name, for messages, is that of a file or the id of a run; `files` are SHA-256 by the events'
    `file_index`; `about` is what else is said of all events.
    """

    name: str
    files: tuple[str, ...]
    columns: dict[str, NDArray[Any]]
    about: dict[str, Any]

    def starting(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the columns whose names start so, by what follows."""
        return {
            name.removeprefix(prefix): values
            for name, values in self.columns.items()
            if name.startswith(prefix)
        }

    def answers(self, truth: Arrays, said: Mapping[str, Arrays]) -> SavedAnswers:
        """Return what models said of the events beside the truth (n,), to be compared."""
        return SavedAnswers(
            name=self.name,
            who={
                FILE: np.array(self.files)[self.columns["file_index"]],
                NUMBER: self.columns["event_number"],
                **{n: each for n, each in self.columns.items() if n.startswith(IDENTITY)},
            },
            weight=self.columns["weight"],
            truth=truth,
            said=said,
        )


def write_event_table(
    events: Events, columns: Mapping[str, Any], files: Sequence[str], path: Path, **about: Any
) -> None:
    """Write who each event is (`OF_EVENTS` and identity_BRANCH), and columns (n,) beside it.

    The SHA-256 of the `files`, by `file_index`, and what is said `about` all become metadata.
    """
    table = pa.table(
        {
            **{name: getattr(events, name) for name in OF_EVENTS},
            **{IDENTITY + name: values for name, values in events.identity_columns.items()},
            **columns,
        }
    )
    said = {METADATA: json.dumps({"files": list(files), **about}), checksum.KEY: checksum.UNSEALED}
    with whole_file(path) as partial:
        pq.write_table(table.replace_schema_metadata(said), partial)
        partial.write_bytes(checksum.seal(partial.read_bytes()))


def read_event_table(
    path: Path, what: str, needed: Sequence[str], said: Sequence[str], name: str | None
) -> EventTable:
    """Read what `write_event_table` wrote: `what` is scores or predictions, `name` or path whose.

    Columns that are `needed` beside those of every table must be there, and what the table must
    have `said` of all events; all else is an InputError.
    """
    called = name or str(path)
    content = checksum.read_sealed(path, EVALUATE_AGAIN, called)
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{called}: cannot read the {what}: {str(error).splitlines()[0]}"
        ) from None
    about = json.loads((table.schema.metadata or {}).get(METADATA, b"{}"))
    columns = (*OF_EVENTS, *needed)
    faults = [f"has no column {column}" for column in columns if column not in table.column_names]
    if "files" not in about:
        faults.append("does not name the events' files")
    faults += [f"does not say its {entry}" for entry in said if entry not in about]
    if faults:
        raise InputError(
            f"{called}: not a table of {what} as evaluate writes it: it {faults[0]}: "
            f"{EVALUATE_AGAIN}"
        )
    return EventTable(
        called,
        tuple(about.pop("files")),
        {column: np.asarray(table[column].to_numpy()) for column in table.column_names},
        about,
    )


# What is asked of a model: from the truth, what it said and the weights.
Asked = Callable[[Arrays, Arrays, FloatArray], dict[str, Statistic]]


class Compared(NamedTuple):
    """A model, the evaluations that hold the same answers of it, and its metrics."""

    name: str
    evaluations: tuple[str, ...]
    metrics: dict[str, Estimate]


class ComparedModels(NamedTuple):
    """What was found of models, the best in `metric` first; `first` was named first."""

    metric: str
    events: int
    replicas: int
    seed: int
    models: tuple[Compared, ...]
    comparisons: tuple[Comparison, ...]
    first: str

    @property
    def metrics(self) -> list[str]:
        """All metrics, that of the order first."""
        return list(dict.fromkeys(name for model in self.models for name in model.metrics))

    def comparison(self, name: str, other: str, metric: str = "") -> Comparison | None:
        """Return what was found of one model being better; None where it does not exist."""
        wanted = (metric or self.metric, name, other)
        return next((each for each in self.comparisons if each[:3] == wanted), None)

    def logged(self) -> dict[str, float]:
        """Return `METRIC/MODEL` and `METRIC_error/MODEL`."""
        return {
            f"{metric}{ending}/{model.name}": number
            for model in self.models
            for metric, estimate in model.metrics.items()
            for ending, number in (("", estimate.value), ("_error", estimate.error))
        }

    def tables(self) -> list[Table]:
        """Return one of the models, and one of every two of them."""
        against_best = "below_best", "p_best_is_better"
        against_first = "above_first", "p_better_than_first"
        names = ("model", "runs", *self.metrics, *against_best, *against_first)
        best = self.models[0].name
        rows: list[list[Cell]] = [
            [
                model.name,
                ", ".join(model.evaluations),
                *(model.metrics.get(metric) for metric in self.metrics),
                *self._pair(best, model.name),
                *self._pair(model.name, self.first),
            ]
            for model in self.models
        ]
        columns = [Column(name, name.replace("_", " ")) for name in names]
        return [
            Table.of("models", "Models on the same events", columns, rows),
            comparison_table(self.comparisons, self.replicas),
        ]

    def as_json(self) -> Row:
        """Return everything as plain data."""
        return {
            "events": self.events,
            "replicas": self.replicas,
            "seed": self.seed,
            **{table.name: table.as_rows() for table in self.tables()},
        }

    def _pair(self, name: str, other: str) -> tuple[Cell, Cell]:
        found = self.comparison(name, other)
        return (None, None) if found is None else (found.gain, PValue(found.p_value, self.replicas))


def compare(
    answers: Sequence[SavedAnswers],
    metrics: Mapping[str, Metric],
    asked: Asked,
    replicas: int,
    seed: int,
) -> ComparedModels:
    """Compare all models of several evaluations, event by event, on the same bootstrap replicas.

    A model is called after its evaluation, too, where several evaluations have another one of its
    name; where they have the same answers of it, it is one model. The first metric orders the
    models; that one has none, or that events, truth or weights differ, is an InputError.
    """
    answers = _in_order(answers)
    for other in answers[1:]:
        _must_agree(answers[0], other)
    weight, truth = answers[0].weight, answers[0].truth
    models = _models(answers)
    statistics = {
        f"{name}/{quantity}": statistic
        for name, (_, said) in models.items()
        for quantity, statistic in asked(truth, said, weight).items()
    }
    found = bootstrap(statistics, weight, replicas, seed)
    estimates: dict[str, dict[str, Estimate]] = {name: {} for name in models}
    for metric, asked_for in metrics.items():
        for name, replicated in having(asked_for, found, models).items():
            estimates[name][metric] = replicated.estimate(asked_for.at)
    first = next(iter(metrics))
    for name, of_model in estimates.items():
        if first not in of_model:
            raise InputError(f"{name}: {first} does not exist for the events of the comparison")
    compared = [Compared(name, models[name][0], estimates[name]) for name in models]
    return ComparedModels(
        metric=first,
        events=len(weight),
        replicas=replicas,
        seed=seed,
        models=tuple(sorted(compared, key=lambda model: -model.metrics[first].value)),
        comparisons=comparisons(metrics, found, list(models)),
        first=compared[0].name,
    )


def _in_order(answers: Sequence[SavedAnswers]) -> list[SavedAnswers]:
    """Return answers in an order that is the same in all, by what all say of who an event is."""
    common = set.intersection(*(set(each.who) for each in answers))
    names = [FILE, NUMBER, *sorted(common - {FILE, NUMBER})]

    def ordered(each: SavedAnswers) -> SavedAnswers:
        order = np.lexsort([each.who[name] for name in reversed(names)])

        def taken(arrays: Arrays) -> Arrays:
            return {name: values[order] for name, values in arrays.items()}

        return SavedAnswers(
            name=each.name,
            who=taken({name: each.who[name] for name in names}),
            weight=each.weight[order],
            truth=taken(each.truth),
            said={model: taken(said) for model, said in each.said.items()},
        )

    return [ordered(each) for each in answers]


def _must_agree(one: SavedAnswers, other: SavedAnswers) -> None:
    events, others = _who(one), _who(other)
    both = f"{one.name} and {other.name}"
    if not np.array_equal(events, others):
        shared = len(np.intersect1d(events, others))
        raise InputError(
            f"{both} cannot be compared: they have {len(events):,} and {len(others):,} events with "
            f"truth, {shared:,} of them the same: evaluate all on the same files and selection"
        )
    for what in (*one.truth, "weight"):
        ours, theirs = ({**each.truth, "weight": each.weight}[what] for each in (one, other))
        same = np.isclose(ours, theirs, rtol=TOLERANCE, atol=0, equal_nan=True)
        differ = int(np.sum(~same.reshape(len(ours), -1).all(axis=1)))
        if differ:
            raise InputError(
                f"{both} cannot be compared: {differ:,} of their {len(ours):,} events have "
                f"another {what}: evaluate all with the same samples and settings"
            )


def _who(answers: SavedAnswers) -> NDArray[np.void]:
    # Numbers are of either sign in different files, where the same bits are the same event.
    arrays = {**answers.who, NUMBER: answers.who[NUMBER].astype(np.uint64)}
    made = np.empty(len(answers.weight), [(name, each.dtype) for name, each in arrays.items()])
    for name, values in arrays.items():
        made[name] = values
    return made


def _models(
    answers: Sequence[SavedAnswers],
) -> dict[str, tuple[tuple[str, ...], Arrays]]:
    """Return the evaluations that hold each model and what it said, by a name of its own."""
    distinct: dict[str, list[tuple[list[str], Arrays]]] = {}
    for each in answers:
        for name, said in each.said.items():
            known = distinct.setdefault(name, [])
            same = [holders for holders, before in known if _equal(before, said)]
            if same:
                same[0].append(each.name)
            else:
                known.append(([each.name], said))
    return {
        name if len(versions) == 1 else f"{name}:{holders[0]}": (tuple(holders), said)
        for name, versions in distinct.items()
        for holders, said in versions
    }


def _equal(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )
