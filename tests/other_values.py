"""For each setting a value that is not its default: by step, by analysis, by path.

An analysis has values of settings that those of `LIKE` have not: a setting is of the same block
in each, and need not be taken through a step again.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Other(NamedTuple):
    """A value that is not the default.

    Attributes
    ----------
    value
        `{folder}` in it stands for where the test keeps its files.
    given
        Other settings, with which it shows what it does.
    decides
        Whether what the step makes changes with it; else its record alone does.
    allows
        Whether it lets through what its default refuses.
    """

    value: Any
    given: Mapping[str, Any] = MappingProxyType({})
    decides: bool = True
    allows: bool = False


LIKE = {
    "ttbar": (),
    "h4l": (),
    "dilepton": ("h4l", "ttbar"),
    "classification": ("dilepton", "h4l"),
}


def _others(values: dict[str, Any]) -> dict[str, Other]:
    return {
        path: value if isinstance(value, Other) else Other(value) for path, value in values.items()
    }


_PILE_UP = {"simulation.detector.pile_up.mean_jets": 4.0}
_DETECTOR = {
    "simulation.detector.jets.radius": 0.6,
    "simulation.detector.jets.particle_eta_max": 3.0,
    "simulation.detector.jets.particle_jet_pt_min_gev": 25.0,
    "simulation.detector.jets.noise_gev": 6.0,
    "simulation.detector.jets.stochastic": 0.9,
    "simulation.detector.jets.constant": 0.08,
    "simulation.detector.jets.angle": 0.03,
    "simulation.detector.electrons.efficiency": 0.6,
    "simulation.detector.electrons.stochastic": 0.2,
    "simulation.detector.electrons.constant": 0.02,
    "simulation.detector.electrons.angle": 0.002,
    "simulation.detector.muons.efficiency": 0.6,
    "simulation.detector.muons.constant": 0.03,
    "simulation.detector.muons.linear_per_tev": 0.3,
    "simulation.detector.muons.angle": 0.002,
    "simulation.detector.dressing_distance": 0.4,
    # The names of the working points: what a jet passes is said by the efficiencies.
    "simulation.detector.btagging.working_points": Other([0.9, 0.8, 0.7, 0.6, 0.5], decides=False),
    "simulation.detector.btagging.b_jets": [0.8, 0.7, 0.6, 0.5, 0.4],
    "simulation.detector.btagging.c_jets": [0.9, 0.8, 0.7, 0.6, 0.5],
    "simulation.detector.btagging.light_jets": [0.5, 0.4, 0.3, 0.2, 0.1],
    "simulation.detector.btagging.hadron_pt_min_gev": 40.0,
    "simulation.detector.btagging.hadron_distance": 0.001,
    "simulation.detector.pile_up.mean_jets": 3.0,
    "simulation.detector.pile_up.pt_exponent": Other(3.0, _PILE_UP),
    "simulation.detector.pile_up.mass_over_pt": Other(0.3, _PILE_UP),
    "simulation.detector.met.jet_pt_min_gev": 40.0,
    "simulation.detector.met.soft_term_gev": 12.0,
}
_GENERATOR = {
    "simulation.generator.energy_tev": 13.6,
    "simulation.generator.multiparton_interactions": False,
    "simulation.generator.settings": ["HadronLevel:all = off"],
}
_PRODUCTION = {
    "simulation.workers": Other(1, decides=False),
    "simulation.events_per_chunk": 6,
    "simulation.events_per_file": Other(6, {"simulation.events_per_chunk": 6}),
}
SIMULATE = {
    "ttbar": _others(
        {
            **_PRODUCTION,
            "simulation.events": 12,
            "simulation.layout": "nanoaod_v12",
            **_GENERATOR,
            "simulation.generator.initial_states": ["gg"],
            "simulation.generator.top_mass_gev": 171.0,
            "simulation.generator.w_mass_gev": 80.4,
            "simulation.generator.taus": True,
            **_DETECTOR,
            "simulation.selection.jet_pt_min_gev": 20.0,
            "simulation.selection.jet_eta_max": 3.0,
            "simulation.selection.electron_jet_distance": 1.0,
            "simulation.selection.lepton_pt_min_gev": 15.0,
            "simulation.selection.lepton_eta_max": 1.5,
            "simulation.selection.jets_min": 1,
            "simulation.selection.jet_lepton_distance": 0.8,
            "simulation.selection.parton_jet_distance": 0.02,
        }
    ),
    "h4l": _others(
        {
            **_PRODUCTION,
            "simulation.events": {"ggH": 12, "VBFH": 6, "ZZ": 7},
            **_GENERATOR,
            "simulation.generator.higgs_mass_gev": 126.0,
            "simulation.generator.higgs_z_mass_min_gev": 5.0,
            "simulation.generator.zz_z_mass_min_gev": 12.0,
            "simulation.generator.taus": True,
            **_DETECTOR,
            # So few events have no jet of a c quark: those of ttbar show what it does.
            "simulation.detector.btagging.c_jets": Other([0.9, 0.8, 0.7, 0.6, 0.5], decides=False),
            "simulation.detector.electrons.tight_efficiency": 0.5,
            "simulation.detector.muons.tight_efficiency": 0.5,
            "simulation.detector.tracks.eta_max": 1.0,
            "simulation.detector.tracks.d0_at_high_pt_mm": 0.02,
            "simulation.detector.tracks.d0_pt_gev": 20.0,
            "simulation.detector.tracks.z0_sin_theta_at_high_pt_mm": 0.2,
            "simulation.detector.tracks.z0_sin_theta_pt_gev": 5.0,
            "simulation.detector.isolation.track_distance": 0.5,
            "simulation.detector.isolation.track_pt_min_gev": 0.5,
            "simulation.detector.isolation.calorimeter_distance": 0.4,
            "simulation.detector.isolation.calorimeter_noise_gev": 1.5,
            "simulation.detector.trigger.electron_pt_min_gev": 15.0,
            "simulation.detector.trigger.electron_efficiency": 0.5,
            "simulation.detector.trigger.muon_pt_min_gev": 15.0,
            "simulation.detector.trigger.muon_efficiency": 0.5,
            "simulation.selection.jet_pt_min_gev": 15.0,
            "simulation.selection.jet_eta_max": 3.0,
            "simulation.selection.electron_jet_distance": 1.0,
            "simulation.selection.leptons_min": 3,
            "simulation.selection.electron_pt_min_gev": 12.0,
            "simulation.selection.electron_eta_max": 3.0,
            "simulation.selection.muon_pt_min_gev": 3.0,
            "simulation.selection.muon_eta_max": 1.5,
            "simulation.cross_sections.gluon_fusion_pb": 50.0,
            "simulation.cross_sections.vector_boson_fusion_pb": 4.0,
            "simulation.cross_sections.branching_ratio": 1.3e-4,
            "simulation.cross_sections.branching_ratio_with_taus": Other(
                2.8e-4, {"simulation.generator.taus": True}
            ),
            "simulation.cross_sections.zz_k_factor": 1.6,
        }
    ),
    "dilepton": _others(
        {
            "simulation.generator.z_mass_min_gev": 70.0,
            "simulation.cross_sections.ttbar_pb": 830.0,
            "simulation.cross_sections.z_per_flavour_pb": 2000.0,
            "simulation.cross_sections.ww_pb": 120.0,
            "simulation.cross_sections.w_to_e_or_mu": 0.22,
            "simulation.cross_sections.w_to_e_mu_or_tau": Other(
                0.33, {"simulation.generator.taus": True}
            ),
        }
    ),
}

# What is kept of the names of the runs, and of where all of it is.
RECORD = {
    analysis: _others(
        {
            "output": "{folder}/elsewhere",
            "tracking.experiment": "others",
            "tracking.system_metrics": False,
        }
    )
    for analysis in ("ttbar", "h4l")
}
_SCALED = {
    "data.weights.cross_section_pb": 800.0,
    "data.weights.luminosity_fb_inverse": 10.0,
    "data.weights.sum_of_weights": 2e6,
}
_SAMPLES = {
    "data.files": [],
    "data.samples": {"ttbar": {"files": ["{folder}/ttbar_0.root"]}},
}
_SCALED_SAMPLES = {
    "data.files": [],
    "data.samples": {
        "ttbar": {
            "files": ["{folder}/ttbar_0.root"],
            "cross_section_pb": 700.0,
            "sum_of_weights": 1e4,
        }
    },
    "data.weights.luminosity_fb_inverse": 10.0,
}
PREPROCESS = {
    "ttbar": _others(
        {
            "data.samples": Other({"ttbar": {"files": ["{folder}/ttbar_[01].root"]}}, _SAMPLES),
            "data.samples.label": Other("signal", _SAMPLES),
            "data.samples.files": Other(["{folder}/ttbar_[01].root"], _SAMPLES),
            "data.samples.branch_map": Other("topcptoolkit_nuflows", _SAMPLES),
            "data.samples.pseudo_data": Other(
                True, {**_SAMPLES, "data.samples.label": "data"}, decides=False
            ),
            "data.samples.title": Other("top quarks", _SAMPLES),
            "data.samples.cross_section_pb": Other(800.0, _SCALED_SAMPLES),
            "data.samples.sum_of_weights": Other(2e4, _SCALED_SAMPLES),
            "data.objects": {"jets": {"pt_min_gev": 27.0}},
            "data.objects.pt_min_gev": 28.0,
            "data.objects.abs_eta_max": 2.1,
            "data.features": {"ht": "sum(jets.pt)", "jets.share": "jets.pt / ht"},
            "data.cuts": {"two jets of 40 GeV": "count(jets.pt > 40) >= 2"},
            "data.files": ["{folder}/ttbar_0.root", "{folder}/ttbar_1.root"],
            "data.branch_map": "topcptoolkit_nuflows",
            "data.max_jets": 3,
            "data.selection.lepton_pt_min_gev": 30.0,
            "data.selection.lepton_abs_eta_max": 2.3,
            # Ntuples of the simulation have no other events.
            "data.selection.exactly_two_leptons": Other(False, decides=False),
            "data.selection.opposite_sign": Other(False, decides=False),
            "data.selection.jet_pt_min_gev": 28.0,
            "data.selection.jet_abs_eta_max": 2.4,
            "data.selection.jets_min": 3,
            "data.selection.btagged_jets_min": 1,
            "data.selection.btag_min": Other(3.0, {"data.selection.btagged_jets_min": 1}),
            "data.folds.count": 3,
            "data.folds.scheme": "modulo",
            "data.repeated_events": Other(
                "drop",
                {"data.files": ["{folder}/ttbar_0.root", "{folder}/ttbar_again.root"]},
                allows=True,
            ),
            "data.bad_files": Other(
                "skip",
                {"data.files": ["{folder}/ttbar_0.root", "{folder}/empty.root"]},
                allows=True,
            ),
            "data.weights.cross_section_pb": Other(830.0, _SCALED),
            "data.weights.luminosity_fb_inverse": Other(20.0, _SCALED),
            "data.weights.sum_of_weights": Other(1e6, _SCALED),
            "data.workers": Other(1, decides=False),
            "data.copies": ["root", "rntuple", "parquet", "npz"],
        }
    ),
    "h4l": _others(
        {
            "data.samples": {
                "ggH": {"label": "signal", "files": ["{folder}/ggH_0.root"]},
                "ZZ": {"label": "background", "files": ["{folder}/ZZ_0.root"]},
            },
            "data.samples.label": "background",
            "data.samples.files": ["{folder}/VBFH_0.root", "{folder}/VBFH_1.root"],
            "data.samples.branch_map": "{folder}/h4l.yaml",
            "data.samples.title": "vector bosons",
            "data.samples.cross_section_pb": 1e-3,
            "data.samples.sum_of_weights": 5e4,
            "data.branch_map": "{folder}/h4l.yaml",
            "data.objects": {"leptons": {"pt_min_gev": 8.0}},
            "data.objects.pt_min_gev": 9.0,
            "data.objects.abs_eta_max": 2.2,
            "data.features": {"st": "sum(leptons.pt)"},
            "data.cuts": {"Z of 90 GeV": "abs(z1_mass - 90) < 5"},
            "data.selection.trigger": False,
            "data.selection.exactly_four_leptons": False,
            "data.selection.lepton_pt_min_gev": [22.0, 16.0, 10.5, 7.2],
            "data.selection.electron_abs_eta_max": 2.2,
            "data.selection.muon_abs_eta_max": 2.2,
            "data.selection.tight_leptons_min": 2,
            "data.selection.ptcone30_over_pt_max": 0.2,
            "data.selection.etcone20_over_pt_max": 0.2,
            "data.selection.electron_d0_significance_max": 3.0,
            "data.selection.muon_d0_significance_max": 2.0,
            "data.selection.z0_sin_theta_max_mm": 0.3,
            # Ntuples of the simulation have few other events.
            "data.selection.zero_total_charge": Other(
                False, {"data.selection.same_flavour_pairs": False}, decides=False
            ),
            "data.selection.same_flavour_pairs": Other(False, decides=False),
            "data.selection.z1_mass_gev": [55.0, 100.0],
            "data.selection.z2_mass_gev": [15.0, 100.0],
            "data.selection.pair_mass_min_gev": 10.0,
            "data.selection.four_lepton_mass_gev": [80.0, 250.0],
            "data.folds.count": 3,
            "data.folds.scheme": "modulo",
            "data.repeated_events": Other(
                "drop",
                {"data.samples.files": ["{folder}/VBFH_0.root", "{folder}/VBFH_again.root"]},
                allows=True,
            ),
            "data.samples.pseudo_data": Other(True, {"data.samples.label": "data"}, allows=True),
            "data.bad_files": Other(
                "skip",
                {"data.samples.files": ["{folder}/VBFH_0.root", "{folder}/empty.root"]},
                allows=True,
            ),
            "data.weights.luminosity_fb_inverse": 20.0,
            "data.weights.sum_of_weights": Other(
                "per_sample",
                {
                    "data.samples": {
                        "ggH": {"label": "signal", "files": ["{folder}/ggH_[01].root"]},
                        "ZZ": {"label": "background", "files": ["{folder}/ZZ_[01].root"]},
                    }
                },
            ),
            "data.workers": Other(1, decides=False),
            "data.copies": ["root", "rntuple", "parquet", "npz"],
        }
    ),
    "dilepton": _others({"data.slots": {"jets": 3, "leptons": 2}}),
}
_TRAINING = {
    "training.epochs": 2,
    "training.batch_size": 32,
    "training.learning_rate": 5e-3,
    "training.warmup_fraction": Other(0.3, {"training.batch_size": 64}),
    "training.weight_decay": 0.1,
    "training.ema_decay": Other(0.5, {"training.batch_size": 64}),
    "training.gradient_norm": 0.01,
    "training.precision": "mixed_bfloat16",
    "training.validation_fraction": 0.3,
    "training.patience": Other(2, {"training.epochs": 12, "training.learning_rate": 1.0}),
    "training.max_steps": Other(2, {"training.batch_size": 16}),
    "training.fast_dev_run": Other(True, {"training.batch_size": 16}),
}


def _of_kind(kind: str, **values: Any) -> dict[str, Any]:
    return {f"model[{kind}].{name}": value for name, value in values.items()}


_NETWORK = {"no_match": True, "confidence": True, "width": 12, "depth": 1, "dropout": 0.3}
_NETWORK |= {"l2": 0.01}
_TREES = {"trees": 8, "learning_rate": 0.1, "max_leaf_nodes": 3, "min_samples_leaf": 10}
_TREES |= {"l2": 5.0, "patience": 3}
TRAIN = {
    "ttbar": _others(
        {
            "seed": 7,
            "data.folds.held_out": 1,
            # The weights of the simulation are positive.
            "data.weights.negative": Other("absolute", decides=False),
            "inputs": {
                "jets": ["pt", "eta", "phi", "energy"],
                "leptons": ["pt", "eta", "phi", "energy"],
            },
            "model": {"architecture": "recurrent"},
            **_of_kind("feed_forward", name="perceptron", batch_norm=True, **_NETWORK),
            **_of_kind(
                "set_transformer",
                name="set",
                heads=2,
                inducing_points=3,
                pooling_seeds=2,
                **_NETWORK,
            ),
            **_of_kind("cross_attention", name="crossed", heads=2, **_NETWORK),
            **_of_kind("recurrent", name="gated", **_NETWORK),
            **_of_kind(
                "own_network:tokens", name="tokens", settings={"width": 4}, width=12, l2=0.01,
                no_match=True, confidence=True,
            ),
            **_of_kind("boosted_trees", name="trees", **_TREES),
            "model.neutrinos": {"head": "binned"},
            "model.neutrinos[binned].bins": 10,
            "model.neutrinos[flow].layers": 1,
            "model.neutrinos[flow].width": 12,
            "model.neutrinos[flow].bins": 4,
            "model.neutrinos[flow].dropout": 0.2,
            "model.neutrinos[flow].samples": 8,
            "model.neutrinos[flow].point": "mean",
            **_TRAINING,
            "training.losses.assignment": {"focal": 2.0, "exclusivity": 0.1, "cross_entropy": 0.5},
            "training.losses.neutrinos": {
                "mae": 0.5,
                "own_losses:squares": 0.1,
            },
            "training.losses.confidence": 0.5,
            "training.neutrino_loss_weight": 0.7,
        }
    ),
    "h4l": _others(
        {
            "seed": 7,
            "data.folds.held_out": 1,
            # The weights of the simulation are positive.
            "data.weights.negative": Other("absolute", decides=False),
            "data.weights.class_balance": False,
            "inputs": {"leptons": ["pt", "eta"], "event": ["z1_mass", "jet_n"]},
            "model": {"architecture": "set_transformer"},
            **_of_kind(
                "feed_forward",
                name="perceptron", l2=1e-4, batch_norm=True, width=8, depth=1, dropout=0.3,
            ),
            **_of_kind(
                "deep_set",
                name="sets", l2=1e-4, batch_norm=True, width=8, depth=1, dropout=0.3,
            ),
            **_of_kind(
                "set_transformer",
                name="attention", l2=1e-4, width=8, depth=1, heads=2, dropout=0.3,
            ),
            **_of_kind("boosted_trees", name="trees", **_TREES),
            **_of_kind("own_network:build", name="own", settings={"width": 4}),
            **_TRAINING,
            "training.loss": "own_losses:entropy",
        }
    ),
}  # fmt: skip


def _of_method(method: str, **values: Any) -> dict[str, Any]:
    return {
        f"evaluation.methods[{method}].{name.replace('__', '.')}": value
        for name, value in values.items()
    }


_CHOSEN = {"eligible": "all", "btag_min": Other(1.0, {"eligible": "working_point"})}
_MASSES = {"top_mass_gev": 165.0, "w_mass_gev": 82.0}
_RESOLUTION = {
    "resolution__jet_noise_gev": 9.0,
    "resolution__jet_stochastic": 1.5,
    "resolution__jet_constant": 0.2,
    "resolution__jet_angle": 0.1,
    "resolution__lepton": 0.1,
    "resolution__met_gev": 10.0,
}
EVALUATE = {
    "ttbar": _others(
        {
            "evaluation.methods": ["delta_r", "truth"],
            **_of_method("random", name="chance"),
            **_of_method("delta_r", name="nearest", search="greedy", **_CHOSEN),
            **_of_method("m_lb", name="light", **_CHOSEN),
            **_of_method(
                "chi2", name="by_mass", neutrinos="branches", sigma_gev=60.0, top_mass_gev=165.0,
                **_CHOSEN,
            ),
            **_of_method("ellipse", name="ellipses", pairing="m_ttbar", **_MASSES, **_CHOSEN),
            **_of_method("sonnenschein", name="quartic", pairing="m_ttbar", **_MASSES, **_CHOSEN),
            **_of_method(
                "neutrino_weighting", name="weighting", eta_max=2.0, eta_step=0.5,
                met_sigma_gev=60.0, throws=2, **_MASSES, **_CHOSEN,
                **{name: Other(value, {"throws": 2}) for name, value in _RESOLUTION.items()},
            ),
            **_of_method(
                "smeared_ellipse", name="smeared", throws=4, w_width_gev=6.0, **_MASSES, **_CHOSEN,
                **_RESOLUTION,
            ),
            **_of_method("branches", name="nuflows", sigma_gev=60.0, top_mass_gev=165.0, **_CHOSEN),
            **_of_method("hybrid", name="mixed", assignment="m_lb", neutrinos="ellipse"),
            **_of_method("own", name="mine", code="own_methods:Swapped", settings={"first": 1}),
            **_of_method("model", name="exported", source="{folder}/other.onnx"),
            **_of_method("variant", name="varied", settings={"seed": 8}),
            **_of_method("ensemble", name="mean", of=["model", "varied"]),
            **_of_method("truth", name="known"),
            "evaluation.neutrinos": "none",
            "evaluation.replicas": 10,
            "evaluation.bins": {"jets": [1.5, 2.5, 3.5], "mtt": [300, 500, 1000]},
            "evaluation.btag_min": 6.0,
            "evaluation.reference": "truth",
            "evaluation.unfold": ["mtt"],
            "evaluation.drawn": ["mtt"],
            "evaluation.importance_events": 10,
            "evaluation.posterior_events": 5,
            "evaluation.posterior_samples": Other(25, {"evaluation.posterior_events": 5}),
            "evaluation.displays": 1,
            # Figures alone are drawn in a style.
            "evaluation.style": Other("ATLAS", decides=False),
            "evaluation.energy_tev": 13.6,
        }
    ),
    "h4l": _others(
        {
            "evaluation.methods": [],
            "evaluation.replicas": 10,
            "evaluation.score_bins": 10,
            "evaluation.signal": ["background"],
            "evaluation.observable": Other("jet_n", {"evaluation.observable_window": [0, 250]}),
            "evaluation.observable_title": "mass",
            "evaluation.observable_unit": "TeV",
            # Of m4l and of jet_n.
            "evaluation.observable_window": [0.0, 200.0],
            "evaluation.observable_bins": 12,
            "evaluation.sculpting_bins": 3,
            "evaluation.significance_window": [-1.0, 200.0],
            "evaluation.background_uncertainty": 0.2,
            "evaluation.luminosity_uncertainty": 0.05,
            "evaluation.importance_events": 50,
            "evaluation.style": Other("CMS", decides=False),
            "evaluation.energy_tev": 13.6,
        }
    ),
}  # fmt: skip
_EXPORT = {
    "export.opset": 18,
    "export.converter": "keras",
    "export.registered_model": "other",
    "export.targets": ["named", "topcptoolkit-flat", "athena"],
    "export.input_units": "MeV",
    "export.precisions": ["float32", "int8"],
    "export.accuracy_loss_max": 1.0,
}
EXPORT = {
    "ttbar": _others({**_EXPORT, "export.all_folds": Other(False, decides=False)}),
    "h4l": _others({**_EXPORT, "export.all_folds": Other(True, decides=False)}),
}
_PROMOTION = {
    "promotion.least_gain": -1.0,
    "promotion.p_value_max": 1.0,
    "promotion.regression_p_value": 0.01,
}
PROMOTE = {
    "ttbar": _others(
        {
            **_PROMOTION,
            "promotion.metric": "mtt_resolution",
            "promotion.no_regression_in": {"btags": [-0.5, 1.5, 4.5]},
        }
    ),
    "h4l": _others({**_PROMOTION, "promotion.no_regression_in": {"z1_mass": [50.0, 88.0, 110.0]}}),
}
_FLOAT, _INT = "training.learning_rate", "model.width"
_TUNE = {
    "tune.name": "others",
    "tune.space": {_INT: {"type": "int", "low": 16, "high": 64, "step": 16}},
    "tune.space[float].when": {"model.depth": [1]},
    "tune.space[float].low": 2e-4,
    "tune.space[float].high": 2e-2,
    "tune.space[float].log": True,
    "tune.space[float].step": 1e-3,
    "tune.space[int].when": {"model.depth": [1]},
    "tune.space[int].low": 16,
    "tune.space[int].high": 96,
    "tune.space[int].log": Other(True, {"tune.space[int].step": 1}),
    "tune.space[int].step": 16,
    "tune.space[categorical].when": {"model.depth": [1]},
    "tune.space[categorical].choices": [64, 32],
    "tune.objectives": [{"metric": "parameters", "direction": "maximize"}],
    "tune.objectives.metric": "parameters",
    "tune.objectives.direction": "maximize",
    "tune.sampler.name": "random",
    "tune.sampler.startup_trials": 1,
    "tune.pruner.name": "median",
    "tune.pruner.metric": Other("loss", {"tune.pruner.name": "median"}),
    "tune.pruner.startup_trials": Other(1, {"tune.pruner.name": "median"}),
    "tune.pruner.warmup_epochs": Other(0, {"tune.pruner.name": "median"}),
    "tune.pruner.reduction_factor": Other(2, {"tune.pruner.name": "hyperband"}),
    "tune.trials": 2,
    "tune.parallel": 1,
    "tune.reproducible": False,
    "tune.folds": 2,
    "tune.then": ["evaluate"],
    "tune.storage": "sqlite:///{folder}/other.db",
    "tune.start_from": "earlier",
    "tune.profile": "{folder}/local.yaml",
    "tune.retries": 0,
    "tune.failures": 2,
    "tune.poll_seconds": 0.1,
    "tune.quiet_seconds": 10.0,
}
TUNE = {analysis: _others(_TUNE) for analysis in ("ttbar", "h4l")}
# What is said to a job or of it; the rest is of who submits: his queue, machines and files.
PROFILE = _others(
    {
        "description": Other("others", decides=False),
        "assumes": Other(["others"], decides=False),
        "executor": "local",
        "files": "transfer",
        "job.cpus": 2,
        "job.memory_gib": 3.0,
        "job.disk_gib": 2.0,
        "job.gpus": 1,
        "job.gpu_memory_gib": Other(8.0, {"job.gpus": 1}),
        "job.gpu_capability": Other(7.5, {"job.gpus": 1}),
        "job.runtime": "2h",
        "job.container": "docker://others",
        "job.environment": {"OTHER": "1"},
        "job.accounting_group": "others",
        "job.requirements": "true",
        "job.classads": {"Other": 1},
        "slots": Other(1, {"executor": "local"}, decides=False),
        "retries": 1,
        "retry_elsewhere": Other("5m", {"retries": 1}),
        "grace": Other("20s", {"job.runtime": "2h"}),
        "limits.starts": 3,
        "limits.memory_factor": 3.0,
        "limits.memory_gib": 8.0,
        "limits.disk_factor": 3.0,
        "limits.disk_gib": 20.0,
        "limits.failures_per_machine": Other(5, decides=False),
        "limits.explain_idle": Other("90s", decides=False),
        "limits.jobs": Other(30, decides=False),
        "limits.carried_gib": Other(1.0, decides=False),
        "limits.idle": 10,
        "python": "/usr/bin/python3",
        "packed_environment": Other("{folder}/packed.tar.gz", {"files": "transfer"}),
        "runtime_attribute": Other("MaxRuntime", {"job.runtime": "2h"}),
        "send_credential": True,
        "oauth_services": ["others"],
        "credentials": ["s3"],
        "pass_environment": ["LANG_OF_OTHERS"],
        "output_destination": Other("root://others//", {"files": "transfer"}),
        "schedd": Other("others", decides=False),
        "tracking": "spool",
        "folder": "others",
        "inputs": Other(["others"], {"files": "transfer"}, decides=False),
        "outputs": Other(["others"], {"files": "transfer"}),
        "wait": Other(True, decides=False),
    }
)
