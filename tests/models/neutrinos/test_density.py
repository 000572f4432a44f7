import keras
import numpy as np
import pytest
import scipy.stats

from rootflow.models.layers import LayerOfLayers
from rootflow.models.neutrinos.density import ConditionalFlow, halves


def make_flow(size: int, couplings: int = 4, scale: float = 0.0) -> ConditionalFlow:
    """Return a flow with weights moved from where they begin."""
    keras.utils.set_random_seed(5)
    flow = ConditionalFlow(size, couplings, width=16, bins=6, dropout=0.0)
    flow.sample(np.zeros((1, 1, size), np.float32), np.zeros((1, 3), np.float32))
    random = np.random.default_rng(6)
    for weight in flow.trainable_weights:
        weight.assign(weight + random.normal(scale=scale, size=weight.shape))
    return flow


def test_every_layer_is_followed_by_its_other_half_and_all_pairs_are_parted() -> None:
    found = halves(6, 6)
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert sorted(first + second) == list(range(6))
    parted = {(a, b) for half in found for a in half for b in range(6) if b not in half}
    assert len(parted) == 30


def test_the_flow_comes_back_to_where_it_started() -> None:
    flow = make_flow(6, couplings=6, scale=0.1)
    random = np.random.default_rng(7)
    context = random.normal(size=(50, 3)).astype(np.float32)
    vectors = random.normal(scale=1.5, size=(50, 4, 6)).astype(np.float32)
    latent, _ = flow.to_latent(vectors, context)
    assert np.abs(np.asarray(latent) - vectors).max() > 0.5
    np.testing.assert_allclose(flow.from_latent(latent, context), vectors, atol=5e-3)


@pytest.mark.parametrize(("temperature", "degrees"), [(1.0, 1e6), (0.8, 1e6), (0.8, 8.0)])
def test_the_density_integrates_to_one(temperature: float, degrees: float) -> None:
    flow = make_flow(2, couplings=2, scale=0.2)
    flow.set_tails(temperature, degrees)
    axis = np.linspace(-10, 10, 801, dtype=np.float32)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(1, -1, 2)
    density = np.exp(flow.log_density(points, np.array([[0.5, -1.0, 2.0]], np.float32)))
    assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=3e-3)


def test_before_the_splines_bend_it_is_the_gaussian_of_shift_and_scale() -> None:
    flow = make_flow(3)
    shift, scale = np.array([1.0, -2.0, 0.5]), np.array([0.5, 2.0, 1.0])
    # The largest scale is bounded softly: 4 tanh(x / 4).
    said = 4 * np.arctanh(np.log(scale) / 4)
    flow.affine.bias.assign(np.concatenate([shift, said]))
    vectors = np.random.default_rng(8).normal(size=(10, 20, 3)).astype(np.float32)
    expected = scipy.stats.norm(shift, scale).logpdf(vectors).sum(axis=-1)
    context = np.ones((10, 3), np.float32)
    np.testing.assert_allclose(flow.log_density(vectors, context), expected, atol=1e-4)


def test_a_trained_flow_knows_a_posterior_that_is_known() -> None:
    """Two components, bent and correlated, whose place is a matter of the context."""
    random = np.random.default_rng(9)

    def toy(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        context = random.normal(size=(count, 3)).astype(np.float32)
        noise = random.normal(size=(count, 2)).astype(np.float32)
        first = context[:, 0] + 0.5 * noise[:, 0]
        second = 0.5 * first**2 - context[:, 1] + 0.3 * noise[:, 1]
        log_density = scipy.stats.norm.logpdf(noise).sum(axis=1) - np.log(0.5 * 0.3)
        return context, np.stack([first, second], axis=1)[:, None], log_density

    flow = make_flow(2)
    context, vectors = keras.Input((3,)), keras.Input((1, 2))

    class Density(LayerOfLayers):
        def __init__(self) -> None:
            super().__init__()
            self.flow = flow

        def call(self, vectors: object, context: object) -> object:
            return self.flow.log_density(vectors, context)

    model = keras.Model([vectors, context], Density()(vectors, context))
    model.compile(keras.optimizers.Adam(1e-2), loss=lambda _, said: -said)
    seen, truth, _ = toy(10_000)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-2 * 0.5**epoch)
    model.fit([truth, seen], seen[:, :1], 200, 7, verbose=0, callbacks=[schedule])

    seen, truth, exact = toy(4000)
    found = np.asarray(flow.log_density(truth, seen))[:, 0]
    assert np.mean(exact - found) == pytest.approx(0, abs=0.1)
    noise = random.normal(size=(4000, 200, 2)).astype(np.float32)
    samples = np.asarray(flow.sample(noise, seen))
    higher = np.asarray(flow.log_density(samples, seen)) > found[:, None]
    level = higher.mean(axis=1)
    central = np.abs(2 * np.mean(samples < truth, axis=1) - 1)
    for wanted in (0.68, 0.95):
        # Three standard deviations of 4,000 events, and one percent for the fit.
        error = 3 * np.sqrt(wanted * (1 - wanted) / 4000) + 0.01
        assert np.mean(level <= wanted) == pytest.approx(wanted, abs=error)
        np.testing.assert_allclose(np.mean(central <= wanted, axis=0), wanted, atol=error)
