"""What models of several evaluations said of the same events: saved, side by side, and drawn."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from numpy.typing import NDArray

from rootflow import checksum
from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.estimate import Estimate, PValue, with_error
from rootflow.evaluation.bootstrap import Statistic, bootstrap
from rootflow.evaluation.figures.style import new_figure, save_figure, styled
from rootflow.evaluation.folder import EVALUATE_AGAIN
from rootflow.evaluation.paired import (
    Metric,
    by_pair,
    comparison_table,
    comparisons,
    having,
    in_words,
)
from rootflow.evaluation.results import Comparison, logged
from rootflow.files import whole_file
from rootflow.ntuple.columns import structured
from rootflow.table import Row, Table

# What stands beside the event number in an event's identity, by the branch.
IDENTITY = "identity_"
METADATA = b"rootflow"
OF_EVENTS = ("file_index", "event_number", "fold", "weight")
# Weights of the same event may differ by as much, relatively: they are sums in any order.
TOLERANCE = 1e-6
# Of a figure's usual height, for each model; and for what is around them.
HEIGHT, AROUND = 0.11, 0.35
ABOVE: dict[str, Any] = {
    "xytext": (0, 7), "textcoords": "offset points", "ha": "center", "fontsize": "small",
}  # fmt: skip
Arrays = Mapping[str, NDArray[Any]]


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

    def take(self, chosen: NDArray[Any]) -> Self:
        """Return the chosen events, by their places or as a mask (n,)."""
        return self._replace(columns={name: each[chosen] for name, each in self.columns.items()})


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


# What each model said, by name, of the events of a table, and what is asked of one from the columns
# of the table and what it said.
Said = Callable[[EventTable], Mapping[str, Arrays]]
Asked = Callable[[Arrays, Arrays], dict[str, Statistic]]


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
        return by_pair(self.comparisons, metric or self.metric).get((name, other))

    def logged(self) -> dict[str, float]:
        """Return `METRIC/MODEL` and `METRIC_error/MODEL`."""
        return logged((model.name, model.metrics.items()) for model in self.models)

    def tables(self) -> list[Table]:
        """Return one of the models, and one of every two of them."""
        best = self.models[0].name
        rows = [
            {
                "model": model.name,
                "runs": ", ".join(model.evaluations),
                **{metric: model.metrics.get(metric) for metric in self.metrics},
                **self._pair(best, model.name, "below_best", "p_best_is_better"),
                **self._pair(model.name, self.first, "above_first", "p_better_than_first"),
            }
            for model in self.models
        ]
        return [
            Table.of_rows("models", "Models on the same events", rows),
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

    def _pair(self, name: str, other: str, gain: str, p_value: str) -> Row:
        """Return gain and p-value of one model being better than the other, in these columns."""
        found = self.comparison(name, other)
        p_better = found and PValue(found.p_value, self.replicas)
        return {gain: found and found.gain, p_value: p_better}


def compare(
    tables: Sequence[EventTable],
    truth: Sequence[str],
    said: Said,
    asked: Asked,
    metrics: Mapping[str, Metric],
    replicas: int,
    seed: int,
) -> ComparedModels:
    """Compare all models of several evaluations, event by event, on the same bootstrap replicas.

    A model is called after its evaluation, too, where several evaluations have another one of its
    name; where they have the same answers of it, it is one model. The first metric orders the
    models; that one has none, or that events, columns of the truth or weights differ, is an
    InputError.
    """
    tables, identities = _in_order(tables)
    for other, identity in zip(tables[1:], identities[1:], strict=True):
        _must_agree(tables[0], other, (*truth, "weight"), identities[0], identity)
    columns = tables[0].columns
    models = _models(tables, said)
    statistics = {
        f"{name}/{quantity}": statistic
        for name, (_, of_model) in models.items()
        for quantity, statistic in asked(columns, of_model).items()
    }
    found = bootstrap(statistics, columns["weight"], replicas, seed)
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
        events=len(columns["weight"]),
        replicas=replicas,
        seed=seed,
        models=tuple(sorted(compared, key=lambda model: -model.metrics[first].value)),
        comparisons=comparisons(metrics, found, list(models)),
        first=compared[0].name,
    )


def _in_order(
    tables: Sequence[EventTable],
) -> tuple[list[EventTable], list[NDArray[np.void]]]:
    """Return tables in an order that is the same in all, and what all say of who an event is."""
    files = sorted({file for table in tables for file in table.files})
    branches = set.intersection(*(set(table.starting(IDENTITY)) for table in tables))
    ordered, identities = [], []
    for table in tables:
        columns = {
            "file": np.searchsorted(files, table.files)[table.columns["file_index"]],
            "number": table.columns["event_number"],
            **{name: table.columns[IDENTITY + name] for name in sorted(branches)},
        }
        # Numbers have a sign or none in different tables; the same bits are the same event.
        who = structured(columns)
        order = np.lexsort([who[name] for name in reversed(columns)])
        ordered.append(table.take(order))
        identities.append(who[order])
    return ordered, identities


def _must_agree(
    one: EventTable,
    other: EventTable,
    columns: Sequence[str],
    events: NDArray[np.void],
    others: NDArray[np.void],
) -> None:
    both = f"{one.name} and {other.name} cannot be compared"
    if not np.array_equal(events, others):
        shared = len(np.intersect1d(events, others))
        raise InputError(
            f"{both}: they have {len(events):,} and {len(others):,} events with truth, {shared:,} "
            "of them the same: evaluate all on the same files and selection"
        )
    for name in columns:
        ours, theirs = one.columns[name], other.columns[name]
        differ = int(np.sum(~np.isclose(ours, theirs, rtol=TOLERANCE, atol=0, equal_nan=True)))
        if differ:
            raise InputError(
                f"{both}: {differ:,} of their {len(ours):,} events have another {name}: evaluate "
                "all with the same samples and settings"
            )


def _models(tables: Sequence[EventTable], said: Said) -> dict[str, tuple[tuple[str, ...], Arrays]]:
    """Return the evaluations that hold each model and what it said, by a name of its own."""
    distinct: dict[str, list[tuple[list[str], Arrays]]] = {}
    for table in tables:
        for name, of_model in said(table).items():
            known = distinct.setdefault(name, [])
            same = [holders for holders, before in known if _equal(before, of_model)]
            if same:
                same[0].append(table.name)
            else:
                known.append(([table.name], of_model))
    return {
        name if len(versions) == 1 else f"{name}:{holders[0]}": (tuple(holders), of_model)
        for name, versions in distinct.items()
        for holders, of_model in versions
    }


def _equal(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )


def draw_comparison(comparison: ComparedModels, path: Path, style: str = "neutral") -> list[Path]:
    """Draw every metric of every model, and by how much the best model is better than each.

    The figure at `path`, which ends in .png, and the PDF beside it are returned.
    """
    models, metrics = comparison.models, comparison.metrics
    best, rows = models[0].name, range(len(models))[::-1]  # the first one on top
    with styled(style):
        height = max(0.7, AROUND + HEIGHT * len(models))
        figure, panels = new_figure(columns=2, rows=len(metrics), heights=(height,) * len(metrics))
        for place, metric in enumerate(metrics):
            values, gains = panels[2 * place : 2 * place + 2]
            estimates = [model.metrics.get(metric) for model in models]
            _draw_rows(values, rows, estimates)
            names = [
                f"{m.name}\n{with_error(each)}" for m, each in zip(models, estimates, strict=True)
            ]
            values.set_yticks(rows, names, fontsize="small")
            values.set_xlabel(f"{in_words(metric)}, weighted")
            found = [comparison.comparison(best, model.name, metric) for model in models]
            _draw_rows(gains, rows, [each and each.gain for each in found])
            for row, each in zip(rows, found, strict=True):
                if each is not None:
                    text = PValue(each.p_value, comparison.replicas).equation
                    gains.annotate(text, (each.gain.value, row), **ABOVE)
            gains.axvline(0, color="grey", linestyle=":")
            gains.tick_params(axis="y", labelleft=False)
            gains.set_xlabel(f"gain of {best} in {in_words(metric)}")
        return save_figure(figure, path.parent, path.stem)


def _draw_rows(axes: Axes, rows: Sequence[int], estimates: Sequence[Estimate | None]) -> None:
    for row, estimate in zip(rows, estimates, strict=True):
        if estimate is not None:
            axes.errorbar(
                estimate.value, row, xerr=estimate.error, color="black", marker="o", capsize=3
            )
    axes.set_yticks(rows)
    axes.minorticks_off()
    axes.ticklabel_format(axis="x", style="plain")
    axes.tick_params(axis="y", left=False, right=False)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.margins(x=0.15)
    axes.grid(axis="x", alpha=0.3)
