"""Which addresses model files may come from: https, and plain http only from this machine or a mirror somebody set."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, unquote, urlsplit

from pipeline.urls import redact


def problem_of(url: str, plain_http: bool = False) -> str | None:
    """Return why nothing is fetched from an address, in the house form without its place; None where it may be.

    Args:
        url: as it stands in a card or a setting.
        plain_http: whether http is let through to any host.
    """
    parts = split(url)
    told = repr(redact(url))
    if parts is None or not parts.hostname:
        return f"expected an address such as https://host/model.onnx, got {told}; correct it"
    scheme = parts.scheme.lower()
    if scheme == "https" or (scheme == "http" and (plain_http or is_loopback(parts.hostname))):
        return None
    return f"expected an https address, got {told}; give one that others cannot change on its way"


def may_follow(first: str, onward: str, plain_http: bool = False) -> bool:
    """Tell whether a server may send us on.

    Args:
        first: the address that was asked.
        onward: where it sends us.
        plain_http: whether http is let through to any host.
    """
    here, there = split(first), split(onward)
    if here is None or there is None or not there.hostname or there.username or there.password:
        return False
    if there.scheme.lower() == "https":
        return True
    both_plain = here.scheme.lower() == there.scheme.lower() == "http"  # what began securely stays so
    return both_plain and (plain_http or is_loopback(there.hostname))


def split(url: str) -> SplitResult | None:
    """Return the parts of an address; None where it has none that make sense."""
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def file_name(url: str) -> str:
    """Return the last part of the path of an address."""
    return unquote(urlsplit(url).path.rpartition("/")[2])
