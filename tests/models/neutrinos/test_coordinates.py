import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.models.neutrinos.coordinates import Momenta, frame_of, to_coordinates, to_momenta
from rootflow.models.views import LeptonViews
from symmetries import exchange_charges, momenta_after, reflect_y, reflect_z, turn

SCALES = (60.0, 60.0, 120.0)


def seen_of(events: Events) -> dict[str, np.ndarray]:
    axes = LeptonViews(events.features)(**events.inputs())["axes"]
    inputs = {name: array for name, array in events.inputs().items() if name != "event"}
    return {"axes": axes, **Momenta(events.features)(**inputs)}


def test_momenta_come_back_from_their_coordinates(few_events: Events) -> None:
    frame = frame_of(seen_of(few_events), SCALES)
    momenta = few_events.neutrinos[:, None]
    coordinates, _ = to_coordinates(momenta, frame)
    np.testing.assert_allclose(to_momenta(coordinates, frame), momenta, rtol=1e-4, atol=2e-2)


def test_the_first_two_are_what_the_sum_has_beyond_met(few_events: Events) -> None:
    coordinates, _ = to_coordinates(
        few_events.neutrinos[:, None], frame_of(seen_of(few_events), SCALES)
    )
    pt, phi = few_events.met.T
    met = np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=1)
    beyond = few_events.neutrinos.sum(axis=1)[:, :2] - met
    found = 30 * np.sinh(np.asarray(coordinates)[:, 0, :2])
    np.testing.assert_allclose(
        np.linalg.norm(found, axis=1), np.linalg.norm(beyond, axis=1), rtol=1e-3, atol=1e-2
    )


def test_the_volume_changes_as_the_determinant_says(few_events: Events) -> None:
    few = few_events.take(slice(0, 20))
    frame = frame_of(seen_of(few), SCALES)
    momenta = few.neutrinos[:, None].astype(np.float64)
    _, log_density = to_coordinates(few.neutrinos[:, None], frame)
    step = 0.5
    columns = []
    for place in range(6):
        shift = step * np.eye(6)[place].reshape(2, 3)
        ends = [to_coordinates((momenta + s).astype(np.float32), frame)[0] for s in (shift, -shift)]
        columns.append((np.asarray(ends[0]) - np.asarray(ends[1]))[:, 0] / (2 * step))
    determinant = np.linalg.det(np.stack(columns, axis=-1))
    np.testing.assert_allclose(np.log(np.abs(determinant)), log_density[:, 0], atol=5e-3)


@pytest.mark.parametrize("change", [turn, reflect_y, reflect_z, exchange_charges])
def test_no_symmetry_changes_the_coordinates(few_events: Events, change: object) -> None:
    after = few_events.neutrinos[:, ::-1] if change is exchange_charges else few_events.neutrinos
    after = momenta_after(change, after).astype(np.float32)
    said, _ = to_coordinates(few_events.neutrinos[:, None], frame_of(seen_of(few_events), SCALES))
    again, _ = to_coordinates(after[:, None], frame_of(seen_of(change(few_events)), SCALES))
    np.testing.assert_allclose(again, said, atol=2e-3)
