"""A core and a gateway over TLS, with certificates on both sides."""

from __future__ import annotations

import datetime
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.exceptions import ConnectionError as RedisConnectionError

from clients.api import Papertape
from exchange.cluster.connecting import AWAY, Connection
from exchange.cluster.gateway import Address, Gateway
from exchange.cluster.names import Names
from tests.conftest import needed_redis
from tests.exchange.cluster.cores import core, until
from tests.exchange.cluster.redis_rig import DURABLE
from tests.exchange.cluster.test_gateway import CONFIG

FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
UNTIL = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """Signs certificates for this machine; its own is `ca`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA of {folder.name}")])
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self._signed(self._name, self._key, is_authority=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert.write_bytes(self._signed(subject, key, is_authority=False))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert, private

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> bytes:
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(FROM)
            .not_valid_after(UNTIL)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(here, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


@contextmanager
def redis_over_tls(folder: Path, authority: Authority) -> Iterator[str]:
    """The address of a Redis that wants certificates of this authority."""
    binary = needed_redis()
    cert, key = authority.issue("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"port": "0", "tls-port": str(port), "bind": "127.0.0.1", "dir": str(folder)}
    options |= {"tls-cert-file": str(cert), "tls-key-file": str(key), "save": ""}
    options |= {"tls-ca-cert-file": str(authority.ca), "tls-auth-clients": "yes"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with subprocess.Popen(
        [binary, *words, *DURABLE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "ready to accept connections" in line.lower():
                    break
            else:
                pytest.skip("this Redis was built without TLS")
            yield f"rediss://127.0.0.1:{port}"
        finally:
            process.kill()


async def test_a_cluster_speaks_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("papertape")
    with redis_over_tls(tmp_path, authority) as url:
        connection = Connection.parse(url, ca=authority.ca, cert=cert, key=key)
        names = Names()
        async with core(connection, names, tmp_path / "core"):
            running = await Gateway.start(Address(connection, names), CONFIG)
            async with Papertape(running.url) as pt:
                assert (await pt.open_account()).account_id >= 100
            await until(lambda: running.health()["status"] == "ok")
            await running.stop()


async def test_without_the_right_certificates_there_is_no_way_in(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    with redis_over_tls(tmp_path, authority) as url:
        strange_cert, strange_key = other.issue("stranger")
        for connection in (
            Connection.parse(url, ca=authority.ca),
            Connection.parse(url, ca=authority.ca, cert=strange_cert, key=strange_key),
            Connection.parse(url, ca=other.ca, cert=strange_cert, key=strange_key),
        ):
            with connection.sync_client() as client, pytest.raises((*AWAY, RedisConnectionError)):
                client.ping()
