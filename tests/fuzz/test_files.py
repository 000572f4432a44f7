"""Tables, ntuples and ONNX files of which some bytes are wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from hypothesis import strategies as st

from four_lepton_ntuples import flat_table, read_mini, write_csv
from mutations import EXAMPLES, changed_bytes, changed_data, changed_text, search
from ntuples import read_branches, write_ntuple
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.exported import FoldedModel
from rootflow.exported.contract import KEY
from rootflow.ntuple import load_branch_map, read_chunks
from sealed_files import sealed_file, some_contract, some_proto

DATA = Path(__file__).parents[2] / "data"
TTBAR = DATA / "ttbar" / "ttbar_s42_000.root"
ZZ = DATA / "h4l" / "ZZ_s42_000.root"


@EXAMPLES
def test_tables(tmp_path: Path, examples: int) -> None:
    path = write_csv(tmp_path / "table.csv", flat_table(read_mini(ZZ, 20)))
    branch_map = load_branch_map("flat_four_leptons")
    text, content = path.read_text(), path.read_bytes()

    def use(case: str | bytes) -> None:
        path.write_bytes(case if isinstance(case, bytes) else case.encode(errors="surrogatepass"))
        for chunk in read_chunks(path, branch_map, 4096):
            assert np.isfinite([*chunk.objects["leptons"].columns.values()]).all()
            assert np.isfinite(chunk.weight).all()

    search(examples, st.one_of(changed_text(text), changed_bytes(content)), use)


@EXAMPLES
def test_ntuples(tmp_path: Path, examples: int) -> None:
    path = write_ntuple(tmp_path / "in.root", read_branches(TTBAR, 20))
    reader = EventReader(Dilepton(max_jets=4), "topcptoolkit", collisions=False)

    def use(content: bytes) -> None:
        path.write_bytes(content)
        for _, selected in reader.chunks(path):
            for array in selected.arrays.values():
                assert array.dtype.kind != "f" or np.isfinite(array).all()

    search(examples, changed_bytes(path.read_bytes()), use)


@EXAMPLES
def test_exported_files(tmp_path: Path, examples: int) -> None:
    whole = sealed_file(tmp_path / "whole.onnx").read_bytes()
    plain = some_proto().SerializeToString()
    contract = json.loads(some_contract().model_dump_json())
    path = tmp_path / "changed.onnx"

    def use(case: tuple[str, Any]) -> None:
        kind, content = case
        if kind == "bytes":  # the checksum is wrong, too
            path.write_bytes(content)
        elif kind == "graph":
            try:
                proto = onnx.load_from_string(content)
            except Exception:  # no ONNX at all: that is the case above
                return
            sealed_file(path, proto)
        else:
            sealed_file(path, contract=json.dumps(content))
        model = FoldedModel(path)
        for events in (0, 2):
            numbers = np.arange(events) * model.folding.count + model.held_out[0]
            inputs = {
                tensor.name: np.zeros((events, *tensor.shape[1:]), tensor.type)
                for tensor in model.contract.inputs
            }
            model.predict(inputs, numbers, allow_seen_events=True)

    cases = st.one_of(
        st.tuples(st.just("bytes"), changed_bytes(whole)),
        st.tuples(st.just("graph"), changed_bytes(plain)),
        st.tuples(st.just(KEY), changed_data(contract)),
    )
    search(examples, cases, use)
