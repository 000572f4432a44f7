"""HTCondor's keeper of credentials, which gives jobs their tickets and tokens."""

from collections.abc import Mapping

from rootflow.batch import credentials
from rootflow.batch.schedd import htcondor
from rootflow.config.batch import ProfileConfig
from rootflow.errors import RootflowError, UsageError

PRODUCER = "SEC_CREDENTIAL_PRODUCER"


def store(profile: ProfileConfig) -> None:
    """Have HTCondor keep the ticket and the tokens that jobs of a profile need."""
    if profile.send_credential:
        _store_ticket()
    if profile.oauth_services:
        _require_tokens(credentials.words(profile))


def _store_ticket() -> None:
    """Store the Kerberos credential: unlike condor_submit, the bindings do not do so."""
    module = htcondor()
    if module.param.get(PRODUCER) is None:
        raise UsageError(
            "send_credential: this HTCondor has no program that gives a Kerberos credential "
            f"({PRODUCER}): leave it out of the profile"
        )
    try:
        module.Credd().add_user_cred(module.CredType.Kerberos, None)
    except (module.HTCondorException, ValueError) as error:
        raise RootflowError(
            f"send_credential: HTCondor does not take the Kerberos credential: {_line(error)}; "
            "is there a ticket (klist)? Make one (kinit)"
        ) from None


def _require_tokens(words: Mapping[str, str | None]) -> None:
    module = htcondor()
    asked = {word: value for word, value in words.items() if value is not None}
    try:
        page = module.Submit({"executable": "/bin/true", **asked}).issue_credentials()
    except module.HTCondorException as error:
        raise RootflowError(f"oauth_services: {_line(error)}") from None
    if page:
        raise RootflowError(
            f"oauth_services: visit {page} to have HTCondor get the tokens, then submit again"
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
