from pathlib import Path

import pytest

from rootflow.config import EvaluationConfig, load
from rootflow.config.methods import METHODS, WITH_DEFAULTS, EllipseConfig
from rootflow.errors import UsageError

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


@pytest.mark.parametrize("name", WITH_DEFAULTS)
def test_a_name_is_a_method_with_its_default_settings(name: str) -> None:
    (block,) = EvaluationConfig(methods=[name]).methods
    assert (block.method, block.name) == (name, name)
    assert block == EvaluationConfig(methods=[{"method": name}]).methods[0]


def test_a_mapping_has_settings_and_a_name() -> None:
    config = load(
        CONFIG,
        ["evaluation.methods=[m_lb, {method: ellipse, name: all_jets, eligible: all}]"],
    )
    assert config.evaluation.methods[1] == EllipseConfig(
        method="ellipse", name="all_jets", eligible="all"
    )


def test_a_hybrid_may_name_a_method_before_it() -> None:
    first = {"method": "delta_r", "name": "tagged", "eligible": "working_point"}
    hybrid = {"method": "hybrid", "assignment": "tagged", "neutrinos": "model"}
    assert EvaluationConfig(methods=[first, hybrid]).methods[1].references() == ("tagged", "model")


def test_a_hybrid_may_name_a_model_from_elsewhere() -> None:
    other = {"method": "model", "name": "other", "source": "runs:/0123"}
    hybrid = {"method": "hybrid", "assignment": "m_lb", "neutrinos": "other"}
    assert EvaluationConfig(methods=[other, hybrid]).methods[1].neutrinos == "other"


def test_a_dotted_name_is_a_method_of_ones_own() -> None:
    named = "{method: 'my_package.methods:Mine', name: mine, settings: {x: 1}}"
    for config in (CONFIG, CONFIG.with_name("h4l.yaml")):
        [found] = load(config, [f"evaluation.methods=[{named}]"]).evaluation.methods
        assert (found.name, found.code) == ("mine", "my_package.methods:Mine")
        assert found.settings == {"x": 1}
        unnamed = load(config, ["evaluation.methods=['my_package.methods:Mine']"])
        assert unnamed.evaluation.methods[0].name == "Mine"


def test_all_methods_are_in_one_configuration() -> None:
    methods = load(CONFIG.with_name("ttbar-methods.yaml"), []).evaluation.methods
    assert {method.method for method in methods} == set(METHODS) - {"branches", "model", "own"}
    assert len(load(CONFIG, []).evaluation.methods) == 4


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("[guess]", r"evaluation.methods.0.method: 'guess' is not 'random', 'delta_r'"),
        (
            "[{method: ellipse, top_mas: 1}]",
            r"methods.0.top_mas: unknown key \(did you mean top_mass_gev\?\)",
        ),
        ("[{method: m_lb, eligible: best}]", "methods.0.eligible: Input should be 'two_best'"),
        ("[{name: mine}]", r"methods.0: write the name of a method, or a mapping \{method: NAME"),
        ("[m_lb, m_lb]", "methods: two methods are named m_lb: give one of them another name"),
        ("[{method: m_lb, name: model}]", "model is the network under evaluation"),
        ("[model]", "methods.0.name: Field required"),
        ("[{method: model, name: other, source: ''}]", "methods.0.source: String should have"),
        ("[{method: hybrid, neutrinos: truth}]", "methods.0.assignment: Field required"),
        (
            "[{method: hybrid, assignment: mine, neutrinos: truth}, {method: m_lb, name: mine}]",
            "hybrid: 'mine' is none of model, random, delta_r",
        ),
        ("[{method: chi2, neutrinos: m_lb}]", "chi2: m_lb gives no neutrinos"),
        (
            "[{method: delta_r, name: near}, {method: hybrid, assignment: m_lb, neutrinos: near}]",
            "hybrid: near gives no neutrinos",
        ),
        ("[{method: smeared_ellipse, throws: 0}]", "methods.0.throws: Input should be greater"),
    ],
)
def test_what_cannot_be_is_named(methods: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        load(CONFIG, [f"evaluation.methods={methods}"])
    assert "\n" not in str(error.value)


def test_the_model_may_not_have_the_name_of_a_method() -> None:
    for name in ("sonnenschein", "mine"):
        with pytest.raises(UsageError, match=f"'{name}' is the name of another method"):
            load(CONFIG, [f"model.name={name}", "evaluation.methods=[{method: m_lb, name: mine}]"])


def test_a_method_with_neutrinos_may_lend_them() -> None:
    config = load(
        CONFIG,
        ["evaluation.methods=[m_lb, smeared_ellipse]", "evaluation.neutrinos=smeared_ellipse"],
    )
    assert config.evaluation.neutrinos == "smeared_ellipse"
    with pytest.raises(UsageError, match="'m_lb' is none of model, none, transformer, ellipse"):
        load(CONFIG, ["evaluation.methods=[m_lb, ellipse]", "evaluation.neutrinos=m_lb"])
