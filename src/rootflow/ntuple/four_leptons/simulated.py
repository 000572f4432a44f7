"""Telling simulation that is given as collisions by its weights."""

from pathlib import Path

import awkward as ak
import numpy as np

from rootflow.ntuple.four_leptons.branch_map import FourLeptonMap
from rootflow.ntuple.four_leptons.reading import read_arrays

# What stands in weights, cross sections and sums of weights of collisions.
OF_COLLISIONS = (0.0, 1.0)


def first_of_simulation(path: Path, branch_map: FourLeptonMap) -> tuple[str, float] | None:
    """Return a branch of weights and a value that no collisions have there, None of none.

    Looked at are the weights, the cross section and the sum of weights that the map names, as
    far as the file has them. Collisions have zeros, ones or no numbers there.

    Raises
    ------
    InputError
        The file is missing or broken.
    """
    named = [*branch_map.weights, branch_map.expected_events]
    named += [branch_map.cross_section_pb, branch_map.sum_of_weights]
    branches = list(dict.fromkeys(column.branch for column in named if column is not None))
    for arrays in read_arrays(path, branch_map, branches, may_lack=branches):
        for name, array in arrays.items():
            values = ak.to_numpy(ak.flatten(array, axis=None)).astype(np.float64)
            of_simulation = np.isfinite(values) & ~np.isin(values, OF_COLLISIONS)
            if of_simulation.any():
                return name, float(values[np.argmax(of_simulation)])
    return None
