"""What a session may do elsewhere, given to its jobs: variables, a proxy, tokens, a ticket.

Variables travel in the job's own file that only its owner reads, all else by HTCondor's own ways.
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from rootflow.config.batch import ProfileConfig
from rootflow.errors import InputError, UsageError

X509_USER_PROXY = "X509_USER_PROXY"
S3 = ("AWS_*", "MLFLOW_S3_*")


def of_session(profile: ProfileConfig) -> dict[str, str]:
    """Return the variables of this session that jobs of a profile get."""
    found: dict[str, str] = {}
    for pattern in profile.pass_environment:
        found |= _set(pattern)
        if not _set(pattern):
            raise UsageError(f"pass_environment: {pattern} is not set here")
    if "s3" in profile.credentials:
        own = {name: value for pattern in S3 for name, value in _set(pattern).items()}
        if not own:
            raise UsageError(f"credentials: s3: none of {', '.join(S3)} is set here")
        found |= own
    return found


def _set(pattern: str) -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if fnmatchcase(name, pattern)}


def words(profile: ProfileConfig) -> dict[str, str | None]:
    """Return what the submit description says of credentials."""
    services = ", ".join(profile.oauth_services) or None
    return {
        "x509userproxy": str(_proxy()) if "x509" in profile.credentials else None,
        "use_oauth_services": services,
        "+SendCredential": "True" if profile.send_credential else None,
    }


def _proxy() -> Path:
    path = Path(os.environ.get(X509_USER_PROXY) or f"/tmp/x509up_u{os.getuid()}")  # noqa: S108
    if not path.is_file():
        raise InputError(
            f"credentials: x509: the proxy {path} is not there: make one (voms-proxy-init), or "
            f"name it in {X509_USER_PROXY}"
        )
    return path.absolute()
