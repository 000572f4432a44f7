"""Headers of several schemes in one program, which choose the fold as Python does."""

import subprocess
from pathlib import Path

import numpy as np

from changed_file import with_contract
from compiler import compiled
from rootflow.config import FoldsConfig
from rootflow.cplusplus.write import write_cplusplus
from rootflow.dataset.folds import fold_of
from rootflow.export.writing import Export

SCHEMES = {
    "hash": FoldsConfig(),
    "many": FoldsConfig(count=255),
    "modulo": FoldsConfig(count=7, scheme="modulo"),
    "parity": FoldsConfig(count=2, scheme="parity"),
}


def test_folds_are_those_of_python_by_every_scheme(exported: Export, tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.onnx" for name in SCHEMES}
    for name, folds in SCHEMES.items():
        with_contract(exported.named_path, files[name], {"folds": folds, "model": name})
    write_cplusplus([*files.values()], tmp_path / "cplusplus")
    headers = "".join(f'#include "ttbar_{name}.hpp"\n' for name in SCHEMES)
    columns = "".join(f" << ttbar_{name}::Network::fold_of(number) << ' '" for name in SCHEMES)
    source = tmp_path / "cplusplus" / "folds.cpp"
    source.write_text(
        f"{headers}#include <iostream>\nint main() {{\n"
        f"  for (std::uint64_t number; std::cin >> number;) std::cout{columns} << '\\n';\n}}\n"
    )
    random = np.random.default_rng(3)
    numbers = np.concatenate(
        [
            np.arange(1000, dtype=np.uint64),
            random.integers(0, 2**64, 5000, dtype=np.uint64),
            np.uint64(2**64 - 1) - np.arange(100, dtype=np.uint64),
            np.uint64(2**63) + np.arange(100, dtype=np.uint64),
        ]
    )
    answer = subprocess.run(
        [str(compiled(source))],
        input="\n".join(map(str, numbers)),
        capture_output=True,
        text=True,
        check=True,
    )
    found = np.array([line.split() for line in answer.stdout.splitlines()], np.int64)
    wanted = np.stack([fold_of(numbers, folds) for folds in SCHEMES.values()], axis=1)
    np.testing.assert_array_equal(found, wanted)
