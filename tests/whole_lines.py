"""Each analysis through the whole line with all that rootflow offers switched on at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
import yaml
from click.testing import CliRunner

from four_lepton_ntuples import OF_SIMULATION as MINI_OF_SIMULATION
from ntuples import write_ntuple
from rootflow.config import Config
from rootflow.steps.result import StepResult
from small_configurations import PROJECT, small

Values = dict[str, Any]
# Of each sample, the first events of the shipped one; and then some in place of collisions.
SAMPLES: dict[str, dict[str, tuple[int, int]]] = {
    "reco": {"ttbar": (500, 100), "z_jets": (300, 60), "ww": (300, 60)},
    "mini": {"ggH": (400, 30), "VBFH": (100, 10), "ZZ": (400, 160)},
}
# How the names of branches begin that collisions do not have.
OF_SIMULATION = (*MINI_OF_SIMULATION, "weight_", "Ttbar_MC", "truth_", "event_", "PDFinfo")
LEPTONS = {"reco": ("el", "mu"), "mini": ("lep",)}
VARIATION, VARIED = "scale_up", "weight_scale_up"
TRIGGER, IDENTIFICATION = "trig_lepton", "identification"
SHARE_OF_TRIGGER, SHARE_OF_LEPTONS = 0.9, 0.97
CUTS = {
    "a trigger has fired": TRIGGER,
    "identified leptons": f"all(leptons.{IDENTIFICATION} > 0)",
}
CROSS_SECTIONS = {"ttbar": 0.04, "z_jets": 0.06, "ww": 0.05, "ggH": 0.01, "VBFH": 0.01, "ZZ": 0.05}
SUM_OF_WEIGHTS = 2000.0
LUMINOSITY = 10.0
FOLDS, HELD_OUT = 2, 1
L2 = 1e-4
PRECISIONS = ("float32", "float16", "int8")

NETWORK = {
    "architecture": "feed_forward", "name": "network", "width": 8, "depth": 1, "l2": L2,
    "batch_norm": True,
}  # fmt: skip
TREES = {"architecture": "boosted_trees", "name": "trees", "trees": 5}
TRAINING = {"training.epochs": 2, "training.batch_size": 64}
OBSERVED = {
    "evaluation.observable_bins": 5,
    "evaluation.significance_window": None,
    "evaluation.importance_events": 100,
}
OF_ANALYSIS: dict[str, Values] = {
    "ttbar": {
        "data.max_jets": 4,  # the proof of an export takes every number of jets
        "evaluation.drawn": ["mtt"],
        "evaluation.unfold": ["mtt"],
        "evaluation.bins": {"jets": [1.5, 2.5, 3.5]},
        "evaluation.displays": 0,
        "evaluation.importance_events": 100,
        "inputs": {
            "jets": ["pt", "eta", "phi", "energy"],
            "leptons": ["pt", "eta", "phi", "energy"],
            "event": ["ht"],
        },
        "data.features": {"ht": "sum(jets.pt)", "jets_of_30_gev": "count(jets.pt > 30)"},
    },
    "dilepton": {
        **OBSERVED,
        "data.slots.jets": 4,
        "inputs": {"jets": ["pt", "eta"], "event": ["ht", "m_ll"]},
    },
    # The selection's own cut on the trigger would come before.
    "h4l": {
        **OBSERVED,
        "data.selection.trigger": False,
        "inputs": {"leptons": ["pt", "eta"], "event": ["z1_mass", "jet_n"]},
    },
}
# Figures take longest: those of one line will do.
FEW_FIGURES: dict[str, Values] = {
    "ttbar": {
        "evaluation.drawn": [],
        "evaluation.unfold": [],
        "evaluation.importance_events": 0,
    },
    "dilepton": {"evaluation.observable": None},
    "h4l": {"evaluation.observable": None},
}
LABELS: dict[str, dict[str, str | None]] = {
    "ttbar": {"ttbar": None},
    "dilepton": {"ttbar": "signal", "z_jets": "background", "ww": "background"},
    "h4l": {"ggH": "signal", "VBFH": "signal", "ZZ": "background"},
}
MAPS = {"ttbar": "topcptoolkit", "dilepton": "topcptoolkit", "h4l": "atlas_open_data"}


def write_ntuples(folder: Path) -> None:
    """Write ntuples and maps with a trigger, identified leptons and a systematic weight."""
    random = np.random.default_rng(1)
    for tree, samples in SAMPLES.items():
        collisions = []
        for name, (events, more) in samples.items():
            [path] = (PROJECT / "data").glob(f"*/{name}_s*.root")
            with uproot.open(path) as file:
                branches = dict(file[tree].arrays(entry_stop=events + more, how=dict))
            branches[TRIGGER] = random.random(events + more) < SHARE_OF_TRIGGER
            branches[VARIED] = random.uniform(0.5, 2.0, events + more).astype(np.float32)
            for kind in LEPTONS[tree]:
                counts = ak.num(branches[f"{kind}_eta"])
                passed = random.random(int(ak.sum(counts))) < SHARE_OF_LEPTONS
                branches[f"{kind}_{IDENTIFICATION}"] = ak.unflatten(passed.astype(np.int32), counts)
            parts = [{key: array[some] for key, array in branches.items()}
                     for some in (slice(0, events), slice(events, None))]  # fmt: skip
            write_ntuple(folder / f"{name}_{tree}.root", parts[0], tree)
            collisions.append(parts[1])
        measured = [key for key in collisions[0] if not key.startswith(OF_SIMULATION)]
        joined = {key: ak.concatenate([part[key] for part in collisions]) for key in measured}
        write_ntuple(folder / f"collisions_{tree}.root", joined, tree)
    for base, kinds in (("topcptoolkit", LEPTONS["reco"]), ("atlas_open_data", LEPTONS["mini"])):
        (folder / f"{base}.yaml").write_text(yaml.safe_dump(_map(base, kinds), sort_keys=False))


def _map(base: str, kinds: tuple[str, ...]) -> Values:
    shipped = files("rootflow.ntuple").joinpath("maps", f"{base}.yaml").read_text()
    leptons = [
        {**block, "extra": {IDENTIFICATION: f"{kind}_{IDENTIFICATION}"}}
        for block, kind in zip(yaml.safe_load(shipped)["leptons"], kinds, strict=True)
    ]
    varied = {VARIATION: [VARIED]}
    return {"base": base, "triggers": [TRIGGER], "leptons": leptons, "systematic_weights": varied}


def settings(analysis: str, folder: Path) -> Values:
    """Return what both lines of an analysis have."""
    tree = "mini" if analysis == "h4l" else "reco"
    samples: Values = {
        name: {
            **({} if label is None else {"label": label}),
            "files": [str(folder / f"{name}_{tree}.root")],
            "cross_section_pb": CROSS_SECTIONS[name],
            "sum_of_weights": SUM_OF_WEIGHTS,
        }
        for name, label in LABELS[analysis].items()
    }
    samples["collisions"] = {"label": "data", "files": [str(folder / f"collisions_{tree}.root")]}
    return {
        **({"data.files": []} if analysis == "ttbar" else {"data.weights.sum_of_weights": None}),
        "data.samples": samples,
        "data.branch_map": str(folder / f"{MAPS[analysis]}.yaml"),
        "data.weights.luminosity_fb_inverse": LUMINOSITY,
        "data.cuts": CUTS,
        "data.folds.count": FOLDS,
        **TRAINING,
        **OF_ANALYSIS[analysis],
        "evaluation.replicas": 10,
    }


@dataclass(frozen=True)
class Line:
    """What the steps said of an analysis.

    `every` is of a network with every fold held out; `single` of boosted trees with one fold held
    out, beside the network from elsewhere and the ensemble of both. `frozen` is of the exported
    network alone on the events of `single`.
    """

    analysis: str
    config: Config
    every: StepResult
    single: StepResult
    frozen: StepResult
    compared: StepResult
    folder: Path


def whole_line(analysis: str, ntuples: Path) -> Line:
    """Take an analysis through all steps, in the working directory."""
    from rootflow.cli import cplusplus, draw
    from rootflow.steps import compare, evaluate, main

    common = settings(analysis, ntuples)
    config = small(
        analysis,
        {
            **common,
            "model": NETWORK,
            "data.folds.held_out": "all",
            "evaluation.methods": [],
            "export.targets": ["named", "topcptoolkit-flat", "athena"],
            "export.precisions": list(PRECISIONS),
            "export.accuracy_loss_max": 1.0,
            "export.all_folds": True,
        },
    )
    every = main.run(config)
    exported = str(every.facts["onnx_all_folds"])
    elsewhere = {"method": "model", "name": "elsewhere", "source": exported}
    both = {"method": "ensemble", "name": "both", "of": ["model", "elsewhere"]}
    config_of_single = small(
        analysis,
        {
            **common,
            **FEW_FIGURES[analysis],
            "model": TREES,
            "data.folds.held_out": HELD_OUT,
            "evaluation.methods": [elsewhere, both],
            "export.all_folds": False,
        },
    )
    single = main.run(config_of_single)
    without = config_of_single.evaluation.model_copy(update={"methods": []})
    alone = config_of_single.model_copy(update={"evaluation": without})
    frozen = evaluate.run(alone, model=exported)
    compared = compare.run(
        [single.run_id, frozen.run_id],
        replicas=10,
        seed=1,
        style="neutral",
        output=Path("compared"),
    )
    line = Line(analysis, config, every, single, frozen, compared, Path.cwd())
    fetched = fetch(line, "every", ("evaluation.json", "provenance.json"))
    _call(draw, str(fetched), "--style", "ATLAS", "--output", "drawn")
    for run in ("every", "single"):
        facts = getattr(line, run).facts
        named = [facts[name] for name in ("onnx", "onnx_flat") if name in facts]
        paths = [path for each in named for path in ([each] if isinstance(each, str) else each)]
        _call(cplusplus, *paths, "--output", f"cplusplus_{run}")
    return line


def _call(command: Any, *words: str) -> None:
    CliRunner().invoke(command, words, catch_exceptions=False, standalone_mode=False)


def fetch(line: Line, run: str, names: tuple[str, ...]) -> Path:
    """Return a folder with artifacts of an evaluation."""
    from rootflow.tracking import artifact_of

    folder = line.folder / f"fetched_{run}"
    for name in names:
        artifact_of(evaluation_of(line, run), name, folder)
    return folder


def evaluation_of(line: Line, run: str) -> str:
    """Return the id of the run that evaluated: of `main` the one below it."""
    from rootflow.tracking.artifacts import run_of_step

    return run_of_step(getattr(line, run).run_id, "evaluate").run_id


def artifacts(line: Line, run: str, folder: str) -> list[str]:
    """Return the names of artifacts in a folder of an evaluation."""
    from rootflow.tracking.artifacts import artifacts_in

    return [Path(name).name for name in artifacts_in(evaluation_of(line, run), folder)]


def methods_of(result: StepResult, metric: str) -> Mapping[str, float]:
    """Return a metric of each method, by its name."""
    return {
        name.partition("/")[2]: value
        for name, value in result.metrics.items()
        if name.partition("/")[0] == metric
    }
