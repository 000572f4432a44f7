"""Collisions are looked at beside what is expected, and nothing is measured with them."""

from pathlib import Path

import matplotlib.image
import numpy as np

from rootflow.config import EvaluationConfig
from rootflow.dataset import Events
from rootflow.evaluation import draw_evaluation
from rootflow.evaluation.reconstruction import Collisions, assess, read, write_evaluation
from rootflow.methods.contract import Reconstruction
from rootflow.methods.make import make_method
from toy_classes import SAMPLES
from toy_events import toy_events

CONFIG = EvaluationConfig(
    replicas=5, bins={"jets": [1.5, 2.5, 6.5]}, drawn=["mtt", "top_pt"], displays=0, unfold=[]
)


class Hardest:
    """The two hardest jets, and neutrinos of always the same momentum."""

    name = "network"

    def answer(self, events: Events) -> Reconstruction:
        solved = np.ones(len(events), bool)
        assignment = np.tile(np.array([0, 1], np.int32), (len(events), 1))
        neutrinos = np.full((len(events), 2, 3), 30.0, np.float32)
        return Reconstruction(assignment, neutrinos, solved.astype(np.float32), solved)


def test_data_stand_over_the_samples_and_enter_no_metric(tmp_path: Path) -> None:
    simulated, data = toy_events(400), toy_events(60, seed=5)
    place = {sample.label: number for number, sample in enumerate(SAMPLES)}
    sample = np.where(np.arange(400) < 300, place["signal"], place["background"])
    simulated = simulated.replace(sample=sample.astype(np.int16))
    observed = data.replace(assignment=None, neutrinos=None, tops=None, true_leptons=None)
    methods = [Hardest(), make_method("m_lb", 1)]
    alone = assess(simulated, methods, CONFIG, 1).evaluation
    found = assess(simulated, methods, CONFIG, 1, Collisions(observed, SAMPLES))
    assert found.evaluation.metrics() == alone.metrics()
    network, classic = found.evaluation.methods
    assert classic.spectra == {}
    spectrum = network.spectra["mtt"]
    counted = found.candidates[0].values["mtt"]
    low, high = spectrum.edges[0], spectrum.edges[-1]
    inside = (counted >= low) & (counted <= high)
    for number, each in enumerate(SAMPLES):
        if each.label != "data":
            expected = np.sum(simulated.weight[inside & (sample == number)])
            assert np.sum(spectrum.processes[each.name].weights) == expected
    assert spectrum.data is not None
    assert 0 < sum(spectrum.data.counts) <= 60
    events = {each.kind: each.events for each in found.evaluation.processes if each.events}
    assert events == {"signal": 300, "background": 100, "data": 60}

    write_evaluation(found, [], ["0"], {"run": "1"}, tmp_path)
    assert read(tmp_path / "evaluation.json") == found.evaluation
    figures = {path.name: path for path in draw_evaluation(tmp_path, "neutral")}
    for name in CONFIG.drawn:
        path = figures[f"collisions_{name}_network.png"]
        assert matplotlib.image.imread(path)[..., :3].std() > 0.05
