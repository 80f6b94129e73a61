"""Bytes over real connections: cut, gone on with, checked, redirected, refused, through proxies."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import FetchError, PipelineError
from pipeline.model_files import held_part
from pipeline.model_files.held_part import HeldPart
from pipeline.model_files.transfer import Asked, Means, bring
from tests.pipeline.model_files.web import Web, proxy, web

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several blocks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MOST = 1 << 24


class Around:
    """A world in which waiting takes no time."""

    def __init__(self, **changed: Any) -> None:
        self.waited: list[float] = []
        self.seen: list[tuple[int, int | None]] = []
        self.means = Means(
            sleep=self.waited.append,
            progress=lambda name, done, total: self.seen.append((done, total)),
            **{"timeout_s": 5.0, **changed},
        )


def brought(url: str, place: Path, around: Around | None = None, **asked: Any) -> str:
    with HeldPart(place, lambda: None) as part:
        got = bring(Asked(url, **{"most_bytes": MOST, **asked}), part, (around or Around()).means)
        part.finish()
    return got


def refusal(url: str, place: Path, around: Around | None = None, **asked: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        brought(url, place, around, **asked)
    return str(caught.value)


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


def test_a_file_comes_with_its_checksum_and_tells_how_far_it_is(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT)
    around = Around()

    assert brought(site.url("net.onnx"), place, around, sha256=SHA256, bytes=len(CONTENT)) == SHA256
    assert place.read_bytes() == CONTENT
    assert left(place) == ["net.onnx"]
    assert around.seen[0] == (0, len(CONTENT)) and around.seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in around.seen] == sorted({done for done, _ in around.seen})


def test_a_cut_connection_is_gone_on_with(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, cuts=[300_000, 400_000])
    around = Around()

    assert brought(site.url("net.onnx"), place, around) == SHA256
    assert site.ranges() == ["all", "bytes=300000-", "bytes=700000-"]
    assert [headers.get("If-Range") for _, headers in site.asked] == [None, *[site.files["/net.onnx"].told_tag] * 2]
    assert around.waited == [0.5, 1.0]


def test_a_server_without_ranges_sends_it_all_again(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, cuts=[300_000], ranges=False)

    assert brought(site.url("net.onnx"), place) == SHA256
    assert place.read_bytes() == CONTENT
    assert site.ranges() == ["all", "bytes=300000-"]


def test_what_cannot_be_told_to_be_the_same_file_is_begun_anew(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, cuts=[300_000], tag="")

    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == ["all", "all"]


def test_a_checksum_stands_in_for_a_name_of_the_version(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, cuts=[300_000], tag="")

    assert brought(site.url("net.onnx"), place, sha256=SHA256) == SHA256
    assert site.ranges() == ["all", "bytes=300000-"]


def test_a_weak_tag_names_no_version(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, cuts=[300_000], tag='W/"x"')

    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == ["all", "all"]


def given_up(site: Web, place: Path, **how: Any) -> str:
    """Have a fetch fail half-way, and leave its part."""
    site.serve("net.onnx", CONTENT, cuts=[300_000, 0, 0, 0, 0], **how)
    told = refusal(site.url("net.onnx"), place)
    site.asked.clear()
    return told


def test_it_is_given_up_after_a_few_tries_and_the_part_stays(site: Web, place: Path) -> None:
    assert given_up(site, place) == (
        f"{site.url('net.onnx')}: expected the file, got 300000 of {len(CONTENT)} bytes before the server hung up; "
        f"300000 bytes are kept in {place}.part: type the same again to go on"
    )
    assert left(place) == ["net.onnx.part", "net.onnx.part.json"]
    assert "127.0.0.1" not in (place.parent / "net.onnx.part.json").read_text()


def test_a_part_is_gone_on_with_by_a_later_process(site: Web, place: Path) -> None:
    given_up(site, place)

    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == ["bytes=300000-"]
    assert left(place) == ["net.onnx"]


def test_a_part_of_a_file_that_changed_since_is_begun_anew(site: Web, place: Path) -> None:
    given_up(site, place)
    changed = CONTENT[::-1]
    site.serve("net.onnx", changed)

    assert brought(site.url("net.onnx"), place) == hashlib.sha256(changed).hexdigest()
    assert site.ranges() == ["bytes=300000-"]  # answered with the whole, because the tag is another one


@pytest.mark.parametrize("changed", [CONTENT[::-1], CONTENT * 2])
def test_a_server_that_gives_parts_of_another_version_is_not_believed(site: Web, place: Path, changed: bytes) -> None:
    given_up(site, place)
    site.serve("net.onnx", changed, checks_version=False)

    assert brought(site.url("net.onnx"), place) == hashlib.sha256(changed).hexdigest()
    assert site.ranges() == ["bytes=300000-", "all"]


def test_the_time_of_the_last_change_names_a_version(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, tag="", headers={"Last-Modified": "yesterday"}, cuts=[300_000])

    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.asked[1][1]["If-Range"] == "yesterday"


def test_a_part_that_is_longer_than_the_file_is_begun_anew(site: Web, place: Path) -> None:
    given_up(site, place)
    with (place.parent / "net.onnx.part").open("ab") as file:
        file.write(bytes(len(CONTENT)))

    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == [f"bytes={len(CONTENT) + 300_000}-", "all"]


def test_a_part_of_another_address_is_begun_anew(site: Web, place: Path) -> None:
    given_up(site, place)
    site.serve("other/net.onnx", CONTENT)

    assert brought(site.url("other/net.onnx"), place, sha256=SHA256) == SHA256
    assert site.ranges() == ["all"]


def test_a_whole_part_needs_no_server(site: Web, place: Path) -> None:
    given_up(site, place)
    (place.parent / "net.onnx.part").write_bytes(CONTENT)

    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.asked == []


def test_a_spoiled_part_is_fetched_once_more(site: Web, place: Path) -> None:
    given_up(site, place)
    (place.parent / "net.onnx.part").write_bytes(bytes(300_000))

    assert brought(site.url("net.onnx"), place, sha256=SHA256) == SHA256
    assert site.ranges() == ["bytes=300000-", "all"]


def test_a_note_that_makes_no_sense_is_no_note(site: Web, place: Path) -> None:
    given_up(site, place)
    for text in ("", "[1]", '{"origin": 1}', '{"origin": "a", "validator": null, "bytes": 1, "more": 2}'):
        (place.parent / "net.onnx.part.json").write_text(text)
        with HeldPart(place, lambda: None) as part:
            assert part.note() is None


def test_a_wrong_checksum_leaves_nothing(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT)

    assert refusal(site.url("net.onnx"), place, sha256="0" * 64) == (
        f"{site.url('net.onnx')}: expected the sha256 {'0' * 64}, got {SHA256}; it was thrown away"
    )
    assert left(place) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"bytes": 5}, "expected 5 bytes, got 1048576; it is another file"),
        ({"most_bytes": 5}, "expected at most 5 bytes, got 1048576; refused"),
    ],
)
def test_a_wrong_size_is_refused_before_it_comes(site: Web, place: Path, asked: dict[str, Any], told: str) -> None:
    site.serve("net.onnx", CONTENT)

    assert refusal(site.url("net.onnx"), place, **asked) == f"{site.url('net.onnx')}: {told}"
    assert left(place) == []


def test_a_stream_without_end_is_stopped(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, chunked=True)

    assert refusal(site.url("net.onnx"), place, most_bytes=500_000) == (
        f"{site.url('net.onnx')}: expected at most 500000 bytes, got more; refused"
    )
    assert left(place) == []


def test_chunks_tell_their_end(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, chunked=True, cuts=[300_000])

    assert brought(site.url("net.onnx"), place) == SHA256


def test_a_file_of_unknown_size_needs_a_checksum(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT, length=False)

    assert refusal(site.url("net.onnx"), place) == (
        f"{site.url('net.onnx')}: expected to be told how large the file is, got neither a size nor an end that can be "
        "seen; write its sha256 or its bytes into the card"
    )
    assert brought(site.url("net.onnx"), place, sha256=SHA256) == SHA256
    place.unlink()
    assert brought(site.url("net.onnx"), place, bytes=len(CONTENT)) == SHA256


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


def test_a_disk_without_room_is_known_before_it_is_full(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT)

    assert refusal(site.url("net.onnx"), place, Around(free_bytes=lambda folder: 1000)) == (
        f"{place}: expected 1048576 free bytes, got 1000; free space or name another folder in GAZE_MODELS"
    )
    assert [path.name for path in place.parent.iterdir() if path.stat().st_size > 300] == []


def test_a_disk_that_is_full_keeps_what_came(site: Web, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.serve("net.onnx", CONTENT)
    written: list[int] = []

    def write(file: Any, content: bytes) -> None:
        written.append(len(content))
        if len(written) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write(content)

    with monkeypatch.context() as patch:
        patch.setattr(held_part, "write_whole", write)
        told = refusal(site.url("net.onnx"), place)
    assert told == (
        f"{place}.part: expected to write, got a full disk; free space or name another folder in GAZE_MODELS; what was "
        "written stays readable"
    )

    site.asked.clear()
    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == [f"bytes={sum(written[:2])}-"]


def test_what_is_ended_by_hand_stays_to_be_gone_on_with(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT)

    def interrupt(name: str, done: int, total: int | None) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), HeldPart(place, lambda: None) as part:
        bring(Asked(site.url("net.onnx"), MOST), part, Means(progress=interrupt))
    kept = (place.parent / "net.onnx.part").stat().st_size
    site.asked.clear()

    assert kept > 500_000
    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == [f"bytes={kept}-"]


def test_two_at_once_wait_for_each_other(site: Web, place: Path) -> None:
    waits = threading.Event()
    first = HeldPart(place, lambda: None)
    second: list[HeldPart] = []
    thread = threading.Thread(target=lambda: second.append(HeldPart(place, waits.set)))
    thread.start()
    assert waits.wait(10)
    assert second == []
    first.write(b"whole")
    first.finish()
    thread.join(10)

    assert place.read_bytes() == b"whole"
    with second[0] as part:
        assert part.size == 0
    assert left(place) == ["net.onnx"]


def test_a_link_in_place_of_the_part_is_not_followed(tmp_path: Path, place: Path) -> None:
    place.parent.mkdir()
    (tmp_path / "precious").write_text("text")
    (place.parent / "net.onnx.part").symlink_to(tmp_path / "precious")

    with pytest.raises(PipelineError) as caught:
        HeldPart(place, lambda: None)
    assert not isinstance(caught.value, FetchError)
    assert (tmp_path / "precious").read_text() == "text"
