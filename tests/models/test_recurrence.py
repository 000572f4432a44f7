import keras
import numpy as np

from rootflow.models.layers import OverJets

RANDOM = np.random.default_rng(11)
JETS = RANDOM.normal(size=(6, 2, 4, 3)).astype(np.float32)
MASK = np.arange(4) < np.array([4, 3, 2, 4, 1, 0])[:, None]


def test_the_states_are_those_of_keras_recurrent_layers_on_the_jets_that_are_there() -> None:
    layer = OverJets(5)
    said = np.asarray(layer(JETS, MASK))
    assert said.shape == (6, 2, 4, 10)
    along, back = (
        keras.layers.GRU(5, return_sequences=True, go_backwards=backwards)
        for backwards in (False, True)
    )
    for ours, theirs in zip(layer.cells, (along, back), strict=True):
        theirs.build((None, None, 3))
        theirs.set_weights(ours.get_weights())
    for event in range(5):
        count = int(MASK[event].sum())
        jets = JETS[event, :, :count]
        states = np.asarray(along(jets)), np.asarray(back(jets))[:, ::-1]
        expected = np.concatenate(states, axis=-1)
        np.testing.assert_allclose(said[event, :, :count], expected, atol=1e-6)
