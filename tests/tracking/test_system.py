import time

import mlflow.system_metrics.metrics.gpu_monitor
import pytest

from rootflow.tracking import system
from rootflow.tracking.system import LEAST_SECONDS, SystemMetrics


def test_cpu_and_memory_are_told_since_the_last_time() -> None:
    metrics = SystemMetrics()
    until = time.monotonic() + 2 * LEAST_SECONDS
    while time.monotonic() < until:
        pass
    told = metrics.since_last()
    assert 0.0 < told["system/cpu_utilization_percentage"] <= 100.0
    assert 0.0 < told["system/system_memory_usage_percentage"] < 100.0
    assert told["system/system_memory_usage_megabytes"] > 10.0


def test_nothing_is_told_of_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = SystemMetrics()
    monkeypatch.setattr(system, "LEAST_SECONDS", 3600.0)
    assert metrics.since_last() == {}


class OneGPU(mlflow.system_metrics.metrics.gpu_monitor.GPUMonitor):  # type: ignore[misc]
    def __init__(self) -> None:
        super(mlflow.system_metrics.metrics.gpu_monitor.GPUMonitor, self).__init__()

    def collect_metrics(self) -> None:
        self._metrics["gpu_0_utilization_percentage"].append(71.0)


def test_gpus_are_told_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "GPUMonitor", OneGPU)
    metrics = SystemMetrics()
    time.sleep(LEAST_SECONDS)
    assert metrics.since_last()["system/gpu_0_utilization_percentage"] == 71.0
