"""What lets one in on the grid: a proxy, and a keeper of tokens and tickets in the tests' pool."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

# The directory of tickets is the keeper's alone: HTCondor is not to want one for each job.
SETTINGS = """
DAEMON_LIST = $(DAEMON_LIST) CREDD
SEC_CREDENTIAL_DIRECTORY_OAUTH = $(LOCAL_DIR)/oauth
CREDD.SEC_CREDENTIAL_DIRECTORY_KRB = $(LOCAL_DIR)/kerberos
TRUST_CREDENTIAL_DIRECTORY = True
"""
PROXY_POLICY = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14"),  # RFC 3820: all that its owner may do
    bytes.fromhex("300c300a06082b06010505071501"),
)


def settings(pool: Path) -> str:
    """Return what a pool's configuration says of the keeper, and make what it needs."""
    for name in ("oauth", "kerberos"):
        (pool / name).mkdir()
        (pool / name).chmod(0o2770)
    return SETTINGS


def write_proxy(path: Path, lifetime: dt.timedelta) -> None:
    """Write a proxy of a certificate that it is told by, for its owner alone to read."""
    owner, proxy = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    certificate = _certificate(["Ada"], ["Ada"], owner, owner, lifetime)
    of_proxy = _certificate(["Ada", "1"], ["Ada"], proxy, owner, lifetime, PROXY_POLICY)
    key = proxy.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    pem = serialization.Encoding.PEM
    path.touch(0o600)
    path.write_bytes(of_proxy.public_bytes(pem) + key + certificate.public_bytes(pem))


def _certificate(
    subject: list[str],
    issuer: list[str],
    key: rsa.RSAPrivateKey,
    signer: rsa.RSAPrivateKey,
    lifetime: dt.timedelta,
    *extensions: x509.UnrecognizedExtension,
) -> x509.Certificate:
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    builder = x509.CertificateBuilder(
        _name(issuer),
        _name(subject),
        key.public_key(),
        x509.random_serial_number(),
        begin,
        begin + dt.timedelta(hours=1) + lifetime,
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(signer, hashes.SHA256())


def _name(words: list[str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, word) for word in words])
