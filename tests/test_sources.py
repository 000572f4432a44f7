"""What code an answer is named by."""

import ast
from pathlib import Path
from typing import Any

import pytest

from changed_sources import PACKAGE, changed, rewrite
from rootflow.simulation import plan
from rootflow.sources import code_digest

Decided = set[tuple[str, str]]
EVERY = [
    *((process, "simulation") for process in ("ttbar", "z_jets", "ZZ")),
    *(("ttbar", answer) for answer in ("dataset", "network", "application")),
    *(("h4l", answer) for answer in ("dataset", "network", "trees", "application")),
]
DATASETS: Decided = {("ttbar", "dataset"), ("h4l", "dataset")}
MODELS: Decided = {("ttbar", "network"), ("h4l", "network"), ("h4l", "trees")}
APPLICATIONS: Decided = {("ttbar", "application"), ("h4l", "application")}


def _differing(package: Path) -> Decided:
    return {each for each in EVERY if _digest(*each, package) != _digest(*each, PACKAGE)}


def _digest(name: str, answer: Any, package: Path) -> str:
    if answer == "simulation":
        return plan.code_digest(name, package)
    return code_digest(name, answer, package)


@pytest.mark.parametrize(
    ("file", "before", "after", "decides"),
    [
        (
            "physics/four_leptons.py",
            "Z_MASS_GEV = 91",
            "Z_MASS_GEV = 90",
            {("h4l", "dataset"), ("h4l", "application")},
        ),
        (
            "ntuple/truth.py",
            "SMALLEST_TOP_ENERGY_GEV = ",
            "SMALLEST_TOP_ENERGY_GEV = 2 * ",
            DATASETS | APPLICATIONS,
        ),
        (
            "dataset/readings/dilepton.py",
            "n_leptons >= 2",
            "n_leptons > 2",
            {("ttbar", "dataset"), ("ttbar", "application")},
        ),
        ("ntuple/columns.py", "ENERGY_UNITS = ", "ENERGY_UNITS = 2 * ", DATASETS | APPLICATIONS),
        ("ntuple/objects.py", "def singular(", "def used_by_none(): ...\n\n\ndef singular(", set()),
        ("dataset/weights.py", "/ total,", "/ 2 / total,", DATASETS),
        ("dataset/folds.py", "def mix(", "def mix(a, ", DATASETS | MODELS | APPLICATIONS),
        ("dataset/writing.py", "def _scale_weights(", "def _scale_weights(a, ", DATASETS),
        ("models/neutrinos/heads.py", "COMPONENTS = ", "COMPONENTS = 1 + ", {("ttbar", "network")}),
        ("models/classifiers.py", "LARGEST_LOGIT = ", "LARGEST_LOGIT = 2 * ", {("h4l", "network")}),
        ("config/training.py", 'get(head, "huber")', 'get(head, "mse")', {("ttbar", "network")}),
        ("training/boosting.py", "THREADS = 1", "THREADS = 2", {("h4l", "trees")}),
        ("training/samples.py", "SALT = ", "SALT = 1 + ", MODELS),
        ("physics/ttbar.py", "def top_pair(", "def top_pair(a, ", {("ttbar", "application")}),
        ("formats/branches.py", 'NUMBERS = "biuf', 'NUMBERS = "iuf', APPLICATIONS),
        (
            "simulation/leptons.py",
            "def measure_impact_parameters(",
            "def measure_impact_parameters(a, ",
            {("ZZ", "simulation")},
        ),
        (
            "simulation/dilepton.py",
            "def match_jets(",
            "def match_jets(a, ",
            {("ttbar", "simulation"), ("z_jets", "simulation")},
        ),
        ("simulation/processes.py", "mHatMin = ", "mHatMax = ", {("z_jets", "simulation")}),
        # What decides no number.
        ("errors.py", "exit_status = 2", "exit_status = 3", set()),
        ("__init__.py", '__version__ = "', '__version__ = "9.', set()),
        ("evaluation/bootstrap.py", "import numpy as np", "import numpy", set()),
        ("tracking/run.py", "def _milliseconds(", "def _milliseconds(a, ", set()),
    ],
)
def test_a_changed_line_changes_what_it_decides_and_nothing_else(
    file: str, before: str, after: str, decides: Decided, tmp_path: Path
) -> None:
    assert _differing(changed(tmp_path, (file, before, after))) == decides


def test_words_and_layout_decide_nothing(tmp_path: Path) -> None:
    package = changed(tmp_path)
    for path in package.rglob("*.py"):
        rewrite(path, lambda text: _reworded(text) + "\n\n# The end.\n")
    assert _differing(package) == set()


def _reworded(text: str) -> str:
    """Return a source with other docstrings, and as `ast` lays it out."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant("Other words.")
    return ast.unparse(tree)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("    from rootflow.dataset.arrays import helper\n    return helper()", True),
        ("    from rootflow.dataset import helper\n    return helper()", True),
        ("    from rootflow.dataset import arrays\n    return arrays.helper()", True),
        ("    return 1", False),
    ],
)
def test_a_name_is_followed_to_where_it_is_defined(text: str, counts: bool, tmp_path: Path) -> None:
    digests = []
    for number in (1, 2):
        package = changed(
            tmp_path / str(number),
            ("dataset/__init__.py", "from rootflow.dataset.build", REEXPORTED),
            (
                "dataset/arrays.py",
                'SUFFIX = "',
                f"def helper():\n    return {number}\n\n" + 'SUFFIX = "',
            ),
            ("dataset/folds.py", "def mix(", f"def used():\n{text}\n\n\ndef mix(a=used(), *b, "),
        )
        digests.append(code_digest("ttbar", "dataset", package))
    assert (digests[0] != digests[1]) is counts


REEXPORTED = "from rootflow.dataset.arrays import helper\nfrom rootflow.dataset.build"


def test_what_is_imported_for_types_alone_is_not_followed(tmp_path: Path) -> None:
    body = (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
        "    from rootflow.physics.four_leptons import ZPairing\n\n\ndef mix(a: 'ZPairing', "
    )
    digests = [
        code_digest(
            "ttbar",
            "dataset",
            changed(
                tmp_path / str(number),
                ("dataset/folds.py", "def mix(", body),
                ("physics/four_leptons.py", "class ZPairing(", f"class ZPairing({number} *"),
            ),
        )
        for number in (1, 2)
    ]
    assert digests[0] == digests[1]


def test_what_a_module_does_on_import_counts(tmp_path: Path) -> None:
    added = ("dataset/folds.py", "def mix(", "print('once')\n\n\ndef mix(")
    assert _differing(changed(tmp_path, added)) >= DATASETS


def test_no_code_is_found_at_run_time_alone() -> None:
    """Names are followed: not stars, dots, strings, nor the settings' own arithmetic."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*"):
                wrong.append(f"{name}: relative import, or *")
            if isinstance(node, ast.Import) and any(
                alias.name.startswith("rootflow") for alias in node.names
            ):
                wrong.append(f"{name}: import rootflow.")
            if isinstance(node, ast.Attribute) and node.attr == "import_module":
                wrong.append(f"{name}: import_module")
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("globals", "vars"):
                wrong.append(f"{name}: {ast.unparse(node)}")
    assert wrong == [
        "batch/job.py: import_module",
        "cli.py: import_module",
        "plugins.py: import_module",  # whose source is named by itself
    ]
