"""Which build of TensorFlow there is, and whether it sees the GPUs that a job asked for."""

import ctypes
import importlib.metadata
import os
import platform
from typing import NamedTuple

from rootflow.errors import RootflowError, UsageError

# By the extra that installs them. Both are one package in Python, so that one at a time works.
BUILDS = {"cpu": "tensorflow-cpu", "gpu": "tensorflow"}
# Set where a job asks for GPUs: how many.
ASKED = "ROOTFLOW_GPUS"
VISIBLE = "CUDA_VISIBLE_DEVICES"
DRIVER = "libcuda.so.1"
NO_TENSORFLOW = (
    "TensorFlow is not installed: pip install 'rootflow[cpu]', or 'rootflow[gpu]' for NVIDIA GPUs"
)


class Build(NamedTuple):
    """A build of TensorFlow: of which extra, under which name, and its version."""

    extra: str
    distribution: str
    version: str


def installed_build() -> Build:
    """Return the build of TensorFlow that is installed; none or two is a UsageError."""
    builds = [
        Build(extra, name, importlib.metadata.version(name))
        for extra, name in BUILDS.items()
        if any(importlib.metadata.distributions(name=name))
    ]
    if not builds:
        raise UsageError(NO_TENSORFLOW)
    if len(builds) > 1:
        raise UsageError(
            f"{' and '.join(BUILDS.values())} are both installed, and overwrite each other's "
            "files: make the environment again with one of the extras cpu and gpu"
        )
    return builds[0]


def device_name() -> str:
    """Return what TensorFlow computes on: CPU, or the name of the first GPU that it sees."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


def require_gpus() -> None:
    """Raise RootflowError where this is a job that asked for more GPUs than TensorFlow sees."""
    asked = int(os.environ.get(ASKED, "0"))
    if not asked:
        return
    build = installed_build()
    # Here, and not above: whoever asked for no GPU need not wait for TensorFlow.
    import tensorflow as tf

    seen = len(tf.config.list_physical_devices("GPU"))
    if seen >= asked:
        return
    raise RootflowError(
        f"the job asked for {_gpus(asked)} (job.gpus) on {platform.node()}, and TensorFlow "
        f"{build.version} sees {seen or 'none'}: "
        + why_not(build.extra, os.environ.get(VISIBLE), asked, driver_says())
    )


def why_not(extra: str, visible: str | None, asked: int, driver: int | str) -> str:
    """Return why TensorFlow does not see the GPUs, and what to do.

    `driver` is the number of GPUs that the driver knows, or what is wrong with it.
    """
    if extra == "cpu":
        return "this environment has tensorflow-cpu: set up the extra gpu (scripts/setup.sh gpu)"
    if visible is not None and len([each for each in visible.split(",") if each]) < asked:
        return f"{VISIBLE} is {visible!r} there"
    if isinstance(driver, str):
        return driver
    if driver < asked:
        return f"the NVIDIA driver knows {_gpus(driver) if driver else 'none'}"
    return (
        f"the NVIDIA driver knows {_gpus(driver)}, so a library of CUDA is missing or does not "
        "fit: TF_CPP_MIN_LOG_LEVEL=0 has TensorFlow say which"
    )


def driver_says(library: str = DRIVER) -> int | str:
    """Return how many GPUs NVIDIA's driver knows, or in words what is wrong with it."""
    try:
        cuda = ctypes.CDLL(library)
    except OSError:
        return (
            f"there is no NVIDIA driver ({library}): the machine has none, or the container was "
            "started without it (apptainer --nv)"
        )
    count = ctypes.c_int(0)
    code = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    if code:
        name = ctypes.c_char_p()
        cuda.cuGetErrorName(code, ctypes.byref(name))
        return f"the NVIDIA driver says {(name.value or b'error').decode()} ({code})"
    return count.value


def _gpus(number: int) -> str:
    return f"{number} GPU{'s' if number > 1 else ''}"
