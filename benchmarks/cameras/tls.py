"""A certificate that nobody signed but its owner, made when it is needed: cameras have such."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from pipeline.errors import ConfigError


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return what makes a server's connections secure, with a certificate for 127.0.0.1 that is made in a folder.

    Raises:
        ConfigError: the program `openssl`, which makes it, is not installed.
    """
    program = shutil.which("openssl")
    if program is None:
        raise ConfigError("PATH: expected the program openssl, which makes certificates, got none; install openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-days",
        "2",
        "-subj",
        "/CN=camera",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
