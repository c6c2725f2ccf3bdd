"""Certificate authority of the lab, and the certificate of its servers for real host names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.package_server import HOSTS

AUTHORITY_LIFE = timedelta(days=3650)  # as long as a cached image may be used
SERVER_LIFE = timedelta(days=30)
CLOCK_SLACK = timedelta(days=1)
# A wildcard matches one label only, so each service with deeper names has its own.
HOST_NAMES = (
    "amazonaws.com",
    "*.amazonaws.com",
    "*.us-east-1.amazonaws.com",
    "*.s3.amazonaws.com",
    "*.s3.us-east-1.amazonaws.com",
    "*.s3-accelerate.amazonaws.com",
    "*.ecr.us-east-1.amazonaws.com",
    "*.dkr.ecr.us-east-1.amazonaws.com",
    "localhost",
    *HOSTS,
    "mirror.system.lab",  # of the RPM systems in the tests
)


class Authority:
    """A certificate authority in a directory: ``ca.crt`` and, readable by its owner only, ``ca.key``."""

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "ca.crt"
        self._key = directory / "ca.key"

    def create(self) -> None:
        """Makes the authority's key and certificate."""
        self.certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HTCondor annex lab")])
        builder = _certificate(name, name, key, AUTHORITY_LIFE).add_extension(
            x509.BasicConstraints(True, 0), critical=True
        )
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        _write(self._key, self.certificate, key, builder.sign(key, hashes.SHA256()))

    def issue(self, certificate: Path, key: Path, *, addresses: tuple[str, ...] = ("198.18.0.1", "127.0.0.1")) -> None:
        """Writes a server certificate for the names of the lab's servers and the ``addresses``, and its private key."""
        issuer_key = serialization.load_pem_private_key(self._key.read_bytes(), password=None)
        assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)  # noqa: S101  create() made it
        issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        server_key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "amazonaws.com")])
        names = [x509.DNSName(name) for name in HOST_NAMES]
        alternatives = x509.SubjectAlternativeName([*names, *(x509.IPAddress(ip_address(a)) for a in addresses)])
        builder = (
            _certificate(subject, issuer.subject, server_key, SERVER_LIFE)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(alternatives, critical=False)
            # Python 3.13 and later verify strictly: they find the issuer by the identifier of its key.
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        _write(key, certificate, server_key, builder.sign(issuer_key, hashes.SHA256()))


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    key_file: Path, certificate_file: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
