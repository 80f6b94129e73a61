"""Whether a request carries the right user and password: digest (RFC 7616, with MD5 as cameras have it) or basic."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Literal

REALM = "camera"
Scheme = Literal["digest", "basic"]


def challenge(scheme: Scheme, nonce: str) -> str:
    """Return the line that asks for a password."""
    if scheme == "basic":
        return f'WWW-Authenticate: Basic realm="{REALM}"\r\n'
    return f'WWW-Authenticate: Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5\r\n'


def is_right(scheme: Scheme, given: str, method: str, nonce: str, user: str, password: str) -> bool:
    """Tell whether the value of an `Authorization` line answers the challenge."""
    if scheme == "basic":
        return given == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    if not given.startswith("Digest "):
        return False
    said = {key: quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given)}
    secret, asked = _md5(f"{user}:{REALM}:{password}"), _md5(f"{method}:{said.get('uri', '')}")
    expected = _md5(f"{secret}:{nonce}:{asked}")
    return said.get("username") == user and said.get("nonce") == nonce and said.get("response") == expected


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
