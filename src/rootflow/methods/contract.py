"""What every method promises that answers events, and what its answers are."""

from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events

Floats = NDArray[np.float32]

# What models say before anything is decided: arrays (n, ...) by the name of the output. Those of
# reconstruction are `assignment` (n, J, J), the joint probability that slot i is the jet of b and
# slot j that of bbar, `neutrinos` (n, 2, 3) in GeV and, of some, `confidence` (n,); those of
# classification are `score` (n, 1), or `probabilities` (n, classes).
Outputs = dict[str, NDArray[Any]]

# (n,) the probability of signal, or (n, classes) that of each class; float64, from 0 to 1.
Scores = NDArray[np.float64]


class Reconstruction(NamedTuple):
    """What a method of reconstruction says of n events.

    Attributes
    ----------
    assignment
        (n, 2) int32, slots of the jets given to b and bbar: two different jets that
        exist, or -1, -1 where the method has no answer.
    neutrinos
        (n, 2, 3) float32, px, py, pz of neutrino and antineutrino in GeV; NaN where the
        method has no answer, None where it never has one.
    scores
        (n,) float32, the method's own confidence in its assignment, larger is better;
        NaN where it has no answer.
    solved
        (n,) bool, True where it has an answer.
    """

    assignment: NDArray[np.int32]
    neutrinos: NDArray[np.float32] | None
    scores: NDArray[np.float32]
    solved: NDArray[np.bool_]

    @classmethod
    def where(
        cls, solved: NDArray[np.bool_], assignment: Any, neutrinos: Any | None, scores: Any
    ) -> "Reconstruction":
        """Return what is said of the events that are solved, and no answer of the others."""
        of_two, of_momenta = solved[:, np.newaxis], solved[:, np.newaxis, np.newaxis]
        return cls(
            assignment=np.where(of_two, assignment, -1).astype(np.int32),
            neutrinos=None
            if neutrinos is None
            else np.where(of_momenta, neutrinos, np.nan).astype(np.float32),
            scores=np.where(solved, scores, np.nan).astype(np.float32),
            solved=solved,
        )

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Reconstruction":
        """Return what was said of the events at `index`."""
        return Reconstruction(*(None if said is None else said[index] for said in self))  # type: ignore[arg-type]


class Posterior(NamedTuple):
    """Samples of the neutrinos' momenta in n events.

    `neutrinos` (n, samples, 2, 3) are px, py, pz of neutrino and antineutrino in GeV, and
    `log_density` (n, samples) is the logarithm of the density at each, per GeV to the sixth.
    """

    neutrinos: Floats
    log_density: Floats

    def mean(self) -> Floats:
        """Return the mean momenta (n, 2, 3) in GeV."""
        mean: Floats = np.mean(self.neutrinos, axis=1)
        return mean

    def mode(self) -> Floats:
        """Return the samples of highest density, (n, 2, 3) in GeV."""
        best = np.argmax(self.log_density, axis=1)
        mode: Floats = self.neutrinos[np.arange(len(best)), best]
        return mode


Answer = TypeVar("Answer", covariant=True)


class Method(Protocol[Answer]):
    """Whatever answers events: a network, trees, an exported file, a formula, the truth.

    Classic methods say what they do, in one sentence, as their `description`.
    """

    @property
    def name(self) -> str:
        """The name under which its metrics are logged."""

    def answer(self, events: Events) -> Answer:
        """Return a `Reconstruction`, or `Scores`, each event by itself.

        Neither order nor company of the events may matter, nor what is not known of
        collisions: weight, label and sample.

        Raises
        ------
        InputError
            The events are not such as it can answer, or it was trained on some of them.
        """


Reconstructor = Method[Reconstruction]
Classifier = Method[Scores]
