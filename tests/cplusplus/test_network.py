"""What the C++ says of real events, against Python."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from changed_file import with_contract
from events_text import PER_GEV, as_text, run, said, shuffles
from exporting import FLAT
from rootflow.config import FoldsConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.export.writing import Export
from rootflow.methods.contract import Reconstruction
from rootflow.methods.exported import OnnxMethod

EVENTS = 300
TOLERANCE = 1e-5


def in_fold(events: Events, fold: int, count: int = EVENTS) -> Events:
    return events.take(np.flatnonzero(events.fold == fold)[:count])


def assert_agrees(
    program: Path, files: list[Path], unit: str, events: Events, python: Reconstruction
) -> None:
    orders = shuffles(events)
    cplusplus = said(run(program, as_text(events, orders, unit), files, unit))
    np.testing.assert_array_equal(cplusplus.event_number, events.event_number)
    slots = [order[jets] for order, jets in zip(orders, cplusplus.jets, strict=True)]
    np.testing.assert_array_equal(slots, python.assignment)
    np.testing.assert_allclose(cplusplus.probability, python.scores, atol=TOLERANCE)
    off = np.linalg.norm(cplusplus.neutrinos / PER_GEV[unit] - python.neutrinos, axis=2)
    size = np.maximum(np.linalg.norm(python.neutrinos, axis=2), 1.0)
    assert np.max(off / size) < TOLERANCE


@pytest.mark.parametrize("unit", ["GeV", "MeV"])
@pytest.mark.parametrize("variant", ["named", "flat"])
def test_events_in_any_order_and_unit_give_what_python_gives(
    programs: dict[str, Path], exported: Export, real_events: Events, variant: str, unit: str
) -> None:
    events = in_fold(real_events, 0)
    assert {2, 8} <= set(events.jet_mask.sum(axis=1))
    python = OnnxMethod(exported.named_path, name="small").answer(events)
    path = exported.named_path if variant == "named" else exported.files[FLAT]
    assert_agrees(programs[variant], [path], unit, events, python)


def test_jets_beyond_those_the_network_has_room_for_are_left_out(
    programs: dict[str, Path], exported: Export, real_events: Events
) -> None:
    events = real_events.take(np.flatnonzero((real_events.fold == 0) & real_events.jet_mask[:, 7]))
    events = events.take(slice(0, 5))
    text = as_text(events, shuffles(events))
    more = text.replace("\nlepton", "\njet 1.5 0 0 1.5 1\nlepton", 1)
    assert more != text
    files = [exported.named_path]
    without, with_more = (said(run(programs["named"], each, files)) for each in (text, more))
    for one, other in zip(without, with_more, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_event_number_chooses_among_files(
    programs: dict[str, Path], exported: Export, real_events: Events, tmp_path: Path
) -> None:
    other = tmp_path / "fold3.onnx"
    folds = {"folds": FoldsConfig(held_out=3)}
    with_contract(exported.named_path, other, folds, scale=1.5)
    files = {0: exported.named_path, 3: other}
    for fold, path in files.items():
        events = in_fold(real_events, fold, 50)
        python = OnnxMethod(path, name="small").answer(events)
        assert_agrees(programs["named"], [*files.values()], "GeV", events, python)
        assert_agrees(programs["named"], [*files.values()][::-1], "GeV", events, python)


def test_an_event_of_another_fold_is_refused_unless_it_is_data(
    programs: dict[str, Path], exported: Export, real_events: Events
) -> None:
    events = in_fold(real_events, 2, 1)
    number = events.event_number[0]
    orders, files = shuffles(events), [exported.named_path]
    answer = run(programs["named"], as_text(events, orders), files)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"ttbar_small: event {number} is in fold 2 of 5, and the files are for fold 0: "
        "they may have been trained on it\n"
    )
    data = said(run(programs["named"], as_text(events, orders, kind="data"), files))
    python = OnnxMethod(exported.named_path, name="small", allow_seen_events=True)
    np.testing.assert_allclose(data.probability, python.answer(events).scores, atol=TOLERANCE)


def test_negative_numbers_are_shown_and_in_folds_as_everywhere(
    programs: dict[str, Path], exported: Export, real_events: Events
) -> None:
    events = in_fold(real_events, 0, 1)
    text, files = as_text(events, shuffles(events)), [exported.named_path]
    numbers = -np.arange(1, 40)
    fold = fold_of(numbers, FoldsConfig())
    for number, fits in ((numbers[fold == 0][0], True), (numbers[fold == 2][0], False)):
        answer = run(
            programs["named"],
            text.replace(f"event {events.event_number[0]}", f"event {number}"),
            files,
        )
        if fits:
            assert answer.stdout.splitlines()[1].startswith(f"{number} "), answer.stderr
        else:
            assert answer.stderr.startswith(f"ttbar_small: event {number} is in fold 2 of 5, and")
    answer = run(programs["named"], text.replace("event ", "event 3x"), files)
    assert (answer.returncode, "is no number" in answer.stderr) == (1, True)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("jet ", "", "two jets or more are needed, the event has 1"),
        ("lepton ", "", "two leptons are needed, of charge 1 and -1"),
        (" -1 ", " 1 ", "two leptons are needed, of charge 1 and -1"),
        (" -1 ", " 0 ", "two leptons are needed, of charge 1 and -1"),
        (" 13\n", " 15\n", "the pdg_id of a lepton is 15, not 11 or 13"),
        ("met ", "", "a number of met was not filled, or is not finite"),
        ("jet 4", "jet -4", "the pT of a jet was not filled, or is not positive"),
        ("met 50", "met 5e300", "a number of met was not filled, or is not finite"),
        ("event ", "", "the event has no number"),
        (" simulation", " nature", "simulation or data?"),
        ("met 5", "met five", "a number is missing, or is none, in a line: met"),
    ],
)
def test_an_event_that_is_not_whole_is_refused(
    programs: dict[str, Path], exported: Export, old: str, new: str, says: str
) -> None:
    text = (
        "event 1 simulation\njet 45 0 1 46 5\njet 30 1 2 47 1\n"
        "lepton 40 1 1 62 -1 13\nlepton 30 0 0 30 1 11\nmet 50 1\n"
    )
    files = [exported.named_path]
    assert run(programs["named"], text, files).returncode == 0
    lines = text.splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if old in line)
    lines[first] = lines[first].replace(old, new) if new else ""
    answer = run(programs["named"], "".join(lines), files)
    assert answer.returncode == 1
    assert says in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_files_that_the_header_is_not_for_are_refused(
    programs: dict[str, Path], exported: Export, tmp_path: Path
) -> None:
    other_scheme = tmp_path / "modulo.onnx"
    with_contract(exported.named_path, other_scheme, {"folds": FoldsConfig(scheme="modulo")})
    nameless = tmp_path / "nameless.onnx"
    proto = onnx.load(exported.named_path)
    del proto.metadata_props[:]
    onnx.save(proto, nameless)
    text = tmp_path / "text.onnx"
    text.write_text("no ONNX")
    other = "ttbar_small.hpp is not for this file, but for networks of 8 jets"
    for files, says in (
        ([exported.files[FLAT]], other),
        ([other_scheme], other),
        ([nameless], other),
        ([exported.named_path] * 2, "another file is for fold 0, too"),
        ([text], "not a whole ONNX file"),
        ([tmp_path / "none.onnx"], "not a whole ONNX file"),
    ):
        answer = run(programs["named"], "", files)
        assert answer.returncode == 1
        assert answer.stderr.startswith(f"{files[-1]}: {says}")
    assert run(programs["named"], "", []).returncode == 2
