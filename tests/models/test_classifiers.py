from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest

from rootflow.analyses.h4l import INPUTS
from rootflow.config import ClassifierConfig, InputsConfig
from rootflow.config.model import (
    DeepSetConfig,
    FeedForwardClassifierConfig,
    SetTransformerClassifierConfig,
)
from rootflow.dataset import Events
from rootflow.errors import UsageError
from rootflow.export.conversion import compiled, convert
from rootflow.models.classifier_inputs import classifier_inputs, fit_classifier_normalisation
from rootflow.models.classifiers import build_classifier
from rootflow.models.saving import load_model, save_model
from toy_four_leptons import H4L_FEATURES, H4L_UNITS, toy_four_leptons

FEED_FORWARD = FeedForwardClassifierConfig(
    architecture="feed_forward", width=32, depth=2, l2=1e-4, batch_norm=True
)
DEEP_SET = DeepSetConfig(architecture="deep_set", width=16, depth=2, batch_norm=True)
TRANSFORMER = SetTransformerClassifierConfig(
    architecture="set_transformer", width=16, heads=2, l2=1e-4
)
EVERY = [FEED_FORWARD, DEEP_SET, TRANSFORMER]

each = pytest.mark.parametrize("config", EVERY, ids=lambda config: config.architecture)


@pytest.fixture(scope="module")
def events() -> Events:
    return toy_four_leptons(300)


def build(
    config: ClassifierConfig, events: Events, inputs: InputsConfig | None = None
) -> keras.Model:
    keras.utils.set_random_seed(7)
    inputs = inputs or INPUTS
    chosen = classifier_inputs(inputs, events, H4L_UNITS)
    normalisation = fit_classifier_normalisation([(events, events.weight)], chosen)
    return build_classifier(config, chosen, normalisation)


def say(model: keras.Model, events: Events) -> np.ndarray:
    arrays = {name: getattr(events, name) for name in model.input}
    return keras.ops.convert_to_numpy(model(arrays, training=False)["score"])


def with_columns(events: Events, collection: str, order: Sequence[int]) -> Events:
    names = tuple(events.features[collection][place] for place in order)
    array = getattr(events, collection)[..., list(order)]
    return replace(events, features={**events.features, collection: names}, **{collection: array})


@each
def test_the_score_is_a_probability_that_differs_among_events(
    config: ClassifierConfig, events: Events
) -> None:
    model = build(config, events)
    score = say(model, events)
    assert score.shape == (300, 1)
    assert score.dtype == np.float32
    assert np.all((score > 0) & (score < 1))
    assert np.std(score) > 1e-3
    assert {name: tensor.shape[1:] for name, tensor in model.input.items()} == {
        "leptons": (4, 5),
        "event": (17,),
    }


@each
def test_turning_the_event_about_the_beam_changes_nothing(
    config: ClassifierConfig, events: Events
) -> None:
    model = build(config, events)
    leptons = events.leptons.copy()
    leptons[..., 2] = (leptons[..., 2] + 2.1 + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(
        say(model, replace(events, leptons=leptons)), say(model, events), atol=1e-5
    )


@pytest.mark.parametrize("config", [DEEP_SET, TRANSFORMER], ids=lambda config: config.architecture)
def test_the_order_of_leptons_does_not_matter(config: ClassifierConfig, events: Events) -> None:
    model = build(config, events)
    shuffled = replace(events, leptons=events.leptons[:, [2, 0, 3, 1]])
    np.testing.assert_allclose(say(model, shuffled), say(model, events), atol=1e-5)


@each
def test_what_is_not_chosen_is_not_seen(config: ClassifierConfig, events: Events) -> None:
    model = build(config, events)
    event = events.event.copy()
    event[:, H4L_FEATURES["event"].index("m4l")] = np.nan
    np.testing.assert_array_equal(say(model, replace(events, event=event)), say(model, events))


def test_what_is_chosen_is_seen_and_found_by_its_name(events: Events) -> None:
    inputs = {"leptons": ["pdg_id", "pt"], "event": ["phi_1", "m4l", "z1_mass"]}
    model = build(FEED_FORWARD, events, inputs)
    before = say(model, events)
    for collection, chosen in (("leptons", inputs["leptons"]), ("event", inputs["event"])):
        for name in chosen:
            array = getattr(events, collection).copy()
            array[..., H4L_FEATURES[collection].index(name)] *= -1 if name == "pdg_id" else 1.5
            after = say(model, replace(events, **{collection: array}))
            assert np.max(np.abs(after - before)) > 1e-4, name
    for collection in ("leptons", "event"):
        reversed_order = range(len(H4L_FEATURES[collection]))[::-1]
        other = with_columns(events, collection, reversed_order)
        np.testing.assert_array_equal(say(build(FEED_FORWARD, other, inputs), other), before)


def test_muons_and_charges_are_told_apart(events: Events) -> None:
    model = build(FEED_FORWARD, events, {"leptons": ["pdg_id"], "event": []})
    scores = []
    for first in (11, -11, 13, -13):
        leptons = events.leptons[:1].copy()
        leptons[0, :, 4] = [first, 11, -13, 13]
        scores.append(float(say(model, replace(events.take(slice(0, 1)), leptons=leptons))[0, 0]))
    assert len({round(score, 5) for score in scores}) == 4


def test_a_collection_of_which_nothing_is_chosen_is_no_input(events: Events) -> None:
    only_event = build(FEED_FORWARD, events, INPUTS | {"leptons": []})
    assert set(only_event.input) == {"event"}
    for config in EVERY:
        only_leptons = build(config, events, INPUTS | {"event": []})
        assert set(only_leptons.input) == {"leptons"}
        assert say(only_leptons, events).shape == (300, 1)
    for config in (DEEP_SET, TRANSFORMER):
        with pytest.raises(UsageError, match=r"inputs: model\.architecture \w+ looks at"):
            build(config, events, INPUTS | {"leptons": []})


def test_an_input_that_the_dataset_does_not_have_is_refused_with_near_names(
    events: Events,
) -> None:
    with pytest.raises(UsageError, match=r"inputs\.event: the dataset has no 'z1_mas'.*z1_mass"):
        build(FEED_FORWARD, events, INPUTS | {"event": ["z1_mas"]})
    with pytest.raises(UsageError, match=r"inputs\.leptons: .* 'charge'; it has pt, eta, phi"):
        build(FEED_FORWARD, events, INPUTS | {"leptons": ["charge"]})


def test_dropout_acts_in_training_only(events: Events) -> None:
    model = build(FEED_FORWARD.model_copy(update={"dropout": 0.5, "batch_norm": False}), events)
    arrays = {name: getattr(events, name) for name in model.input}
    first, second = (model(arrays, training=True)["score"] for _ in range(2))
    assert np.max(np.abs(first - second)) > 1e-3
    np.testing.assert_array_equal(say(model, events), say(model, events))


@each
def test_the_penalty_is_on_the_squares_of_all_kernels(
    config: ClassifierConfig, events: Events
) -> None:
    plain = build(config.model_copy(update={"l2": 0.0}), events)
    assert plain.losses == []
    model = build(config.model_copy(update={"l2": 0.01}), events)
    say(model, events)
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    expected = 0.01 * sum(float(np.sum(np.square(np.asarray(kernel.value)))) for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@each
def test_a_saved_classifier_says_the_same(
    config: ClassifierConfig, events: Events, tmp_path: Path
) -> None:
    model = build(config, events)
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(say(again, events), say(model, events))


@each
def test_onnx_gives_the_same_scores(config: ClassifierConfig, events: Events) -> None:
    model = build(config, events)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.linspace(-0.5, 0.5, layer.moving_mean.shape[0]))
    arrays = {name: getattr(events, name) for name in model.input}
    session = onnxruntime.InferenceSession(
        convert(model, opset=17).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (score,) = session.run(["score"], arrays)
    assert np.max(np.abs(score - compiled(model)(arrays)["score"])) <= 1e-6
