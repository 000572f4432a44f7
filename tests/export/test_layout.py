import numpy as np
import onnx
import pytest

from exporting import about_ttbar
from rootflow.config.export import ExportConfig
from rootflow.dataset import Events
from rootflow.errors import UsageError
from rootflow.export.conversion import Converted
from rootflow.export.layout import (
    PADDING_VALUE,
    Layout,
    flat_outputs,
    layout_of,
    read_flat,
    write_flat,
)
from rootflow.export.samples import ranges_of
from rootflow.export.targets import Flat
from rootflow.exported.contract import Feature
from toy_events import UNITS


@pytest.fixture(scope="module")
def layout(real_events: Events) -> Layout:
    return layout_of(real_events, UNITS, {"leptons": "charge"}, real_events.inputs())


@pytest.fixture(scope="module")
def slots(layout: Layout, real_events: Events) -> list[Feature]:
    """Return what a file says of the numbers of its flat input."""
    about = about_ttbar(ranges=ranges_of([real_events]))
    made = Converted(onnx.ModelProto(), layout, dict, ExportConfig())
    (flat,) = Flat(about, made).contract({}).inputs
    return list(flat.features)


def test_the_order_is_jets_leptons_met_object_by_object(
    layout: Layout, slots: list[Feature]
) -> None:
    names = [slot.name for slot in slots]
    assert names[:6] == [
        "jet_pt[0]", "jet_eta[0]", "jet_phi[0]", "jet_e[0]", "jet_b_tag[0]", "jet_pt[1]",
    ]  # fmt: skip
    assert names[40:46] == [
        "lep_pt[0]", "lep_eta[0]", "lep_phi[0]", "lep_e[0]", "lep_pid[0]", "lep_pt[1]",
    ]  # fmt: skip
    assert names[50:] == ["met_met", "met_phi"]
    assert len(slots) == layout.size == 52
    assert {slot.unit for slot in slots} == {"MeV", "rad", "none"}


def test_written_events_are_what_an_ntuple_has(
    layout: Layout, slots: list[Feature], real_events: Events
) -> None:
    event = real_events.take(slice(0, 1))
    (flat,) = write_flat(event.inputs(), layout)
    at = {slot.name: number for slot, number in zip(slots, flat, strict=True)}
    assert np.sum(event.jet_mask) == 2
    assert at["jet_pt[1]"] == pytest.approx(1000 * event.jets[0, 1, 0])
    assert at["jet_eta[1]"] == event.jets[0, 1, 1]
    assert at["lep_e[0]"] == pytest.approx(1000 * event.leptons[0, 0, 3])
    assert (at["lep_pid[0]"], at["lep_pid[1]"]) == tuple(np.abs(event.leptons[0, :, 4]))
    assert at["met_met"] == pytest.approx(1000 * event.met[0, 0])
    assert set(flat[10:40]) == {-999.0}


def test_reading_gives_back_what_was_written(layout: Layout, real_events: Events) -> None:
    wanted = real_events.take(slice(0, 500)).inputs()
    read = read_flat(write_flat(wanted, layout), layout)
    assert read.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(read[name], wanted[name], rtol=3e-7)


def test_a_jet_is_what_has_momentum_whatever_the_padding(
    layout: Layout, real_events: Events
) -> None:
    wanted = real_events.take(slice(0, 500)).inputs()
    flat = write_flat(wanted, layout)
    read = read_flat(np.where(flat == PADDING_VALUE, np.float32(0), flat), layout)
    for name in wanted:
        np.testing.assert_allclose(read[name], wanted[name], rtol=3e-7)


@pytest.mark.parametrize("rule", [np.multiply, np.add])
def test_any_way_of_choosing_the_two_jets_gives_the_most_probable_pair(rule: np.ufunc) -> None:
    random = np.random.default_rng(11)
    joint = random.exponential(size=(2000, 6, 6)) ** 3 * (1 - np.eye(6))
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    best = np.stack(np.divmod(joint.reshape(2000, 36).argmax(axis=1), 6), axis=1)

    columns = flat_outputs({"assignment": joint, "neutrinos": np.zeros((2000, 2, 3))})["assignment"]
    np.testing.assert_array_equal(columns.argmax(axis=1), best)
    together = rule(columns[:, :, None, 0], columns[:, None, :, 1])
    together[:, np.arange(6), np.arange(6)] = -1
    chosen = np.stack(np.divmod(together.reshape(2000, 36).argmax(axis=1), 6), axis=1)
    np.testing.assert_array_equal(chosen, best)
    np.testing.assert_allclose(columns.max(axis=1)[:, 0], joint.max(axis=(1, 2)))


def test_units_are_those_of_the_features_alone(real_events: Events) -> None:
    given = {**UNITS, "jets": {"width": "GeV", **UNITS["jets"]}}
    (jets,) = layout_of(real_events, given, {}, ["jets"]).collections
    assert jets.units == UNITS["jets"]
    assert tuple(jets.units) == real_events.features["jets"]


def test_a_feature_without_a_unit_is_named(real_events: Events) -> None:
    with pytest.raises(UsageError, match="unit of the feature eta of jets is not given"):
        layout_of(real_events, {"jets": {"pt": "GeV"}}, {}, ["jets"])
