"""Secure connections to senders: whose certificates are trusted, and why one is not.

FFmpeg checks no certificate unless told to, and knows no authorities of its own in the wheels of PyAV.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.errors import SourceError
from pipeline.urls import redact

_PORTS = {"https": 443, "rtsps": 322, "rtmps": 443, "rtmpts": 443}


def is_secure(url: str) -> bool:
    """Tell whether an address asks for a secure connection."""
    return urlsplit(url).scheme.lower() in _PORTS


@dataclass(frozen=True)
class Trust:
    """Who may answer as a sender."""

    verify: bool = True
    """Whether the certificate and the name in it are checked."""
    ca_file: str | None = None
    """Certificates of authorities (PEM); None: those of this machine."""

    def options(self, url: str) -> dict[str, str]:
        """Return FFmpeg's options for an address.

        Raises:
            SourceError: the address asks for a secure connection, and there are no certificates to check it with.
        """
        if not self.verify:
            return {"tls_verify": "0"}
        found = self._authorities()
        if found is not None and os.access(found, os.R_OK):
            return {"tls_verify": "1", "ca_file": found}
        if not is_secure(url):
            return {"tls_verify": "1"}  # it may lead to one that does
        raise SourceError(
            f"{redact(url)}: expected a file of certificates to trust, got {found or 'none on this machine'}; name one "
            "in ca_file, or trust whoever answers with verify_tls: false",
            "tls",
        )

    def fault(self, url: str, limit_s: float) -> str | None:
        """Return why no secure connection to an address comes about; None when one does, or nobody answers.

        Args:
            url: an address with a host that asks for one.
            limit_s: seconds to wait for an answer.
        """
        parts = urlsplit(url)
        where = parts.hostname, parts.port or _PORTS[parts.scheme.lower()]
        context = ssl.create_default_context(cafile=self._authorities() if self.verify else None)
        if not self.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection(where, limit_s) as plain,
                context.wrap_socket(plain, server_hostname=parts.hostname),
            ):
                return None
        except ssl.SSLCertVerificationError as error:
            return f"a certificate that is not trusted ({error.verify_message})"
        except ssl.SSLError as error:
            return f"no TLS ({(error.reason or 'it hung up').replace('_', ' ').lower()})"
        except OSError:
            return None

    def _authorities(self) -> str | None:
        return self.ca_file or ssl.get_default_verify_paths().cafile
