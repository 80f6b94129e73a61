"""Whom we ask: servers that refuse, send us on, cannot be trusted, or stand behind proxies."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.pipeline.model_files.bringing import CONTENT, SHA256, Around, brought, refusal
from tests.pipeline.model_files.web import Web, proxy, web


def test_pressed_answers_are_refused(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, headers={"Content-Encoding": "gzip"})

    assert refusal(site.url("net.onnx"), place) == (
        f"{site.url('net.onnx')}: expected the file as it is, got it in the coding 'gzip'; tell its keeper"
    )
    assert site.asked[0][1]["Accept-Encoding"] == "identity"


def test_an_answer_that_is_no_file_is_told_at_once(site: Web, place: Path) -> None:
    around = Around()

    assert refusal(site.url("net.onnx"), place, around) == (
        f"{site.url('net.onnx')}: expected the file, got the answer 404, there is no such file; see whether the "
        "address opens in a browser"
    )
    assert around.waited == []


def test_a_busy_server_is_asked_again_when_it_wants(site: Web, place: Path) -> None:
    file = site.serve("net.onnx", CONTENT, statuses=[503, 500])
    around = Around()

    assert brought(site.url("net.onnx"), place, around) == SHA256
    assert around.waited == [0.5, 1.0]
    file.statuses[:] = [503] * 5
    place.unlink()
    assert refusal(site.url("net.onnx"), place) == f"{site.url('net.onnx')}: expected the file, got the answer 503"


@pytest.mark.parametrize(("wanted", "given"), [("7", 7.0), ("9999", 30.0), ("tomorrow", 0.5)])
def test_a_server_that_wants_peace_gets_some(site: Web, place: Path, wanted: str, given: float) -> None:
    site.serve("net.onnx", CONTENT, statuses=[429], headers={"Retry-After": wanted})
    around = Around()

    assert brought(site.url("net.onnx"), place, around) == SHA256
    assert around.waited == [given]


def test_a_silent_server_is_not_waited_for_for_ever(site: Web, place: Path) -> None:
    silence = threading.Event()
    site.serve("net.onnx", CONTENT, held=silence)

    try:
        told = refusal(site.url("net.onnx"), place, Around(timeout_s=0.05, waits_s=()))
    finally:
        silence.set()
    assert told == (
        f"{site.url('net.onnx')}: expected the file, got silence for too long; {len(CONTENT) // 2} bytes are kept in "
        f"{place}.part: type the same again to go on"
    )


def test_nobody_there_is_told(place: Path) -> None:
    with web() as gone:
        url = gone.url("net.onnx")
    around = Around()

    assert refusal(url, place, around) == f"{url}: expected the file, got a connection that was refused"
    assert around.waited == [0.5, 1.0, 2.0, 4.0]


def test_a_name_that_nobody_knows_is_told_at_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    around = Around()

    assert refusal("https://models.example/net.onnx", place, around) == (
        "https://models.example/net.onnx: expected a host, got no such name; is there a network?"
    )
    assert around.waited == []


def test_a_secure_server_is_believed_by_its_certificate(secure: Web, place: Path) -> None:
    secure.serve("net.onnx", CONTENT, cuts=[300_000])

    assert brought(secure.url("net.onnx"), place) == SHA256


def test_a_certificate_that_nobody_knows_is_refused(secure: Web, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    secure.serve("net.onnx", CONTENT)
    around = Around()

    assert refusal(secure.url("net.onnx"), place, around) == (
        f"{secure.url('net.onnx')}: expected a certificate that is trusted, got self-signed certificate; name the "
        "authorities to trust in SSL_CERT_FILE"
    )
    assert around.waited == []


def test_a_server_may_send_us_on_to_a_secure_one(site: Web, secure: Web, place: Path) -> None:
    secure.serve("there", CONTENT, cuts=[300_000])
    site.serve("net.onnx", onward=secure.url("there"))

    assert brought(site.url("net.onnx"), place) == SHA256
    assert secure.ranges() == ["all", "bytes=300000-"]


def test_a_secure_server_may_not_send_us_on_to_an_open_one(site: Web, secure: Web, place: Path) -> None:
    site.serve("there", CONTENT)
    secure.serve("net.onnx", onward=site.url("there"))

    assert refusal(secure.url("net.onnx"), place) == (
        f"{secure.url('net.onnx')}: expected to be sent on to an https address, got {site.url('there')!r}; it is not "
        "followed, because others could change the file on its way"
    )
    assert site.asked == []


@pytest.mark.parametrize("onward", ["http://example.org/net.onnx", "https://me:secret@example.org/net.onnx"])
def test_nobody_is_sent_where_nothing_is_fetched_from(site: Web, place: Path, onward: str) -> None:
    site.serve("net.onnx", onward=onward)

    told = onward.replace("secret", "***")
    assert refusal(site.url("net.onnx"), place) == (
        f"{site.url('net.onnx')}: expected to be sent on to an https address, got {told!r}; it is not followed, "
        "because others could change the file on its way"
    )


def test_files_of_this_machine_are_no_place_to_be_sent_to(site: Web, place: Path) -> None:
    site.serve("net.onnx", onward="file:///etc/hostname")

    assert "got the answer 302, no file" in refusal(site.url("net.onnx"), place)


def test_an_endless_chain_ends(site: Web, place: Path) -> None:
    site.serve("net.onnx", onward="/net.onnx")

    assert "got the answer 302, no file" in refusal(site.url("net.onnx"), place)


def test_a_password_is_sent_and_neither_told_nor_sent_on(site: Web, place: Path) -> None:
    site.serve("net.onnx", onward="/other")
    url = site.url("net.onnx").replace("//", "//me:se%2Fcret@")

    told = refusal(url, place)

    assert told.startswith(site.url("net.onnx").replace("//", "//me:***@") + ": expected the file, got the answer 404")
    assert [headers.get("Authorization") for _, headers in site.asked] == ["Basic bWU6c2UvY3JldA==", None]


def test_a_proxy_is_asked_for_open_addresses(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy() as between:
        monkeypatch.setenv("http_proxy", between.url(""))
        between.serve("x", CONTENT)
        between.files["http://models.example:8080/net.onnx"] = between.files.pop("/x")

        assert brought("http://models.example:8080/net.onnx", place) == SHA256


def test_a_proxy_makes_a_tunnel_for_secure_ones(secure: Web, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secure.serve("net.onnx", CONTENT)
    with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url(""))
        assert brought(secure.url("net.onnx"), place) == SHA256
        assert [path for path, _ in between.asked] == [f"127.0.0.1:{secure.port}"]

        place.unlink()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert brought(secure.url("net.onnx"), place) == SHA256
        assert len(between.asked) == 1


def test_a_proxy_that_is_gone_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy() as between:
        monkeypatch.setenv("https_proxy", between.url(""))

    assert refusal("https://models.example/net.onnx", place) == (
        "https://models.example/net.onnx: expected the file, got a connection that was refused by the proxy that the "
        "environment names"
    )
