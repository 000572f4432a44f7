"""What docs/cplusplus.md says."""

import re
import subprocess
from pathlib import Path

import numpy as np
import yaml

from changed_file import with_contract
from compiler import PROJECT, compiled
from events_text import run, said
from rootflow.config import FoldsConfig
from rootflow.cplusplus.write import write_cplusplus
from rootflow.dataset.folds import fold_of
from rootflow.export.writing import Export

PAGE = (PROJECT / "docs" / "cplusplus.md").read_text()
FILE = "ttbar_transformer_applied_to_fold0of5.onnx"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_page_has_a_whole_program(exported: Export, tmp_path: Path) -> None:
    with_contract(exported.named_path, tmp_path / FILE, {"model": "transformer"})
    directory = tmp_path / "cplusplus"
    write_cplusplus([tmp_path / FILE], directory)
    (directory / "whole.cpp").write_text(block("cpp"))
    answer = subprocess.run(
        [str(compiled(directory / "whole.cpp"))], cwd=tmp_path, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    found = re.fullmatch(
        r"b: jet ([012]), bbar: jet ([012]), with probability (\S+)\n"
        r"pz of the neutrino: (\S+) MeV\n",
        answer.stdout,
    )
    assert found, answer.stdout

    program = compiled(directory / "ttbar_transformer.cpp")
    (text,) = re.findall(r"^((?:    (?:event|jet|lepton|met) .*\n)+)", PAGE, re.MULTILINE)
    jet = "    jet 30 1.4 0.2 65 6\n    lepton"  # the program's third one
    of_text = said(run(program, text.replace("    lepton", jet, 1), [tmp_path / FILE]))
    np.testing.assert_array_equal(of_text.jets[0], [int(found[1]), int(found[2])])
    np.testing.assert_allclose(of_text.probability[0], float(found[3]), rtol=1e-4)
    np.testing.assert_allclose(of_text.neutrinos[0, 0, 2] * 1000, float(found[4]), rtol=1e-4)


def test_its_configuration_is_the_one_that_is_written(exported: Export, tmp_path: Path) -> None:
    with_contract(exported.named_path, tmp_path / FILE, {"model": "transformer"})
    write_cplusplus([tmp_path / FILE], tmp_path / "cplusplus")
    written = (tmp_path / "cplusplus" / "ttbar_transformer.yaml").read_text()
    assert yaml.safe_load(block("yaml")) == yaml.safe_load(written)


def test_the_fold_of_the_page_on_exporting_is_that_of_python(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "export.md").read_text()
    (function,) = re.findall(r"^```cpp\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    source = tmp_path / "fold.cpp"
    source.write_text(
        f"#include <cstdint>\n#include <iostream>\n{function}"
        "int main() {\n  for (std::uint64_t number; std::cin >> number;)"
        " std::cout << fold(number, 5) << '\\n';\n}\n"
    )
    numbers = np.random.default_rng(1).integers(0, 2**64, 100, dtype=np.uint64)
    answer = subprocess.run(
        [str(compiled(source))],
        input="\n".join(map(str, numbers)),
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_array_equal(
        [int(line) for line in answer.stdout.split()], fold_of(numbers, FoldsConfig())
    )
