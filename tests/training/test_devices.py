"""What is said of GPUs that a job asked for and TensorFlow does not see; there is none here."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

from rootflow.errors import RootflowError, UsageError
from rootflow.training import devices
from rootflow.training.devices import (
    ASKED,
    device_name,
    driver_says,
    installed_build,
    require_gpus,
    why_not,
)

DRIVER = """\
extern "C" {{
int cuInit(unsigned flags) {{ return {code}; }}
int cuDeviceGetCount(int *count) {{ *count = {count}; return 0; }}
int cuGetErrorName(int code, const char **name) {{ *name = "CUDA_ERROR_NO_DEVICE"; return 0; }}
}}
"""


def test_the_build_is_the_one_that_is_installed() -> None:
    build = installed_build()
    assert build == ("cpu", "tensorflow-cpu", tf.__version__)
    assert not tf.test.is_built_with_cuda()
    assert device_name() == "CPU"


def test_no_build_and_two_builds_are_one_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "BUILDS", {"cpu": "no-such-package"})
    with pytest.raises(UsageError, match=r"not installed: pip install 'rootflow\[cpu\]'"):
        installed_build()
    monkeypatch.setattr(devices, "BUILDS", {"cpu": "keras", "gpu": "numpy"})
    with pytest.raises(UsageError, match="keras and numpy are both installed, and overwrite"):
        installed_build()


def test_who_asked_for_none_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ASKED, raising=False)
    require_gpus()


def test_a_build_without_cuda_is_one_line_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ASKED, "2")
    with pytest.raises(RootflowError) as raised:
        require_gpus()
    assert str(raised.value) == (
        f"the job asked for 2 GPUs (job.gpus) on {platform.node()}, and TensorFlow "
        f"{tf.__version__} sees none: this environment has tensorflow-cpu: set up the extra gpu "
        "(scripts/setup.sh gpu)"
    )


@pytest.mark.parametrize(
    ("visible", "asked", "driver", "says"),
    [
        ("", 1, 4, "CUDA_VISIBLE_DEVICES is '' there"),
        ("0", 2, 4, "CUDA_VISIBLE_DEVICES is '0' there"),
        ("GPU-5f1", 1, "no driver", "no driver"),
        (None, 2, 1, "the NVIDIA driver knows 1 GPU"),
        (None, 1, 0, "the NVIDIA driver knows none"),
        ("0", 1, 1, "a library of CUDA is missing"),
    ],
)
def test_a_build_with_cuda_says_where_the_gpus_are_lost(
    visible: str | None, asked: int, driver: int | str, says: str
) -> None:
    assert says in why_not("gpu", visible, asked, driver)


def test_a_machine_without_a_driver_says_so() -> None:
    assert "there is no NVIDIA driver (libnone.so.1)" in str(driver_says("libnone.so.1"))


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize(
    ("code", "says"), [(0, 3), (100, "the NVIDIA driver says CUDA_ERROR_NO_DEVICE (100)")]
)
def test_the_driver_is_asked(tmp_path: Path, code: int, says: int | str) -> None:
    source, library = tmp_path / "driver.cpp", tmp_path / "libcuda.so.1"
    source.write_text(DRIVER.format(code=code, count=3))
    subprocess.run(["g++", "-shared", "-fPIC", "-o", library, source], check=True)
    assert driver_says(str(library)) == says
