"""One file out of an archive: the right one, whole, and nothing else, whatever the archive says."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.model_files import archives
from pipeline.model_files.archives import is_archive, take_out
from pipeline.model_files.held_part import HeldPart, Note

NET = bytes(range(256)) * 9000  # several blocks
MOST = 10_000_000
Entry = tuple[str, bytes]


def tar(path: Path, *entries: Entry | tarfile.TarInfo) -> Path:
    mode = "w:gz" if path.name.endswith("gz") else "w"
    with tarfile.open(path, mode) as made:  # type: ignore[call-overload]
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                made.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            made.addfile(info, io.BytesIO(entry[1]))
    return path


def zipped(path: Path, *entries: Entry) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def taken(archive: Path, member: str = "net.onnx", most_bytes: int = MOST) -> bytes:
    place = archive.parent / "out" / "net.onnx"
    with HeldPart(place, lambda: None) as part:
        part.restart(Note("archive", None, None))
        take_out(archive, member, part, most_bytes)
        part.finish()
    return place.read_bytes()


def refusal(archive: Path, member: str = "net.onnx", most_bytes: int = MOST) -> str:
    with pytest.raises(FetchError) as caught:
        taken(archive, member, most_bytes)
    assert not (archive.parent / "out" / "net.onnx").exists()
    return str(caught.value).removeprefix(f"{archive}: ")


KINDS = pytest.mark.parametrize(
    ("make", "name"), [(zipped, "a.zip"), (tar, "a.tar.gz"), (tar, "a.tar"), (tar, "a.tgz")], ids=lambda one: str(one)
)
Make = Callable[..., Path]


@KINDS
@pytest.mark.parametrize("member", ["net.onnx", "models/net.onnx", "all/models/net.onnx"])
def test_a_file_is_found_with_or_without_its_folders(tmp_path: Path, make: Make, name: str, member: str) -> None:
    archive = make(tmp_path / name, ("all/read.me", b"no"), ("all/models/net.onnx", NET), ("other-net.onnx", b"no"))

    assert taken(archive, member) == NET


@KINDS
def test_what_is_not_there_is_told_with_what_is(tmp_path: Path, make: Make, name: str) -> None:
    archive = make(tmp_path / name, ("a.onnx", b"1"), ("b.onnx", b"2"))

    assert refusal(archive) == (
        "expected a file 'net.onnx' in it, got 'a.onnx', 'b.onnx'; correct `member` in the card"
    )


@KINDS
def test_two_of_one_name_are_told_apart_by_their_folders(tmp_path: Path, make: Make, name: str) -> None:
    archive = make(tmp_path / name, ("fp16/net.onnx", b"16"), ("fp32/net.onnx", b"32"))

    assert refusal(archive) == ("expected one file 'net.onnx' in it, got 2; write it with its folders in the card")
    assert taken(archive, "fp32/net.onnx") == b"32"


@KINDS
@pytest.mark.parametrize("path", ["../net.onnx", "/etc/net.onnx", "models/../../net.onnx"])
def test_names_that_lead_out_are_refused(tmp_path: Path, make: Make, name: str, path: str) -> None:
    archive = make(tmp_path / name, (path, NET))

    assert refusal(archive) == f"expected a name inside the archive, got {path!r}, which leads out; refused"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_of_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("net.onnx")
    link.type, link.linkname = kind, "/etc/passwd"

    assert refusal(tar(tmp_path / "a.tar", link)) == (
        "expected a file, got 'net.onnx', which is a link or a device; refused"
    )


def test_links_of_a_zip_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        link = zipfile.ZipInfo("net.onnx")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")

    assert refusal(archive) == "expected a file, got 'net.onnx', which is a link or a device; refused"


@KINDS
def test_a_file_larger_than_told_is_refused(tmp_path: Path, make: Make, name: str) -> None:
    archive = make(tmp_path / name, ("net.onnx", NET))

    assert refusal(archive, most_bytes=1000) == f"expected at most 1000 bytes in 'net.onnx', got {len(NET)}; refused"


def test_an_archive_that_unfolds_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SPARE", 1_000_000)
    archive = tar(tmp_path / "a.tar.gz", ("zeros", bytes(4_000_000)), ("net.onnx", NET[:100]))
    bound = 1_000_000 + 50 * archive.stat().st_size

    assert bound < 4_000_000
    assert refusal(archive) == (
        f"expected at most {bound} bytes in it all in all, got more; it unfolds to far more than it holds, and is "
        "refused"
    )


def test_a_header_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))

    assert refusal(tmp_path / "a.tar") == f"expected headers of a few bytes, got one of {1 << 33}; refused"


@KINDS
def test_too_many_files_are_refused(tmp_path: Path, make: Make, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 3)
    archive = make(tmp_path / name, *[(f"{number}", b"") for number in range(5)])

    assert refusal(archive).startswith("expected at most 3 files in it, got ")


def test_encrypted_files_are_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", ("net.onnx", b"text"))
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)

    assert refusal(archive) == "expected 'net.onnx' without a password, got it encrypted; refused"


@KINDS
def test_what_is_cut_short_is_told(tmp_path: Path, make: Make, name: str) -> None:
    archive = make(tmp_path / name, ("net.onnx", NET))
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])

    told = refusal(archive)

    assert told.startswith("expected an archive that can be read, got: ")
    assert told.endswith("; remove and fetch it")


@KINDS
def test_what_is_no_archive_is_told(tmp_path: Path, make: Make, name: str) -> None:
    archive = tmp_path / name
    archive.write_bytes(b"<html>not found</html>" * 100)

    assert refusal(archive).startswith("expected an archive that can be read, got: ")


def test_what_a_zip_holds_is_checked(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        made.writestr("net.onnx", NET)
    content = bytearray(archive.read_bytes())
    content[1000] ^= 1
    archive.write_bytes(content)

    assert refusal(archive).startswith("expected an archive that can be read, got: Bad CRC-32")


@settings(max_examples=60)
@given(data=st.data())
def test_damage_anywhere_is_told_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    make, name = data.draw(st.sampled_from([(zipped, "a.zip"), (tar, "a.tar"), (tar, "a.tar.gz")]))
    archive = make(folder / name, ("net.onnx", NET[:600]), ("other", b"x" * 600))
    content = bytearray(archive.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    archive.write_bytes(content)

    try:
        got = taken(archive)
    except FetchError as error:
        assert str(error).startswith(str(archive))
    else:
        assert len(got) <= MOST


def test_archives_are_known_by_name() -> None:
    assert [name for name in ("a.zip", "A.TAR.GZ", "a.tgz", "a.tar", "a.onnx", "zip", "a.gz") if is_archive(name)] == [
        "a.zip",
        "A.TAR.GZ",
        "a.tgz",
        "a.tar",
    ]


def test_what_a_pressed_tar_holds_is_checked(tmp_path: Path) -> None:
    archive = tar(tmp_path / "a.tar.gz", ("net.onnx", NET))
    plain = gzip.decompress(archive.read_bytes())
    content = bytearray(gzip.compress(plain))
    content[-4:] = struct.pack("<I", 5)
    archive.write_bytes(content)

    assert refusal(archive).startswith("expected an archive that can be read, got: ")
