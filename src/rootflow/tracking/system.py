"""What the machine does while a run goes on, by MLflow's own names."""

import time
from contextlib import suppress
from typing import Any

from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

PREFIX = "system/"
# Of a shorter time the system does not say how busy it was.
LEAST_SECONDS = 0.1


class SystemMetrics:
    """CPU, memory and, by NVIDIA's library, GPUs of this machine."""

    def __init__(self) -> None:
        self._monitors: list[Any] = [CPUMonitor()]  # type: ignore[no-untyped-call]
        with suppress(ImportError, RuntimeError):  # its library is not installed, or finds no GPU
            self._monitors.append(GPUMonitor())  # type: ignore[no-untyped-call]
        self._collect()  # CPUs are told since the last time
        self._last = time.monotonic()

    def since_last(self) -> dict[str, float]:
        """Return how busy CPUs were since the last call, and all else as it is now.

        Nothing of less than a tenth of a second.
        """
        now = time.monotonic()
        if now - self._last < LEAST_SECONDS:
            return {}
        self._last = now
        return {f"{PREFIX}{name}": float(value) for name, value in self._collect().items()}

    def _collect(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for monitor in self._monitors:
            monitor.collect_metrics()
            found |= monitor.aggregate_metrics()
            monitor.clear_metrics()
        return found
