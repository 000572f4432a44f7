"""The rooms import one way, and heavy libraries stay in the rooms that need them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "rootflow"

# Each room may import those before it.
ORDER = [
    ["cores", "errors", "estimate", "files", "progress", "secrets", "workers"],
    ["analysis", "checksum", "places", "table"],
    ["config"],
    ["sources"],
    ["plugins"],
    ["physics"],
    ["formats"],
    ["ntuple", "simulation"],
    ["dataset"],
    ["models"],
    ["training"],
    ["exported"],
    ["methods"],
    ["evaluation", "export", "cplusplus", "batch", "inference"],
    ["following"],
    ["tracking"],
    ["tuning"],
    ["steps", "testing"],
    ["analyses"],
    ["commands"],
    ["cli"],
    ["__main__"],
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

ONLY_IN = {
    "mlflow": {"tracking"},
    "tf2onnx": {"export"},
    "onnx": {"export", "exported"},
    "htchirp": {"batch"},
    "htcondor2": {"batch"},
    "classad2": {"batch"},
    "uproot": {"formats", "simulation"},
    "pythia8mc": {"simulation"},
    "fastjet": {"simulation"},
    "tensorflow": {"models", "training", "export"},
    "sklearn": {"training", "export"},
    "skops": {"training"},
    "pyhf": {"evaluation"},
    "fsspec": {"places"},
    "aiohttp": {"places"},
    "XRootD": {"places"},
    "pickle": set(),
}


def _imports() -> Iterator[tuple[Path, str, str]]:
    """Yield file, room and imported module of every import below the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                yield relative, room, node.module
            elif isinstance(node, ast.Import):
                for name in node.names:
                    yield relative, room, name.name


def test_rooms_import_one_way() -> None:
    wrong = []
    for path, room, module in _imports():
        parts = module.split(".")
        if parts[0] == "rootflow" and len(parts) > 1 and room != "__init__":
            other = parts[1]
            if other != room and LEVEL[other] >= LEVEL[room]:
                wrong.append(f"{path} imports {module}")
    assert wrong == []


def test_libraries_stay_in_their_rooms() -> None:
    wrong = [
        f"{path} imports {module}"
        for path, room, module in _imports()
        if room not in ONLY_IN.get(module.split(".")[0], {room})
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    [
        "rootflow.cli",
        "rootflow.cplusplus.write",
        "rootflow.dataset",
        "rootflow.following.follower",
        "rootflow.ntuple",
        "rootflow.inference.files",
    ],
)
def test_tensorflow_and_mlflow_stay_out_of_what_must_start_quickly(module: str) -> None:
    code = f"import sys, {module}; print({{'tensorflow', 'keras', 'mlflow'}} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "step", ["apply", "compare", "evaluate", "main", "preprocess", "registry.promote", "train"]
)
def test_networks_are_loaded_once_a_step_needs_one(step: str) -> None:
    code = f"import sys, rootflow.steps.{step}; print({{'keras', 'skops'}} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"
