"""Bytes over real connections: cut, gone on with, and checked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.model_files.bringing import CONTENT, SHA256, Around, brought, given_up, left, refusal
from tests.pipeline.model_files.web import Web


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


def test_it_is_given_up_after_a_few_tries_and_the_part_stays(site: Web, place: Path) -> None:
    assert given_up(site, place) == (
        f"{site.url('net.onnx')}: expected the file, got 300000 of {len(CONTENT)} bytes before the server hung up; "
        f"300000 bytes are kept in {place}.part: type the same again to go on"
    )
    assert left(place) == ["net.onnx.part", "net.onnx.part.json"]
    assert "127.0.0.1" not in (place.parent / "net.onnx.part.json").read_text()


def test_as_long_as_it_gets_on_it_is_not_given_up(site: Web, place: Path) -> None:
    large = CONTENT * 8
    site.serve("net.onnx", large, cuts=[1_100_000] * 7)
    around = Around()

    assert brought(site.url("net.onnx"), place, around) == hashlib.sha256(large).hexdigest()
    assert around.waited == [0.5] * 7


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
