"""What the session that submits may do, jobs may do as well, each by its own way."""

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch_jobs import MakeJob, call, profile
from condor_pool import Pool
from grid_logins import write_proxy
from rootflow.batch import JobError, State, make_executor
from rootflow.batch.contract import prepare
from rootflow.batch.job import SPEC
from rootflow.batch.schedd import htcondor
from rootflow.errors import InputError, RootflowError, UsageError

LONG = 300.0
MODES = ("shared", "transfer", "spool")
SECRET = "c2VjcmV0LW9mLWEtdG9rZW4"  # noqa: S105 - of no server
PRODUCER = "_CONDOR_SEC_CREDENTIAL_PRODUCER"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "proxy.pem"
    write_proxy(path, HOUR)
    monkeypatch.setenv("X509_USER_PROXY", str(path))
    return path


@pytest.fixture
def producer(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the program that HTCondor asks for the ticket."""
    program = pool.directory / "give-ticket"
    program.write_text("#!/bin/sh\nprintf ticket\n")
    program.chmod(0o755)
    monkeypatch.setenv(PRODUCER, str(program))
    htcondor().reload_config()
    yield program
    monkeypatch.delenv(PRODUCER)
    htcondor().reload_config()


@pytest.mark.parametrize("files", MODES)
def test_variables_reach_the_job_and_nobody_else(
    files: str, shell: MakeJob, tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pool.pid
    for name in ("AWS_SECRET_ACCESS_KEY", "MLFLOW_S3_ENDPOINT_URL", "MY_TOKEN", "MY_REGION"):
        monkeypatch.setenv(name, f"{SECRET}-{name}")
    words = {"credentials": ["s3"], "pass_environment": ["MY_*"]}
    executor = make_executor(profile(files, **words), tmp_path / "batch")
    said = ("$AWS_SECRET_ACCESS_KEY", "$MLFLOW_S3_ENDPOINT_URL", "$MY_TOKEN", "$MY_REGION")
    job = shell(f'echo {" ".join(said)}; echo "[\\"$MY_REGION\\"]" > $ROOTFLOW_RESULT')
    [job_id] = executor.submit([job])
    spec = job.directory / SPEC
    assert not spec.exists() or stat.S_IMODE(spec.stat().st_mode) == 0o600
    assert executor.wait([job_id], LONG)[job_id].state is State.DONE
    assert executor.result(job_id) == [f"{SECRET}-MY_REGION"]
    region = f"{SECRET}-MLFLOW_S3_ENDPOINT_URL *** {SECRET}-MY_REGION\n"
    assert executor.logs(job_id).stdout == f"*** {region}"
    assert not spec.exists()


def test_what_is_asked_for_has_to_be_there(
    shell: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = shell("true")
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "none.pem"))
    for name in [name for name in os.environ if name.startswith(("AWS_", "MLFLOW_S3_"))]:
        monkeypatch.delenv(name)
    for words, complaint in (
        ({"pass_environment": ["MY_OTHER_*"]}, r"pass_environment: MY_OTHER_\* is not set here"),
        ({"credentials": ["s3"]}, r"credentials: s3: none of AWS_\*, MLFLOW_S3_\* is set here"),
    ):
        given = profile("local", **words)
        with pytest.raises(UsageError, match=complaint):
            prepare(job, given.job, given)
    with pytest.raises(InputError, match=r"the proxy .*none.pem is not there: make one"):
        make_executor(profile("shared", credentials=["x509"]), tmp_path / "batch").describe([job])


@pytest.mark.usefixtures("pool")
def test_a_proxy_is_delegated(shell: MakeJob, tmp_path: Path, proxy: Path) -> None:
    line = "grep -c 'BEGIN CERT' $X509_USER_PROXY; stat -c %a $X509_USER_PROXY"
    jobs = {}
    for files in MODES:
        executor = make_executor(profile(files, credentials=["x509"]), tmp_path / files)
        jobs[executor] = executor.submit([shell(line, files)])
    for executor, ids in jobs.items():
        [status] = executor.wait(ids, LONG).values()
        assert status.state is State.DONE, status
        count, mode = executor.logs(ids[0]).stdout.split()
        assert int(count) >= 2  # delegated ones have one more
        assert mode == "600"
    write_proxy(proxy, -HOUR / 2)
    with pytest.raises(RootflowError, match="proxy has expired"):
        make_executor(profile("transfer", credentials=["x509"]), tmp_path / "old").submit(
            [shell("true", "old")]
        )


@pytest.mark.usefixtures("pool")
def test_tokens_of_services_are_asked_for(shell: MakeJob, tmp_path: Path) -> None:
    module = htcondor()
    executor = make_executor(profile("transfer", oauth_services=["cern"]), tmp_path / "batch")
    with pytest.raises(RootflowError, match=r"oauth_services: .*'cern'.* is missing"):
        executor.submit([shell("true", "without")])
    kind = module.CredType.OAuth
    module.Credd().add_user_service_cred(kind, SECRET.encode(), "cern", refresh=False)
    try:
        ids = executor.submit([shell(f"grep -c {SECRET} $_CONDOR_CREDS/cern.use")])
        executor.wait(ids, LONG)
        assert executor.logs(ids[0]).stdout == "1\n"
    finally:
        module.Credd().delete_user_service_cred(kind, "cern")


def test_a_ticket_is_stored_as_the_job_is_submitted(
    shell: MakeJob, tmp_path: Path, producer: Path, pool: Pool
) -> None:
    executor = make_executor(profile("shared", send_credential=True), tmp_path / "batch")
    ids = executor.submit([shell("true")])
    [stored] = (pool.directory / "kerberos").glob("*.cred")
    assert stored.read_text() == "ticket"
    # No machine of this pool hands out tickets: what the job may do elsewhere is not seen here.
    executor.cancel(ids, "not wanted")
    producer.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(RootflowError, match=r"does not take the Kerberos credential: .*kinit"):
        executor.submit([shell("true", "without")])


@pytest.mark.usefixtures("pool")
def test_a_ticket_that_nobody_gives(shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile("shared", send_credential=True), tmp_path / "batch")
    with pytest.raises(UsageError, match="this HTCondor has no program that gives a Kerberos"):
        executor.submit([shell("true")])
    assert not (tmp_path / "job" / SPEC).exists()


def test_tracebacks_have_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", SECRET)
    executor = make_executor(profile("local", pass_environment=["MY_TOKEN"]), tmp_path / "batch")
    ids = executor.submit([call(tmp_path, "tell_token")])
    executor.wait(ids, LONG)
    with pytest.raises(JobError, match=r"KeyError: 'the token is \*\*\*'"):
        executor.result(ids[0])
