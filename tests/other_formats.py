"""The same events in each format that is read, as small files that tests write."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import uproot
import vector
import yaml
from numpy.typing import NDArray
from pyarrow import parquet

from nano_events import write_nanoaod
from ntuples import Branches, write_ntuple

# Of clusters, row groups and chunks: the last one is not full.
EVENTS_IN_GROUP = 7_000
# The numbers of b and bbar in the layout of PIPPIN.
PARTONS = (0, 3)


def write_rntuple(path: Path, branches: Branches) -> Path:
    """Write branches to the RNTuple `reco` of a new ROOT file, and return its path."""
    count = len(next(iter(branches.values())))
    groups = [
        {name: array[start : start + EVENTS_IN_GROUP] for name, array in branches.items()}
        for start in range(0, count, EVENTS_IN_GROUP)
    ]
    with uproot.recreate(path) as file:
        written = file.mkrntuple("reco", groups[0])
        for group in groups[1:]:
            written.extend(group)
    return path


def write_parquet(path: Path, branches: Branches, rows_in_group: int = EVENTS_IN_GROUP) -> Path:
    """Write branches to a new Parquet file, and return its path."""
    columns = {
        name: ak.to_arrow(array, extensionarray=False, list_to32=True)
        for name, array in branches.items()
    }
    parquet.write_table(pa.table(columns), path, row_group_size=rows_in_group)
    return path


def write_delphes(path: Path, branches: Branches) -> Path:
    """Write what the layout of nu2-Flows and PIPPIN keeps of the events, and two more datasets.

    These are the event number and the weight. Energies are in GeV, as float32: the same numbers as
    those that are read of MeV.
    """
    jets = _padded(
        pt=_gev(branches["jet_pt_NOSYS"]),
        eta=branches["jet_eta"],
        phi=branches["jet_phi"],
        energy=_gev(branches["jet_e_NOSYS"]),
        is_tagged=branches["jet_GN2v01_Continuous_quantile"],
    )
    leptons = _padded(
        pt=_gev(_leptons(branches, "pt_NOSYS")),
        eta=_leptons(branches, "eta"),
        phi=_leptons(branches, "phi"),
        energy=_gev(_leptons(branches, "e_NOSYS")),
        charge=ak.values_astype(_leptons(branches, "charge"), np.int16),
        type=ak.values_astype(abs(_pdg_ids(branches)) == 13, np.int16),
    )
    met = np.empty(len(jets), [("MET", "f4"), ("phi", "f4")])
    met["MET"] = _gev(branches["met_met_NOSYS"])
    met["phi"] = branches["met_phi_NOSYS"]
    indices = np.full(jets.shape, -1, np.int16)
    for parton, place in enumerate(_jet_places(branches).T):
        there = np.flatnonzero(place >= 0)
        indices[there, place[there]] = PARTONS[parton]
    neutrinos, charged = (_decay_products(branches, kinds) for kinds in ((12, 14, 16), (11, 13)))
    with h5py.File(path, "w") as file:
        group = file.create_group("delphes")
        for name, rows in {
            "jets": jets,
            "leptons": leptons,
            "MET": met,
            "jets_indices": indices,
            "truth_neutrinos": neutrinos,
            "truth_leptons": charged,
            "eventNumber": np.asarray(branches["eventNumber"]),
            "weight": np.asarray(branches["weight_mc_NOSYS"]),
        }.items():
            chunks = (min(EVENTS_IN_GROUP, len(rows)), *rows.shape[1:])
            group.create_dataset(name, data=rows, chunks=chunks, compression="gzip", shuffle=True)
    return path


def write_spanet(path: Path, branches: Branches) -> Path:
    """Write what SPANet's layout keeps of the events, and what tells them apart and weighs them.

    Padding has values that are no zeros, and only the masks tell it.
    """
    jets = _padded(
        MASK=ak.ones_like(branches["jet_eta"], dtype=bool),
        pt=_gev(branches["jet_pt_NOSYS"]),
        eta=branches["jet_eta"],
        phi=branches["jet_phi"],
        energy=_gev(branches["jet_e_NOSYS"]),
        btag=branches["jet_GN2v01_Continuous_quantile"],
    )
    leptons = _padded(
        MASK=ak.ones_like(_leptons(branches, "eta"), dtype=bool),
        pt=_gev(_leptons(branches, "pt_NOSYS")),
        eta=_leptons(branches, "eta"),
        phi=_leptons(branches, "phi"),
        energy=_gev(_leptons(branches, "e_NOSYS")),
        pdg_id=_pdg_ids(branches),
    )
    b, bbar = _jet_places(branches).T
    inputs: dict[str, NDArray[Any]] = {
        "INPUTS/Met/met": _gev(branches["met_met_NOSYS"]),
        "INPUTS/Met/phi": np.asarray(branches["met_phi_NOSYS"]),
        "TARGETS/t/b": b,
        "TARGETS/tbar/b": bbar,
        "eventNumber": np.asarray(branches["eventNumber"]),
        "WEIGHTS/nominal": np.asarray(branches["weight_mc_NOSYS"]),
    }
    for name, objects in (("Jets", jets), ("Leptons", leptons)):
        for feature in objects.dtype.names:
            values = objects[feature].copy()
            values[~objects["MASK"]] = 0 if feature == "MASK" else 99
            inputs[f"INPUTS/{name}/{feature}"] = values
    neutrinos = _decay_products(branches, (12, 14, 16))
    for place, name in enumerate(("neutrino", "antineutrino")):
        vectors = vector.array({key: neutrinos[key][:, place] for key in ("pt", "eta", "phi")})
        for component in ("px", "py", "pz"):
            inputs[f"REGRESSIONS/EVENT/{name}_{component}"] = getattr(vectors, component)
    with h5py.File(path, "w") as file:
        for name, values in inputs.items():
            file[name] = values
    return path


def _gev(mev: Any) -> Any:
    return mev / np.float32(1000)


def _padded(**features: Any) -> NDArray[np.void]:
    """Return lists as one structured array, with zeros where there is no object."""
    lengths = ak.to_numpy(ak.num(next(iter(features.values()))))
    there = np.arange(max(lengths)) < lengths[:, np.newaxis]
    types = [(name, ak.to_numpy(ak.flatten(array)).dtype) for name, array in features.items()]
    padded = np.zeros(there.shape, types)
    for name, array in features.items():
        padded[name][there] = ak.to_numpy(ak.flatten(array))
    return padded


def _leptons(branches: Branches, quantity: str) -> Any:
    return ak.concatenate([branches[f"{kind}_{quantity}"] for kind in ("el", "mu")], axis=1)


def _pdg_ids(branches: Branches) -> Any:
    kinds = {"el": 11, "mu": 13}
    signed = [
        ak.values_astype(-code * branches[f"{kind}_charge"], np.int32)
        for kind, code in kinds.items()
    ]
    return ak.concatenate(signed, axis=1)


def _jet_places(branches: Branches) -> NDArray[np.int32]:
    return ak.to_numpy(branches["event_jet_truth_idx"])[:, [0, 3]]


def _decay_products(branches: Branches, kinds: tuple[int, ...]) -> NDArray[np.void]:
    """Return (n, 2) one product of the W of the t and of the tbar; zeros where none is so."""
    count = len(branches["eventNumber"])
    found = np.zeros((count, 2), [("PDGID", "i4"), *((key, "f4") for key in ("pt", "eta", "phi"))])
    for place, top in enumerate(("t", "tbar")):
        for product in (1, 2):
            prefix = f"Ttbar_MC_Wdecay{product}_afterFSR_from_{top}_"
            chosen = np.isin(abs(np.asarray(branches[f"{prefix}pdgId"])), kinds)
            row = found[chosen, place]
            row["PDGID"] = branches[f"{prefix}pdgId"][chosen]
            row["pt"] = _gev(branches[f"{prefix}pt"])[chosen]
            row["eta"], row["phi"] = (branches[prefix + key][chosen] for key in ("eta", "phi"))
            found[chosen, place] = row
    return found


class Format(NamedTuple):
    """How events of `read_branches` are written: to which suffix, and the map that reads them."""

    write: Callable[[Path, Branches], Path]
    suffix: str
    base: str = "topcptoolkit"
    more: Mapping[str, Any] = {}

    def branch_map(self, folder: Path) -> str:
        """Return the map of these files, which is written into a folder where it is none alone."""
        if not self.more:
            return self.base
        path = folder / f"{self.base}.yaml"
        path.write_text(yaml.safe_dump({"base": self.base, **self.more}))
        return str(path)


FORMATS = {
    "TTree": Format(write_ntuple, ".root"),
    "RNTuple": Format(write_rntuple, ".root"),
    "Parquet": Format(write_parquet, ".parquet"),
    "Delphes": Format(
        write_delphes,
        ".h5",
        "delphes_pippin",
        {"event_number": "eventNumber", "weights": ["weight"]},
    ),
    "NanoAOD": Format(write_nanoaod, ".root", "nanoaod_v9"),
    "SPANet": Format(
        write_spanet,
        ".h5",
        "spanet_dilepton",
        {"event_number": "eventNumber", "weights": ["WEIGHTS/nominal"]},
    ),
}
