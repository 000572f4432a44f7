"""Models from files, folders, the registry and runs as methods of an evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import ValidationError

from rootflow.config import Config, EvaluationConfig, load
from rootflow.config.methods import ModelMethodConfig
from rootflow.dataset import Events
from rootflow.errors import ConformanceError, InputError, UsageError
from rootflow.methods.conformance import check_answers
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.make import make_method
from rootflow.steps.methods import make_methods, model_method, variants_of
from toy_four_leptons import toy_four_leptons

if TYPE_CHECKING:
    from rootflow.export.writing import Export


CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


def method(source: object) -> ModelMethodConfig:
    return ModelMethodConfig(method="model", name="other", source=str(source))


def test_a_file_is_a_method_of_its_own_name(
    exported: "Export", real_events: Events, tmp_path: Path
) -> None:
    evaluation = EvaluationConfig(methods=["m_lb", method(exported.named_path)])
    config = load(CONFIG, [])
    found = make_methods(
        config.model_copy(update={"evaluation": evaluation}),
        make_method("random", 1),
        {},
        real_events.take(slice(50)),
        tmp_path,
    )
    assert [each.name for each in found] == ["m_lb", "other"]
    unseen = real_events.take(np.flatnonzero(real_events.fold == 0)[:50])
    expected = OnnxMethod(exported.named_path, name="small").answer(unseen)
    np.testing.assert_array_equal(found[1].answer(unseen).assignment, expected.assignment)


def own(analysis: str, code: str, settings: str = "{}") -> Config:
    named = f"evaluation.methods=[{{method: '{code}', name: mine, settings: {settings}}}]"
    return load(CONFIG.with_name(f"{analysis}.yaml"), [named])


def test_classes_of_ones_own_are_methods_of_both_tasks(real_events: Events, tmp_path: Path) -> None:
    toys = toy_four_leptons(50)
    for config, events in (
        (own("ttbar", "own_methods:InOrder", "{first: 1}"), real_events.take(slice(200))),
        (own("h4l", "own_methods:HardLepton", "{scale_gev: 50.0}"), toys),
    ):
        [mine] = make_methods(config, make_method("random", 1), {}, events, tmp_path)
        assert mine.name == "mine"
        check_answers(mine.answer(events), events)


@pytest.mark.parametrize(
    ("config", "error", "complaint"),
    [
        (("h4l", "own_methods:Company"), ConformanceError, "mine: .* does not depend on the other"),
        (("h4l", "own_methods:HardLeptom"), UsageError, "mine: .*did you mean HardLepton"),
        (("h4l", "own_methods:HardLepton", "{scale: 1}"), UsageError, "mine: .* cannot be made"),
        (("h4l", "pathlib:Path"), UsageError, "mine: pathlib:Path"),
    ],
)
def test_classes_that_are_no_methods(
    config: tuple[str, ...], error: type[Exception], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=f"evaluation.methods: {complaint}"):
        make_methods(own(*config), make_method("random", 1), {}, toy_four_leptons(50), tmp_path)


def test_events_of_its_training_are_refused(
    exported: "Export", real_events: Events, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="other was trained on the folds of"):
        model_method(method(exported.named_path), "reconstruction", tmp_path).answer(
            real_events.take(slice(50))
        )


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"evaluation.methods: other: there is no .*none.onnx"):
        model_method(method(tmp_path / "none.onnx"), "reconstruction", tmp_path)
    with pytest.raises(InputError, match="no finished training"):
        model_method(method(tmp_path), "reconstruction", tmp_path)


def test_a_run_and_a_registered_model_that_there_are_not(
    empty_store: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'mlflow.db'}")
    with pytest.raises(UsageError, match="there is no run 0123"):
        model_method(method("runs:/0123"), "reconstruction", workspace)
    with pytest.raises(UsageError, match="models:/none/1: not in the registry"):
        model_method(method("models:/none/1"), "reconstruction", workspace)


def test_names_are_told_apart() -> None:
    models = [{"method": "model", "name": "m_lb", "source": "a.onnx"}]
    told_apart = EvaluationConfig(methods=["truth", *models]).methods
    assert [method.name for method in told_apart] == ["truth", "m_lb"]
    with pytest.raises(ValidationError, match="two methods are named m_lb"):
        EvaluationConfig(methods=["m_lb", *models])


def test_a_variant_is_the_configuration_with_other_settings() -> None:
    variant = "{method: variant, name: small, settings: {model.width: 8, training.epochs: 1}}"
    config = load(CONFIG, [f"evaluation.methods=[m_lb, {variant}]"])
    [(name, found)] = variants_of(config).items()
    assert name == found.model.name == "small"
    assert (found.model.width, found.training.epochs) == (8, 1)
    assert found.data == config.data


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("{model.weight: 8}", "evaluation.methods: small: model.weight"),
        ("{model.width: 7}", "evaluation.methods: small: model: width 7 is not a multiple"),
    ],
)
def test_a_variant_that_cannot_be(settings: str, complaint: str) -> None:
    methods = f"evaluation.methods=[{{method: variant, name: small, settings: {settings}}}]"
    with pytest.raises(UsageError, match=complaint):
        variants_of(load(CONFIG, [methods]))


def test_a_variant_has_the_same_events() -> None:
    variant = "{method: variant, name: small, settings: {data.max_jets: 4}}"
    with pytest.raises(UsageError, match=r"data\.max_jets: a variant has another seed, model"):
        load(CONFIG, [f"evaluation.methods=[{variant}]"])
