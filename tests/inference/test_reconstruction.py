"""The ttbar networks applied to ntuples, and what may be asked of the output."""

import shutil
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from numpy.typing import NDArray

from ntuples import Branches, write_ntuple
from rootflow.config import EvaluationConfig, FoldsConfig
from rootflow.config.data import DileptonDataConfig, OneSampleWeightsConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.exported.folds import model_files
from rootflow.inference.application import Setting
from rootflow.inference.files import Applied, apply_to_files
from rootflow.inference.plan import Copying
from small_datasets import build

SCORES = ("b_index", "bbar_index", "probability")
AXES = ("px", "py", "pz")


def applied(models: Path | list[Path], paths: list[Path], output: Path, **more: Any) -> Applied:
    files = model_files([models] if isinstance(models, Path) else models)
    options = {key: more.pop(key) for key in ("copying", "workers") if key in more}
    setting = Setting(tuple(files), **more)
    return apply_to_files(setting, paths, output, origin={"sha256": str(files)}, **options)


def read(path: Path) -> ak.Array:
    with uproot.open(path) as file:
        return file["reco"].arrays()


def column(array: ak.Array, name: str) -> NDArray[Any]:
    return ak.to_numpy(array[f"small_{name}"])


def neutrinos(array: ak.Array) -> NDArray[Any]:
    """Return (n, 2, 3)."""
    particles = ("neutrino", "antineutrino")
    return np.stack(
        [np.stack([column(array, f"{one}_{axis}") for axis in AXES], 1) for one in particles], 1
    )


@pytest.fixture(scope="module")
def output(ttbar_folds: Path, ntuple: Path, tmp_path_factory: pytest.TempPathFactory) -> ak.Array:
    path = tmp_path_factory.mktemp("applied") / "out.root"
    applied(ttbar_folds, [ntuple], path)
    return read(path)


@pytest.fixture(scope="module")
def events(ntuple: Path, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """Return the same events by way of a dataset."""
    config = DileptonDataConfig(weights=OneSampleWeightsConfig(negative="keep"))
    return build(config, {"ttbar": [ntuple]}, tmp_path_factory.mktemp("dataset")).events()


def test_the_branches_of_the_ntuple_stay_as_they_were(output: ak.Array, ntuple: Path) -> None:
    before = read(ntuple)
    for name in before.fields:
        assert ak.array_equal(before[name], output[name]), name


def test_each_event_has_the_answer_of_the_network_that_has_not_seen_it(
    output: ak.Array, ttbar_folds: Path, events: Events
) -> None:
    from rootflow.methods.exported import OnnxMethod

    selected = column(output, "selected")
    assert selected.sum() == len(events)
    jets = output["jet_pt_NOSYS"][selected]
    for fold, path in enumerate(model_files([ttbar_folds])):
        own = events.event_number % 2 == fold
        said = OnnxMethod(path).answer(events.take(own))
        assert said.neutrinos is not None
        mine = output[selected][own]
        assert np.all(column(mine, "fold") == fold)
        np.testing.assert_allclose(column(mine, "probability"), said.scores, atol=1e-6)
        np.testing.assert_allclose(neutrinos(mine), said.neutrinos * 1000, rtol=1e-4, atol=1)
        for place, name in enumerate(("b_index", "bbar_index")):
            there = jets[own][np.arange(own.sum()), column(mine, name)]
            wanted = events.jets[own][np.arange(own.sum()), said.assignment[:, place], 0]
            np.testing.assert_allclose(ak.to_numpy(there), wanted * 1000, rtol=1e-6)


def test_accuracy_is_what_evaluate_says(output: ak.Array, events: Events) -> None:
    from rootflow.evaluation.reconstruction import assess
    from rootflow.methods.combined import FoldedMethod
    from rootflow.methods.trained import TrainedMethod
    from small_network import small_network

    networks = [
        TrainedMethod(
            "small",
            small_network(),
            FoldsConfig(count=2, scheme="parity", held_out=fold),
            events.features,
        )
        for fold in range(2)
    ]
    config = EvaluationConfig(
        neutrinos="small", replicas=2, posterior_events=0, importance_events=0, displays=0
    )
    assessment = assess(events, [FoldedMethod("small", networks)], config, 1)
    wanted = assessment.evaluation.metrics()["assignment_accuracy/small"]
    truth = ak.to_numpy(output["event_jet_truth_idx"])[:, [0, 3]]
    # Jets of the ntuple fall in pT: a network of eight slots sees the first eight.
    matched = np.all((truth >= 0) & (truth < 8), axis=1) & (truth[:, 0] != truth[:, 1])
    matched &= column(output, "selected")
    pair = np.stack([column(output, "b_index"), column(output, "bbar_index")], 1)
    assert np.mean(np.all(pair == truth, axis=1)[matched]) == wanted


def test_indices_are_those_of_the_ntuple_whatever_its_order(
    ttbar_folds: Path, branches: Branches, output: ak.Array, tmp_path: Path
) -> None:
    jets = [name for name in branches if name.startswith("jet_")]
    turned = {**branches, **{name: branches[name][:, ::-1] for name in jets}}
    applied(ttbar_folds, [write_ntuple(tmp_path / "in.root", turned)], tmp_path / "out.root")
    other, counts = read(tmp_path / "out.root"), ak.to_numpy(ak.num(branches["jet_eta"]))
    distinct = ak.to_numpy(
        ak.all(branches["jet_pt_NOSYS"][:, 1:] != branches["jet_pt_NOSYS"][:, :-1], axis=1)
    )
    for name in ("b_index", "bbar_index"):
        solved = (column(output, name) >= 0) & distinct
        assert solved.sum() > 1000
        wanted = counts - 1 - column(output, name)
        np.testing.assert_array_equal(column(other, name)[solved], wanted[solved])


def test_masses_are_those_of_the_momenta(output: ak.Array, events: Events) -> None:
    import vector

    selected = output[column(output, "selected")]
    momenta = neutrinos(selected)
    tops = []
    for place, (jet, top) in enumerate((("b_index", "top_mass"), ("bbar_index", "antitop_mass"))):
        index = (np.arange(len(selected)), column(selected, jet))
        b_jet = vector.array(
            {
                key: ak.to_numpy(selected[name][index]).astype(np.float64)
                for key, name in (
                    ("pt", "jet_pt_NOSYS"),
                    ("eta", "jet_eta"),
                    ("phi", "jet_phi"),
                    ("E", "jet_e_NOSYS"),
                )
            }
        )
        pt, eta, phi, energy = events.leptons[:, place, :4].astype(np.float64).T
        lepton = vector.array({"pt": pt * 1000, "eta": eta, "phi": phi, "E": energy * 1000})
        px, py, pz = momenta[:, place].astype(np.float64).T
        neutrino = vector.array({"px": px, "py": py, "pz": pz, "mass": np.zeros_like(px)})
        tops.append(b_jet + lepton + neutrino)
        np.testing.assert_allclose(column(selected, top), tops[-1].mass, rtol=1e-4)
    np.testing.assert_allclose(column(selected, "ttbar_mass"), (tops[0] + tops[1]).mass, rtol=1e-4)


def test_what_is_not_selected_has_no_answer(
    ttbar_folds: Path, branches: Branches, tmp_path: Path
) -> None:
    charges = {name: ak.ones_like(branches[name]) for name in ("el_charge", "mu_charge")}
    few = {name: array[:50] for name, array in (branches | charges).items()}
    ntuple = write_ntuple(tmp_path / "in.root", few)
    said = applied(ttbar_folds, [ntuple], tmp_path / "out.root")
    out = read(tmp_path / "out.root")
    assert (said.entries, said.selected, said.scored, said.written) == (50, 0, 0, 50)
    assert np.all(column(out, "b_index") == -1)
    assert np.all(column(out, "fold") == -1)
    assert np.isnan(neutrinos(out)).all()
    assert not column(out, "selected").any()
    with uproot.open(tmp_path / "out.root") as file:  # ROOT takes 8 bits for characters
        assert file["reco"].typenames()["small_fold"] == "int16_t"
    skim = Copying(selected_only=True)
    assert applied(ttbar_folds, [ntuple], tmp_path / "skim.root", copying=skim).written == 0
    none = read(tmp_path / "skim.root")
    assert len(none) == 0
    assert set(none.fields) == set(out.fields)


def test_collisions_need_no_truth_and_may_repeat_a_number(
    ttbar_folds: Path, branches: Branches, output: ak.Array, tmp_path: Path
) -> None:
    data = {
        name: array[:300]
        for name, array in branches.items()
        if not name.startswith(("Ttbar_MC", "event_", "weight"))
    }
    data["eventNumber"] = ak.zeros_like(data["eventNumber"])
    ntuple = write_ntuple(tmp_path / "in.root", data)
    said = applied(ttbar_folds, [ntuple], tmp_path / "out.root")
    assert said.scored == said.selected > 250
    out = read(tmp_path / "out.root")
    np.testing.assert_array_equal(column(out, "b_index"), column(output, "b_index")[:300])


def test_the_model_of_one_fold(
    ttbar_folds: Path, ntuple: Path, output: ak.Array, tmp_path: Path
) -> None:
    one = model_files([ttbar_folds])[:1]
    with pytest.raises(InputError, match=r"small was trained on: .* of fold 0 of 2.*--seen-events"):
        applied(one, [ntuple], tmp_path / "refused.root")
    assert list(tmp_path.iterdir()) == []
    skipped = applied(one, [ntuple], tmp_path / "skipped.root", seen_events="skip")
    even = ak.to_numpy(output["eventNumber"]) % 2 == 0
    out = read(tmp_path / "skipped.root")
    np.testing.assert_array_equal(column(out, "fold"), np.where(even, column(output, "fold"), -1))
    np.testing.assert_array_equal(column(out, "selected"), column(output, "selected"))
    assert skipped.scored == (column(output, "fold") == 0).sum() < skipped.selected
    scored = applied(one, [ntuple], tmp_path / "scored.root", seen_events="score")
    assert scored.scored == scored.selected
    out = read(tmp_path / "scored.root")
    shift = neutrinos(output)[~even] - neutrinos(out)[~even]
    np.testing.assert_allclose(shift[np.isfinite(shift)], 100_000, rtol=1e-4)


def test_a_skim(ttbar_folds: Path, ntuple: Path, output: ak.Array, tmp_path: Path) -> None:
    copying = Copying(
        kept=("eventNumber", "jet_*"), dropped=("jet_[ep]*_NOSYS",), selected_only=True
    )
    said = applied(ttbar_folds, [ntuple], tmp_path / "out.root", copying=copying, name="my net")
    out = read(tmp_path / "out.root")
    old = {name for name in out.fields if not name.startswith(("my_net_", "n"))}
    assert old == {"eventNumber", "jet_eta", "jet_phi", "jet_GN2v01_Continuous_quantile"}
    selected = column(output, "selected")
    assert len(out) == said.written == said.selected == selected.sum()
    assert ak.array_equal(out["jet_eta"], output["jet_eta"][selected])
    np.testing.assert_array_equal(out["my_net_b_index"], column(output, "b_index")[selected])


def test_a_file_for_each_input(
    ttbar_folds: Path, branches: Branches, output: ak.Array, tmp_path: Path
) -> None:
    parts = {"a.root": slice(0, 700), "b.root": slice(700, None)}
    (tmp_path / "in").mkdir()
    paths = [
        write_ntuple(tmp_path / "in" / name, {key: array[part] for key, array in branches.items()})
        for name, part in parts.items()
    ]
    said = applied(ttbar_folds, paths, tmp_path / "out")
    assert said.outputs == tuple(tmp_path / "out" / name for name in parts)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(parts)
    for path, part in zip(said.outputs, parts.values(), strict=True):
        np.testing.assert_array_equal(
            column(read(path), "b_index"), column(output, "b_index")[part]
        )
    with pytest.raises(UsageError, match="is read and cannot be written"):
        applied(ttbar_folds, paths, tmp_path / "in")


def test_only_its_own_outputs_are_replaced(ttbar_folds: Path, ntuple: Path, tmp_path: Path) -> None:
    mine, text = tmp_path / "mine.root", tmp_path / "notes.root"
    shutil.copy(ntuple, mine)
    text.write_text("to do")
    for output in (mine, text):
        before = output.read_bytes()
        with pytest.raises(UsageError, match="not written by rootflow apply: name another"):
            applied(ttbar_folds, [ntuple], output)
        assert output.read_bytes() == before
    out = tmp_path / "out.root"
    applied(ttbar_folds, [ntuple], out)
    applied(ttbar_folds, [ntuple], out, copying=Copying(kept=("eventNumber",)))
    assert "jet_eta" not in read(out).fields
