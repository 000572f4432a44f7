"""The words of the vocabulary in HTCondor's language."""

from pathlib import Path

import pytest

from rootflow.batch import Job
from rootflow.batch.description import NOT_AVOIDED, as_text, attributes, describe, item
from rootflow.batch.schedd import htcondor
from rootflow.config.batch import profile_of
from rootflow.errors import UsageError


def described(**words: object) -> dict[str, str]:
    profile = profile_of(words, "test")
    return describe(profile.job, profile, Path("/batch"), "token")


def test_what_a_job_needs() -> None:
    words = described(
        job={
            "cpus": 4,
            "memory_gib": 2.5,
            "disk_gib": 3,
            "gpus": 1,
            "gpu_memory_gib": 8,
            "gpu_capability": 7.5,
            "container": "/cvmfs/images/rootflow.sif",
            "accounting_group": "group_u_ATLAS.u_zp",
            "requirements": 'OpSysAndVer == "AlmaLinux9"',
            "classads": {"JobFlavour": 'the "long" one', "Fast": True, "Level": 3},
        }
    )
    expected = {
        "universe": "container",
        "container_image": "/cvmfs/images/rootflow.sif",
        "request_cpus": "4",
        "request_memory": "2560",
        "request_disk": "3145728",
        "request_gpus": "1",
        "gpus_minimum_memory": "8192",
        "gpus_minimum_capability": "7.5",
        "accounting_group": "group_u_ATLAS.u_zp",
        "requirements": f'(OpSysAndVer == "AlmaLinux9") && {NOT_AVOIDED}',
        "+JobFlavour": '"the \\"long\\" one"',
        "+Fast": "True",
        "+Level": "3",
    }
    assert {word: words.get(word) for word in expected} == expected


def test_what_a_site_is_told() -> None:
    words = described(
        files="transfer",
        runtime_attribute="RequestRuntime",
        send_credential=True,
        output_destination="root://eos.example.org//eos/user/a/ada/",
        job={"runtime": "90m"},
    )
    assert words["+RequestRuntime"] == "5400"
    assert words["+SendCredential"] == "True"
    assert words["output_destination"] == "root://eos.example.org//eos/user/a/ada/"
    assert words["should_transfer_files"] == "YES"
    assert words["when_to_transfer_output"] == "ON_EXIT_OR_EVICT"


def test_machines_that_are_avoided() -> None:
    profile = profile_of({}, "test")
    words = describe(profile.job, profile, Path("/batch"), "token", {"b.org": "", "a.org": ""})
    assert words["requirements"] == NOT_AVOIDED
    assert words["+RootflowAvoid"] == '"a.org,b.org"'


def test_a_failed_job_is_tried_again_elsewhere() -> None:
    words = described(retries=1, retry_elsewhere="90s")
    assert "splitSlotName(MY.LastRemoteHost)[1] =!= TARGET.Machine" in words["requirements"]
    assert "> 90)" in words["requirements"]
    assert described(retries=1, retry_elsewhere="0s")["requirements"] == NOT_AVOIDED


def test_spooled_jobs_have_no_log_here() -> None:
    assert "log" in described(files="transfer")
    assert "log" not in described(files="spool")


def test_a_dollar_stands_for_itself() -> None:
    words = {"job": {"classads": {"Note": "$(x) for $5"}}, "python": "/opt/$(y)/python"}
    profile = profile_of(words, "test")
    folder = Path("/data/$(z)")
    submit = htcondor().Submit(as_text(describe(profile.job, profile, folder, "token"), []))
    assert submit.expand("MY.Note") == '"$(x) for $5"'
    assert submit.expand("MY.RootflowFolder") == '"/data/$(z)"'
    assert submit.expand("log") == "/data/$(z)/events.log"
    assert submit.expand("executable") == "/opt/$(y)/python"


def test_changes_to_a_submitted_job() -> None:
    assert attributes({"memory_gib": 1.5, "cpus": 2}) == {
        "RequestMemory": "1536",
        "RequestCpus": "2",
    }
    with pytest.raises(UsageError, match="container: cannot be changed in a submitted job"):
        attributes({"container": "x"})


def test_names_that_would_break_the_submit_file_are_refused() -> None:
    with pytest.raises(UsageError, match=r"HTCondor takes no \$ , quotes or line ends"):
        item(Job("job", ("true",), Path("/data/a,b")))
