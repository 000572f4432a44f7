"""Each setting of models and trainings off its default: another network, or another training."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from other_values import TRAIN
from rootflow.analyses.h4l import H4lConfig
from rootflow.analysis import analysis_named
from rootflow.config import Config, change
from rootflow.dataset import Dataset
from rootflow.training.fitting import fit, question
from rootflow.training.record import History
from small_configurations import SMALLEST, dataset_of, few, of_kind
from toy_four_leptons import H4L_UNITS

CASES = [(analysis, path) for analysis, others in TRAIN.items() for path in others]
# A model is the same whatever it is called.
DECIDES = [case for case in CASES if not case[1].endswith(".name")]
OF_NETWORKS = [
    case for case in DECIDES if case[1].startswith(("model", "inputs")) and "trees" not in case[1]
]
# What shows in the weights of a network, or of trees, that is trained for an instant.
OF_TRAININGS = [
    path
    for path in TRAIN["h4l"]
    if path.startswith(("seed", "training", "data", "model[boosted_trees]"))
    and not path.endswith(".name")
]


@pytest.fixture(scope="module")
def datasets(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """Return a dataset of some hundred events of each analysis."""
    directory = tmp_path_factory.mktemp("datasets")
    return {
        analysis: dataset_of(few(analysis, samples), directory) for analysis in ("ttbar", "h4l")
    }


def before_and_after(analysis: str, path: str, folder: Path) -> tuple[Config, Config]:
    """Return a configuration with a small model, and the same with the other value."""
    other = TRAIN[analysis][path]
    kind, setting = of_kind(path)
    values = {**SMALLEST[analysis], **other.given}
    if path.startswith("model.neutrinos["):
        values["model.neutrinos"] = {"head": kind}
    elif kind:
        values["model"] = {"architecture": kind}
    before = few(analysis, folder, values)
    return before, change(before, {setting: other.value})


@pytest.mark.parametrize(("analysis", "path"), DECIDES)
def test_other_value_names_another_training(analysis: str, path: str, samples: Path) -> None:
    names = [
        question("0123456789abcdef", config, config.data.folds.in_turn()[0])
        for config in before_and_after(analysis, path, samples)
    ]
    assert names[0] != names[1]


@pytest.fixture(scope="module")
def network_of(datasets: dict[str, Dataset]) -> Callable[[Config], str]:
    """Return a function from a configuration to its network in words."""
    from rootflow.models.architectures import build_model, features_taken
    from rootflow.models.classifier_inputs import classifier_inputs, fit_classifier_normalisation
    from rootflow.models.classifiers import build_classifier
    from rootflow.models.normalisation import fit_normalisation

    few_events = datasets["ttbar"].events(slice(0, 100))

    @cache
    def built(analysis: str, text: str) -> str:
        config = analysis_named(analysis).config.model_validate_json(text)
        features = datasets[config.analysis].features
        if not isinstance(config, H4lConfig):
            taken = features_taken(config.inputs, features)
            few = few_events.taking(taken)
            normalisation = fit_normalisation([(few, few.weight)])
            network = build_model(config.model, taken, config.data.max_jets, normalisation)
        else:
            events = datasets["h4l"].events(slice(0, 100))
            inputs = classifier_inputs(config.inputs, events, H4L_UNITS)
            of_inputs = fit_classifier_normalisation([(events, events.weight)], inputs)
            network = build_classifier(config.model, inputs, of_inputs)
        kernels = [each.regularizer for each in network.weights]
        return str(network.to_json()) + str([each and each.get_config() for each in kernels])

    return lambda config: built(config.analysis, config.model_dump_json())


@pytest.mark.exhaustive
@pytest.mark.parametrize(("analysis", "path"), OF_NETWORKS)
def test_other_value_makes_another_network(
    analysis: str, path: str, samples: Path, network_of: Callable[[Config], str]
) -> None:
    before, after = map(network_of, before_and_after(analysis, path, samples))
    assert before != after


@pytest.fixture(scope="module")
def history_of(
    datasets: dict[str, Dataset], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Config], History]:
    """Return a function from a configuration to the history of its training."""

    @cache
    def trained(text: str) -> History:
        config = H4lConfig.model_validate_json(text)
        [folds, *_] = config.data.folds.in_turn()
        directory = tmp_path_factory.mktemp("training")
        return fit(datasets["h4l"], config, directory, lambda *_: None, folds).history

    return lambda config: trained(config.model_dump_json())


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", OF_TRAININGS)
def test_other_value_makes_another_training(
    path: str, samples: Path, history_of: Callable[[Config], History]
) -> None:
    before, after = map(history_of, before_and_after("h4l", path, samples))
    assert (before != after) == TRAIN["h4l"][path].decides
