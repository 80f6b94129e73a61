"""Whose certificates are trusted, with real servers on this machine."""

from __future__ import annotations

import http.server
import shutil
import ssl
import threading

import av
import pytest

from benchmarks.cameras.camera import Camera
from benchmarks.cameras.clips import read_clip
from benchmarks.cameras.http import HttpServer
from benchmarks.cameras.http_camera import HttpCamera
from benchmarks.cameras.rtsp import RtspServer
from benchmarks.cameras.tls import self_signed
from pipeline.errors import SourceError
from pipeline.secure import Trust
from pipeline.senders import Link, open_sender
from tests.clips import write_clip


class Plain(http.server.BaseHTTPRequestHandler):
    """Answers what it does not understand with an error."""

    def log_message(self, *args: object) -> None:
        """Keep the output of tests clean."""


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the program openssl is not installed")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with a certificate, what makes a server secure with it, and a clip."""
    folder = tmp_path_factory.mktemp("tls")
    return folder, self_signed(folder), read_clip(write_clip(folder / "a.h264", 10, bf=0, g=5))


@pytest.fixture(params=["rtsps", "https"])
def url(request, made):
    """Return the address of a secure camera."""
    server = RtspServer(tls=made[1]) if request.param == "rtsps" else HttpServer(tls=made[1])
    camera = Camera(made[2], fps=200) if request.param == "rtsps" else HttpCamera(made[2], fps=200)
    with server:
        server.add("door", camera)
        yield server.url("door")


def opened(url: str, trust: Trust) -> str:
    with open_sender(url, Link(trust=trust)) as container:
        return container.streams.video[0].codec_context.name


def refused(url: str, trust: Trust) -> str:
    with pytest.raises(SourceError) as caught:
        open_sender(url, Link(trust=trust))
    assert caught.value.reason == "tls"
    return str(caught.value).removeprefix(url)


@needs_openssl
def test_a_certificate_that_is_known_is_trusted(url, made):
    assert opened(url, Trust(ca_file=str(made[0] / "certificate.pem"))) == "h264"


@needs_openssl
def test_a_certificate_that_nobody_vouches_for_is_not(url):
    assert refused(url, Trust()) == (
        ": expected a secure connection, got: a certificate that is not trusted (self-signed certificate); give the "
        "certificate of the authority as ca_file, or trust whoever answers with verify_tls: false"
    )


@needs_openssl
def test_the_name_in_a_certificate_counts(url, made):
    elsewhere = url.replace("127.0.0.1", "localhost")
    message = refused(elsewhere, Trust(ca_file=str(made[0] / "certificate.pem")))

    assert "got: a certificate that is not trusted (" in message and "'localhost'" in message


@needs_openssl
def test_whoever_answers_is_trusted_where_nothing_is_checked(url):
    assert opened(url, Trust(verify=False)) == "h264"
    assert Trust(verify=False).fault(url, 5.0) is None


def test_a_sender_without_tls_is_told():
    with http.server.HTTPServer(("127.0.0.1", 0), Plain) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}/door"
        assert ": expected a secure connection, got: no TLS (" in refused(url, Trust())
        assert ": expected a secure connection, got: no TLS (" in refused(url, Trust(verify=False))
        server.shutdown()
        thread.join()


def test_certificates_that_are_not_there_are_told_before_anybody_is_asked(monkeypatch):
    assert refused("rtsps://cam/x", Trust(ca_file="/no/file.pem")) == (
        ": expected a file of certificates to trust, got /no/file.pem; name one in ca_file, or trust whoever answers "
        "with verify_tls: false"
    )
    paths = ssl.get_default_verify_paths()._replace(cafile=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    assert ": expected a file of certificates to trust, got none on this machine; " in refused("https://cam/x", Trust())
    assert Trust().options("http://cam/x") == {"tls_verify": "1"}


@pytest.mark.parametrize("path", ["live.m3u8", "live.mpd?x=1", "LIVE.M3U8"])
def test_playlists_are_not_read_where_certificates_are_asked_for(path):
    url = f"https://127.0.0.1:1/{path}"

    assert refused(url, Trust()) == (
        ": expected a stream in one connection whose certificate can be checked, got a playlist, whose parts FFmpeg "
        "fetches without; use rtsps, or trust the network with verify_tls: false (PyAV 18 or older)"
    )


@needs_openssl
@pytest.mark.skipif(int(av.__version__.split(".")[0]) >= 19, reason="FFmpeg 9 trusts no certificate of its parts")
def test_a_playlist_is_one_whatever_its_name(made):
    with HttpServer(tls=made[1]) as server:
        server.add("door", HttpCamera(made[2], fps=20, kind="hls"))
        message = refused(server.url("door").removesuffix(".m3u8"), Trust(ca_file=str(made[0] / "certificate.pem")))

    assert "got a playlist" in message
