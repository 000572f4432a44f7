"""Exported files in the older versions of onnxruntime beside that of this environment."""

import functools
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from made_by_script import made_by_script
from rootflow.dataset import Events

if TYPE_CHECKING:
    from rootflow.export.writing import Prepared

PROJECT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("asked_onnx.py")
TOLERANCE = 1e-5
EVENTS_ONE_BY_ONE = 5
Arrays = Mapping[str, NDArray[Any]]


@functools.cache
def older_runtimes() -> tuple[str, ...]:
    """Return the Python of each environment with an older onnxruntime."""
    made = made_by_script("onnxruntimes.sh", "older versions of onnxruntime are not there")
    return tuple(made.split())


def prepared_holds(prepared: "Prepared", events: Events) -> None:
    """Compare what every file of a model says in every onnxruntime, also of no events."""
    from exporting import about_ttbar
    from rootflow.export.targets import TARGETS

    files: dict[str, bytes] = {}
    feeds: dict[str, list[Arrays]] = {}
    for (target, precision), content in prepared.contents.items():
        name = f"{target}_{precision}"
        files[name] = content
        variant = TARGETS[target](about_ttbar(), prepared.converted[precision])
        arrays = variant.feeds(events.inputs())
        feeds[name] = _one_by_one(arrays) if target == "athena" else batches(arrays)
    hold_in_every_onnxruntime(files, feeds)


def batches(arrays: Arrays) -> list[Arrays]:
    """Return no event, few, and all."""
    return [{name: array[:size] for name, array in arrays.items()} for size in (0, 1, 2, 7, None)]


def _one_by_one(arrays: Arrays) -> list[Arrays]:
    return [
        {
            name: array[event][arrays["jet_mask"][event]] if "jet" in name else array[event]
            for name, array in arrays.items()
            if name != "jet_mask"
        }
        for event in range(EVENTS_ONE_BY_ONE)
    ]


def hold_in_every_onnxruntime(
    files: Mapping[str, bytes], feeds: Mapping[str, Sequence[Arrays]]
) -> None:
    """Run files in older versions and in this one, and compare what they say.

    Parameters
    ----------
    files
        By name.
    feeds
        Of each file, several inputs.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked")
        asked.mkdir()
        for name, content in files.items():
            (asked / f"{name}.onnx").write_bytes(content)
            for number, arrays in enumerate(feeds[name]):
                np.savez(asked / f"{name}.{number}.npz", **arrays)
        new, *older = [
            _said(asked, python, Path(folder, str(place)))
            for place, python in enumerate((sys.executable, *older_runtimes()))
        ]
        assert set(new) == {f"{name}.{n}.npz" for name in files for n in range(len(feeds[name]))}
        for old in older:
            _same(old, new)


def _said(asked: Path, python: str, to: Path) -> dict[str, dict[str, NDArray[Any]]]:
    to.mkdir()
    run = subprocess.run([python, PROGRAM, asked, to], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-200:] + run.stderr[-2000:]
    return {path.name: dict(np.load(path)) for path in to.iterdir()}


def _same(old: Mapping[str, Arrays], new: Mapping[str, Arrays]) -> None:
    assert set(old) == set(new)
    for asked, wanted in new.items():
        for name, values in wanted.items():
            said = old[asked][name]
            assert said.shape == values.shape, (asked, name)
            # Of numbers above 1, such as momenta, relative to the largest.
            scale = max(1.0, float(np.max(np.abs(values), initial=0.0)))
            np.testing.assert_allclose(said / scale, values / scale, rtol=0, atol=TOLERANCE)
