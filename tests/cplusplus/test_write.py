"""What is written, and what is refused."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from keras import layers

from changed_file import with_contract, with_metadata
from compiler import ONNXRUNTIME, compiled
from events_text import as_text, run, shuffles
from exporting import FLAT, exported_network
from rootflow.config import (
    FoldingConfig,
    FoldsConfig,
)
from rootflow.cplusplus.write import identifier, struct_of, write_cplusplus
from rootflow.dataset import Events
from rootflow.dataset.events import Features
from rootflow.errors import InputError, UsageError
from rootflow.export.layout import Units
from rootflow.export.writing import Export
from rootflow.exported.contract import Collection, OnnxContract
from rootflow.exported.session import open_session
from sealed_files import sealed_file, some_contract, some_proto
from small_network import small_network
from toy_events import FEATURES, UNITS

OPSET = 17
ENDINGS = ("hpp", "cpp", "yaml")


def test_every_network_has_a_header_a_program_and_a_configuration(sources: Path) -> None:
    assert {path.name for path in sources.iterdir()} == {
        "CMakeLists.txt",
        *(f"ttbar_small.{ending}" for ending in ENDINGS),
        *(f"ttbar_small_flat.{ending}" for ending in ENDINGS),
    }


def test_what_is_written_is_short_in_its_lines_and_has_no_rest_of_templates(sources: Path) -> None:
    for path in sources.iterdir():
        text = path.read_text()
        assert not re.search(r"\{%|%\}|\{\{ |[ \t]$|\n\n\n", text, re.MULTILINE), path.name
        assert text.endswith("\n")
        assert max(map(len, text.splitlines())) <= 110, path.name


def test_the_configuration_registers_the_block_that_it_sets(sources: Path) -> None:
    configuration = yaml.safe_load((sources / "ttbar_small_flat.yaml").read_text())
    (registered,) = configuration["AddConfigBlocks"]
    assert registered == {
        "modulePath": "MyPackage.TtbarSmallFlatConfig",
        "functionName": "TtbarSmallFlatConfig",
        "algName": "TtbarSmallFlat",
        "pos": "Output",
    }
    (block,) = configuration["TtbarSmallFlat"]
    assert block["onnxFiles"] == ["MyPackage/ttbar_small_applied_to_fold0of5_flat.onnx"]
    assert {"electrons", "muons", "jets", "met", "btagger", "eventSelection"} < set(block)


def test_files_of_several_folds_share_a_header_and_are_named_in_order(
    exported: Export, tmp_path: Path
) -> None:
    paths = [tmp_path / f"fold{fold}.onnx" for fold in (1, 0)]
    for path, fold in zip(paths, (1, 0), strict=True):
        folds = FoldsConfig(count=2, held_out=fold, scheme="parity")
        with_contract(exported.named_path, path, {"folds": folds})
    written = write_cplusplus(paths, tmp_path / "cplusplus")
    assert [path.name for path in written] == [
        "ttbar_small.hpp", "ttbar_small.cpp", "ttbar_small.yaml", "CMakeLists.txt",
    ]  # fmt: skip
    text = written[2].read_text()
    (block,) = yaml.safe_load(text)["TtbarSmall"]
    assert block["onnxFiles"] == ["MyPackage/fold0.onnx", "MyPackage/fold1.onnx"]
    assert "getSessionIndex finds the same file" in text


def test_other_features_and_a_confidence_are_part_of_the_structs(
    real_events: Events, tmp_path: Path
) -> None:
    few = real_events.take(np.flatnonzero(real_events.fold == 0)[:20])
    extra = np.stack([few.jets[:, 0, 3], few.jets[:, 0, 1]], axis=-1)
    features = few.features | {"event": ("ht", "class")}
    events = Events(features=features, **(few.arrays() | {"event": extra}))
    plain = small_network(event_features=2)
    confidence = layers.Dense(1, activation="sigmoid")(plain.output["neutrinos"][:, 0])
    outputs = plain.output | {"confidence": layers.Flatten()(confidence)[:, 0]}
    network = keras.Model(plain.input, outputs, name="odd")
    units = UNITS | {"event": {"ht": "GeV", "class": "none"}}
    odd = exported_network(network, events, tmp_path / "odd", units=units, name="set-2.0")
    paths = {"named": odd.named_path, "flat": odd.files[FLAT]}
    write_cplusplus([*paths.values()], tmp_path / "cplusplus")

    joint, momenta, wanted = open_session(paths["named"]).run(
        ["assignment", "neutrinos", "confidence"], events.inputs()
    )
    in_mev = Events(features=features, **(events.arrays() | {"event": extra * [1000, 1]}))
    text = as_text(in_mev, shuffles(events), "MeV")
    answers = {
        variant: run(compiled(tmp_path / "cplusplus" / source), text, [paths[variant]], "MeV")
        for variant, source in (
            ("named", "ttbar_set_2_0.cpp"),
            ("flat", "ttbar_set_2_0_flat.cpp"),
        )
    }
    for variant, answer in answers.items():
        assert answer.returncode == 0, answer.stderr
        head, *rows = [line.split() for line in answer.stdout.splitlines()]
        assert ("confidence" in head) == (variant == "named")
        columns = dict(zip(head, np.array(rows, np.float64).T, strict=True))
        np.testing.assert_allclose(columns["probability"], joint.max(axis=(1, 2)), atol=1e-5)
        np.testing.assert_allclose(columns["nu_pz"], momenta[:, 0, 2] * 1000, rtol=1e-4, atol=1)
        if variant == "named":
            np.testing.assert_allclose(columns["confidence"], wanted, atol=1e-5)


def collections(features: Features, units: Units, energies: str) -> tuple[Collection, ...]:
    return tuple(
        Collection(
            name=name,
            slots={"jets": 6, "leptons": 2}.get(name),
            mask="jet_mask" if name == "jets" else None,
            order=None,
            units={
                each: energies if units[name][each] == "GeV" else units[name][each]
                for each in features[name]
            },
        )
        for name in features
    )


def test_both_variants_have_the_same_members() -> None:
    features = FEATURES | {
        "jets": (*FEATURES["jets"], "mass"),
        "event": ("ht", "met_significance", "2nd jet"),
    }
    units = UNITS | {
        "jets": UNITS["jets"] | {"mass": "GeV"},
        "event": dict(zip(features["event"], ("GeV", "none", "none"), strict=True)),
    }
    named, flat = (
        [struct_of(each) for each in collections(features, units, unit)] for unit in ("GeV", "MeV")
    )
    event = next(each for each in named if each.member == "features")
    assert [field.name for field in event.fields] == ["ht", "met_significance", "_2nd_jet"]
    for one, other in zip(named, flat, strict=True):
        assert [field.name for field in one.fields] == [field.name for field in other.fields]
        assert [each.is_energy for each in one.fields] == [each.is_energy for each in other.fields]


def test_names_are_such_as_cplusplus_takes() -> None:
    names = ("transformer", "set-transformer.v2", "class", "2jets")
    assert [identifier(name) for name in names] == [
        "transformer", "set_transformer_v2", "class_", "_2jets",
    ]  # fmt: skip


def test_files_that_do_not_go_together_are_refused(exported: Export, tmp_path: Path) -> None:
    path, out = exported.named_path, tmp_path / "cplusplus"
    other = tmp_path / "other.onnx"
    with_contract(path, other, {"folds": FoldsConfig(count=4, held_out=1)})
    with pytest.raises(UsageError, match=r"may both be applied to fold 0; give one"):
        write_cplusplus([path, path], out)
    with pytest.raises(UsageError, match=r"other inputs, outputs or folds"):
        write_cplusplus([path, other], out)
    with pytest.raises(UsageError, match=r"name one ONNX file"):
        write_cplusplus([], out)
    with pytest.raises(UsageError, match=r"there already"):
        write_cplusplus([path], tmp_path)
    assert not out.exists()


def test_files_of_other_kinds_are_refused(exported: Export, tmp_path: Path) -> None:
    path, out = exported.named_path, tmp_path / "cplusplus"
    some = some_contract()
    classifier = OnnxContract(
        rootflow_version="0.1.0", analysis="h4l", model="trees", opset=OPSET, order="",
        inputs=some.inputs, outputs=some.outputs, may_be_applied_to="", provenance={},
        task="classification", held_out=None, folds=FoldingConfig(), uses={},
        padding="", collections=(), branch_map="", selection={},
    )  # fmt: skip
    of_h4l = sealed_file(tmp_path / "h4l.onnx", some_proto(), classifier.model_dump_json())
    old = with_metadata(path, tmp_path / "old.onnx", {"rootflow.interface": None})
    with pytest.raises(UsageError, match=r"h4l.onnx: has the models of all folds"):
        write_cplusplus([of_h4l], out)
    with pytest.raises(InputError, match=r"old.onnx: .* export the model again"):
        write_cplusplus([old], out)
    with pytest.raises(InputError, match=r"none.onnx: cannot be read"):
        write_cplusplus([tmp_path / "none.onnx"], out)
    assert not out.exists()


def test_the_command_writes_what_cmake_builds(exported: Export, tmp_path: Path) -> None:
    out = tmp_path / "cplusplus"
    command = [sys.executable, "-m", "rootflow", "cplusplus", str(exported.named_path)]
    answer = subprocess.run([*command, "--output", str(out)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("ttbar_small.hpp, ttbar_small.cpp")
    cmake = shutil.which("cmake")
    if cmake is None or not ONNXRUNTIME.exists():
        pytest.skip("cmake or the headers of onnxruntime are not there")
    build = tmp_path / "build"
    for arguments in (
        [
            *("-S", str(out), "-B", str(build), "-D", "CMAKE_BUILD_TYPE=Debug"),
            *("-D", f"CMAKE_PREFIX_PATH={ONNXRUNTIME}"),
        ],
        ["--build", str(build)],
    ):
        answer = subprocess.run([cmake, *arguments], capture_output=True, text=True)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    answer = subprocess.run([str(build / "ttbar_small")], capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr == "usage: ttbar_small MeV|GeV EVENTS.txt FILE.onnx ...\n"
