from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.model import FeedForwardConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.reconstruction.objects import normal_numbers
from small_flow import network_with_a_flow

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod

SAMPLES = 40


@pytest.fixture(scope="module")
def unseen(real_events: Events) -> Events:
    return real_events.take(real_events.fold == 0).take(slice(0, 30))


@pytest.fixture(scope="module")
def reconstructor(unseen: Events) -> "TrainedMethod":
    return network_with_a_flow(unseen, FoldsConfig(), seed=1)


def test_the_samples_are_those_of_the_event_and_the_seed(
    reconstructor: "TrainedMethod", unseen: Events
) -> None:
    posterior = reconstructor.posterior(unseen, SAMPLES, seed=3)
    assert posterior.neutrinos.shape == (30, SAMPLES, 2, 3)
    assert posterior.log_density.shape == (30, SAMPLES)
    order = np.random.default_rng(1).permutation(30)[:11]
    again = reconstructor.posterior(unseen.take(order), 5, seed=3)
    np.testing.assert_allclose(again.neutrinos, posterior.neutrinos[order, :5], atol=1e-2)
    other = reconstructor.posterior(unseen, 5, seed=4)
    assert np.abs(other.neutrinos - posterior.neutrinos[:, :5]).max() > 10


def test_the_density_of_a_sample_is_what_was_told_with_it(
    reconstructor: "TrainedMethod", unseen: Events
) -> None:
    posterior = reconstructor.posterior(unseen, SAMPLES, seed=3)
    found = reconstructor.log_density(unseen, posterior.neutrinos[:, 7])
    np.testing.assert_allclose(found, posterior.log_density[:, 7], atol=1e-2)
    highest = reconstructor.log_density(unseen, posterior.mode())
    np.testing.assert_allclose(highest, posterior.log_density.max(axis=1), atol=1e-2)
    np.testing.assert_allclose(posterior.mean(), posterior.neutrinos.mean(axis=1))


def test_events_of_the_training_and_networks_without_a_density_are_refused(
    reconstructor: "TrainedMethod", real_events: Events, unseen: Events
) -> None:
    from rootflow.methods.trained import TrainedMethod
    from rootflow.models.architectures import build_model
    from rootflow.models.normalisation import fit_normalisation

    with pytest.raises(InputError, match="flow was trained on the folds of"):
        reconstructor.posterior(real_events.take(slice(0, 50)), 3, seed=1)
    config = FeedForwardConfig(architecture="feed_forward", width=16, depth=1)
    normalisation = fit_normalisation([(unseen, np.ones(len(unseen)))])
    model = build_model(config, unseen.features, 8, normalisation)
    plain = TrainedMethod("plain", model, FoldsConfig(), unseen.features)
    with pytest.raises(UsageError, match=r"plain gives .* train it with model\.neutrinos\.head"):
        plain.posterior(unseen, 3, seed=1)


def test_the_samples_of_folds_are_those_of_the_network_that_has_not_seen_the_event(
    unseen: Events,
) -> None:
    from rootflow.methods.combined import FoldedMethod

    folding = FoldingConfig(count=2, scheme="modulo")
    networks = [
        network_with_a_flow(unseen, folds, seed) for seed, folds in enumerate(folding.in_turn())
    ]
    said = FoldedMethod("flow", networks).posterior(unseen, 5, seed=3)
    for rest, network in enumerate(networks):
        of_fold = unseen.event_number % 2 == rest
        assert np.any(of_fold)
        alone = network.posterior(unseen.take(of_fold), 5, seed=3)
        np.testing.assert_allclose(said.neutrinos[of_fold], alone.neutrinos, atol=1e-2)
        np.testing.assert_allclose(said.log_density[of_fold], alone.log_density, atol=1e-3)


def test_the_noise_is_normal_and_that_of_each_event(unseen: Events) -> None:
    places = np.arange(6000).reshape(1000, 6)
    noise = normal_numbers(unseen, 1, places).astype(np.float64)
    assert noise.shape == (30, 1000, 6)
    # 180,000 numbers: five standard deviations of mean, width and fourth moment.
    assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * noise.size)
    assert abs(np.mean(noise**4) - 3) < 5 * np.sqrt(96 / noise.size)
    correlation = np.corrcoef(noise.reshape(30, -1)) - np.eye(30)
    assert np.abs(correlation).max() < 5 / np.sqrt(6000)
