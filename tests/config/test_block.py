"""Numbers of every block of settings: finite, and integers of 64 bits."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rootflow
from rootflow.config import load
from rootflow.config.batch import load_profile, profile_of
from rootflow.config.block import Block
from rootflow.errors import UsageError
from rootflow.ntuple import load_branch_map
from rootflow.tuning.trials import Result

VARIANT = "evaluation.methods=[{{method: variant, name: other, settings: {{training.x: {}}}}}]"
CONFIGS = Path(__file__).parents[2] / "configs"
# A metric may not exist.
MAY_BE_NAN = {Result}


def _below(kind: type[Block]) -> Iterator[type[Block]]:
    for block in kind.__subclasses__():
        yield block
        yield from _below(block)


def test_no_block_takes_what_is_no_number() -> None:
    for room in ("config", "ntuple", "dataset", "exported", "tuning"):
        package = importlib.import_module(f"{rootflow.__name__}.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    blocks = set(_below(Block))
    assert len(blocks) > 80
    assert {block for block in blocks if block.model_config["allow_inf_nan"]} == MAY_BE_NAN


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "nan", "1.0e+999"])
@pytest.mark.parametrize(
    ("analysis", "setting"),
    [
        ("ttbar", "promotion.least_gain={}"),
        ("ttbar", "promotion.no_regression_in={{jets: [1.5, {}]}}"),
        ("ttbar", "evaluation.btag_min={}"),
        ("ttbar", "evaluation.bins={{met: [0, {}]}}"),
        ("ttbar", "data.selection.btag_min={}"),
        (
            "ttbar",
            VARIANT,
        ),
        ("ttbar", "training.learning_rate={}"),
        ("ttbar", "training.losses.assignment={{focal: {}}}"),
        ("ttbar", "tune={{space: {{seed: {{type: float, low: 0, high: {}}}}}}}"),
        ("ttbar", "tune={{space: {{seed: {{type: categorical, choices: [1, {}]}}}}}}"),
        ("h4l", "data.weights.luminosity_fb_inverse={}"),
        ("h4l", "data.samples.ZZ.sum_of_weights={}"),
        ("h4l", "data.samples.ZZ.cross_section_pb={}"),
        ("h4l", "data.selection.z1_mass_gev=[50, {}]"),
        ("h4l", "simulation.detector.jets.radius={}"),
    ],
)
def test_a_configuration_has_finite_numbers(analysis: str, setting: str, number: str) -> None:
    if number == "nan" and ("choices" in setting or setting == VARIANT):
        return  # a word like others
    with pytest.raises(UsageError) as failure:
        load(CONFIGS / f"{analysis}.yaml", [setting.format(number)])
    assert "Input should be" in str(failure.value)
    assert "\n" not in str(failure.value)


MAP = """
jet_n: n
leptons: [{pt: {branch: pt, unit: GeV}, eta: eta, phi: phi, charge: charge, pdg_id: 11}]
expected_events: {branch: w, luminosity_fb_inverse: NUMBER}
"""


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (load_profile, "job: {memory_gib: NUMBER}"),
        (load_profile, "job: {classads: {Rank: NUMBER}}"),
        (load_profile, "limits: {memory_factor: NUMBER}"),
        (lambda path: load_branch_map(str(path)), MAP),
    ],
)
@pytest.mark.parametrize("number", [".nan", ".inf"])
def test_profiles_and_maps_have_finite_numbers(
    tmp_path: Path, read: Callable[[Path], object], text: str, number: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text.replace("NUMBER", "7.5"))
    read(path)
    path.write_text(text.replace("NUMBER", number))
    with pytest.raises(UsageError, match="Input should be"):
        read(path)


HUGE = "Input should be less than or equal to"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("training.epochs={}", "64 bits"),
        ("tune={{space: {{seed: {{type: int, low: 0, high: {}}}}}}}", "64 bits"),
        (VARIANT, "64 bits"),
        ("data.max_jets={}", HUGE),
        ("data.folds.count={}", HUGE),
        ("training.batch_size={}", HUGE),
        ("model.width={}", HUGE),
        ("model.depth={}", HUGE),
        ("model.inducing_points={}", HUGE),
        ("model.neutrinos={{head: flow, samples: {}}}", HUGE),
        ("model.neutrinos={{head: binned, bins: {}}}", HUGE),
        ("evaluation.replicas={}", HUGE),
        ("evaluation.methods=[{{method: smeared_ellipse, throws: {}}}]", HUGE),
        (
            "evaluation.methods=[{{method: neutrino_weighting, eta_max: {}}}]",
            "1000 steps",
        ),
        ("simulation.workers={}", HUGE),
        ("simulation.events={}", HUGE),
        ("tune.trials={}", HUGE),
    ],
)
@pytest.mark.parametrize("digits", [10, 21, 300])
def test_what_would_fill_the_memory_is_refused(setting: str, says: str, digits: int) -> None:
    if digits == 10 and "64" in says:
        return
    with pytest.raises(UsageError) as failure:
        load(CONFIGS / "ttbar.yaml", [setting.format("9" * digits)])
    assert any(words in str(failure.value) for words in (says, "64 bits"))


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ("{seed: {type: int, low: 0, high: 999999999}}", "more than 1,000,000 points"),
        ("{a.b: {type: float, low: 0, high: 1, step: 1.0e-300}}", "more than 1,000,000 points"),
        (
            "{a: {type: int, low: 0, high: 2000}, b: {type: int, low: 0, high: 2000}}",
            "more than 1,000,000 points",
        ),
        ("{a: {type: float, low: -1.0e+308, high: 1.0e+308}}", "further than numbers go"),
    ],
)
@pytest.mark.parametrize("sampler", ["grid", "random"])
def test_a_grid_has_an_end(space: str, says: str, sampler: str) -> None:
    if "type: int" in space and sampler == "random":
        return  # only its ends are looked at
    study = f"{{space: {space}, sampler: {{name: {sampler}}}, objectives: "
    with pytest.raises(UsageError, match=says):
        load(CONFIGS / "ttbar.yaml", [f"tune={study}[{{metric: x, direction: minimize}}]}}"])


@pytest.mark.parametrize("digits", [20, 5000])
def test_a_duration_has_an_end(digits: int) -> None:
    with pytest.raises(UsageError, match=r"runtime: a duration of more than"):
        profile_of({"job": {"runtime": "9" * digits + "d"}}, "profile")
