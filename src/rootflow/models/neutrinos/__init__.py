"""How a network gives the neutrinos: one head for each block of the configuration."""

import keras

from rootflow.config.model import BinnedNeutrinosConfig, DirectNeutrinosConfig, NeutrinosConfig
from rootflow.models.kinematics import Tensor
from rootflow.models.neutrinos.coordinates import SEEN, Seen
from rootflow.models.neutrinos.heads import BinnedNeutrinos, DirectNeutrinos, FlowNeutrinos
from rootflow.models.neutrinos.point import MeanOfSamples, MedianMassOfSamples
from rootflow.models.normalisation import Scales

# Of the layer that knows the neutrinos of a network, whatever its architecture.
HEAD = "neutrino_head"
OUTPUT = "neutrinos"
Head = DirectNeutrinos | BinnedNeutrinos | FlowNeutrinos


def neutrinos_of(config: NeutrinosConfig, seen: Seen, assignment: Tensor, scales: Scales) -> Tensor:
    """Return the momenta (n, 2, 3) of both neutrinos in GeV, as the head of the settings does.

    `assignment` (n, J, J) are the probabilities that the network gives the pairs of jets; the
    scales are as of `Normalisation`.
    """
    if isinstance(config, DirectNeutrinosConfig):
        said = DirectNeutrinos(scales, name=HEAD)(seen)
    elif isinstance(config, BinnedNeutrinosConfig):
        said = BinnedNeutrinos(scales, config.bins, name=HEAD)(seen)
    else:
        sizes = config.layers, config.width, config.bins, config.dropout, config.samples
        samples = FlowNeutrinos(scales, *sizes, name=HEAD)(seen)
        if config.point == "mean":
            return MeanOfSamples(name=OUTPUT)(samples)
        momenta = seen["jets"], seen["leptons"]
        return MedianMassOfSamples(name=OUTPUT)(samples, assignment, *momenta)
    return keras.layers.Identity(name=OUTPUT)(said)


def known_neutrinos(network: keras.Model) -> tuple[Head, dict[str, Tensor]]:
    """Return the layer of a network that knows the neutrinos, and what it sees, symbolically."""
    head = network.get_layer(HEAD)
    # Keras keeps the tensors of a dict in the order of its names.
    return head, dict(zip(sorted(SEEN), head.input, strict=True))
