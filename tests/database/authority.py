"""A real time stamp authority for tests: `openssl ts -reply` behind a small HTTP server, with its own certificates."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONFIG = """\
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Certificates, and answers signed with them."""

    def __init__(self, folder: Path, name: str = "Zeitstempel") -> None:
        folder.mkdir()
        self._folder = folder
        self.ca = folder / "ca.pem"
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA")])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)

        def build(who: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
            made = x509.CertificateBuilder().subject_name(who).issuer_name(issuer).public_key(public)
            valid = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            return valid.not_valid_after(now + timedelta(days=30))

        root = build(issuer, root_key.public_key())
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        leaf = build(subject, key.public_key()).add_extension(stamping, critical=True)
        self.ca.write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM))
        (folder / "tsa.pem").write_bytes(leaf.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(pem)
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))

    def answer(self, query: bytes) -> bytes:
        """Return what an authority answers."""
        (self._folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(command, check=True, capture_output=True, timeout=30, cwd=self._folder)
        return (self._folder / "reply").read_bytes()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/timestamp-query"
        return reply(await asyncio.to_thread(self.answer, await request.read()))


def reply(body: bytes, status: int = 200) -> web.StreamResponse:
    return web.Response(body=body, status=status, content_type="application/timestamp-reply")


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve at an address of this machine; yields the address."""
    app = web.Application()
    app.router.add_post("/tsa", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/tsa"
    finally:
        await runner.cleanup()
