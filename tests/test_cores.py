import os
from pathlib import Path

import pytest

from rootflow import cores

CORES = set(range(16))
SLOT = 'Name = "slot1_1@node"\nCpus = 4\nTotalCpus = 64.0\nDetectedCpus = 64\n'


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a machine of sixteen cores, without quotas and without HTCondor."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: CORES)
    monkeypatch.setattr(cores, "GROUP_OF_PROCESS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "GROUPS", tmp_path / "groups")
    for name in ("_CONDOR_MACHINE_AD", "_CONDOR_SCRATCH_DIR", "_CONDOR_JOB_AD", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_affinity_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # this is of no slot
    assert cores.usable_cores() == 16


@pytest.mark.parametrize(
    ("group", "quotas", "usable"),
    [
        ("/", {"": "300000 100000"}, 3),
        ("/", {"": "max 100000"}, 16),
        ("/jobs/one", {"jobs/one": "max 100000", "jobs": "250000 100000"}, 3),
        ("/jobs/one", {"jobs/one": "50000 100000", "jobs": "800000 100000"}, 1),
        ("/jobs/one", {"jobs/one": "6400000 100000"}, 16),
        ("/outside/of/this/container", {"": "200000 100000"}, 2),
    ],
)
def test_quotas_of_control_groups(
    tmp_path: Path, group: str, quotas: dict[str, str], usable: int
) -> None:
    (tmp_path / "cgroup").write_text(f"1:cpu:/elsewhere\n0::{group}\n")
    for name, quota in quotas.items():
        folder = tmp_path / "groups" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{quota}\n")
    assert cores.usable_cores() == usable


@pytest.mark.parametrize(
    ("ad", "environment", "usable"),
    [
        (SLOT, {}, 4),
        (SLOT, {"_CONDOR_SCRATCH_DIR": "/scratch", "OMP_NUM_THREADS": "1"}, 4),
        (SLOT.replace("Cpus = 4", "Cpus = 64"), {}, 16),
        (None, {"_CONDOR_SCRATCH_DIR": "/scratch", "OMP_NUM_THREADS": "2"}, 2),
        (None, {"_CONDOR_JOB_AD": "/scratch/.job.ad", "OMP_NUM_THREADS": "3"}, 3),
        (None, {"_CONDOR_JOB_AD": "/scratch/.job.ad"}, 16),
    ],
)
def test_slots_of_condor(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ad: str | None,
    environment: dict[str, str],
    usable: int,
) -> None:
    monkeypatch.setenv("_CONDOR_MACHINE_AD", str(tmp_path / "machine.ad"))
    if ad is not None:
        (tmp_path / "machine.ad").write_text(ad)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cores.usable_cores() == usable
