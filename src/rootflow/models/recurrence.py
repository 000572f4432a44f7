"""Recurrent layers over the jets of an event."""

from typing import Any

import keras
from keras import layers, ops

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import ConfiguredLayer


@keras.saving.register_keras_serializable(package="rootflow")
class OverJets(ConfiguredLayer):
    """Gated recurrent units (arXiv:1406.1078) along the jets and back, in each view.

    The steps are unrolled: there are few, and ONNX gets plain operations.
    """

    made_from = ("width",)

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.cells = (layers.GRUCell(width, name="along"), layers.GRUCell(width, name="back"))

    def build(self, jets_shape: tuple[int, ...], jet_mask_shape: tuple[int, ...]) -> None:  # noqa: ARG002 - Keras names all arguments
        """Make the cells."""
        for cell in self.cells:
            cell.build((None, jets_shape[-1]))

    def compute_output_shape(self, jets_shape: tuple[int, ...], *_: Any) -> tuple[int, ...]:
        """Return the shape of the jets with both states."""
        return (*jets_shape[:-1], 2 * self.width)

    def call(self, jets: Tensor, jet_mask: Tensor) -> Tensor:
        """Return (n, 2, J, 2 width), the states after each jet along and back."""
        slots = jets.shape[2]
        steps = [ops.reshape(jets[:, :, slot], (-1, jets.shape[-1])) for slot in range(slots)]
        twice = ops.reshape(ops.stack([jet_mask, jet_mask], axis=1), (-1, slots))
        along, back = self.cells
        states = [
            *_states(along, steps, [twice[:, slot, None] for slot in range(slots)]),
            *_states(back, steps[::-1], [twice[:, slot, None] for slot in reversed(range(slots))]),
        ]
        both = [
            ops.concatenate([states[slot], states[2 * slots - 1 - slot]], axis=-1)
            for slot in range(slots)
        ]
        return ops.reshape(ops.stack(both, axis=1), (-1, 2, slots, 2 * self.width))


def _states(cell: keras.Layer, steps: list[Tensor], present: list[Tensor]) -> list[Tensor]:
    """Return the state after each step; where there is no jet it stays."""
    state = ops.zeros_like(steps[0][:, :1]) + ops.zeros((1, cell.units))
    states = []
    for step, there in zip(steps, present, strict=True):
        said, _ = cell(step, [state])
        state = ops.where(there, said, state)
        states.append(state)
    return states
