"""Files of encoded pictures: fragments, times, pixels, and disks that fill up."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline import fragment_file
from pipeline.encoders import cpu_encoder
from pipeline.errors import PipelineError
from pipeline.fragment_file import FragmentFile
from pipeline.frames import Picture
from pipeline.pictures import to_bgr
from pipeline.video_writer import Encoding, VideoWriter
from tests.clips import BRIGHT, DARK, left_side, square

FAST = Encoding(cpu_encoder("ultrafast", 18), threads=1, fragment_s=0.2)
FULL = (
    "expected to write, got a full disk; free space or give another folder with --out; what was written stays readable"
)


def bgr(step: int, size_wh: tuple[int, int] = (64, 48)) -> Picture:
    return Picture((square(step, size_wh),), "bgr")


def read(path: Path) -> list[tuple[float, np.ndarray]]:
    """Return seconds and BGR picture of each frame."""
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="bgr24"))
            for frame in container.decode(video=0)
        ]


def write(path: Path, pictures: list[Picture], step_s: float = 0.04) -> Path:
    writer = VideoWriter(path, pictures[0].size_wh, FAST)
    for index, picture in enumerate(pictures):
        writer.add(picture, round(index * step_s * 1e9))
    writer.close()
    return path


def box(kind: bytes, size: int) -> bytes:
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


def test_a_file_holds_every_picture_at_its_time(tmp_path):
    writer = VideoWriter(tmp_path / "a.mp4", (64, 48), FAST)
    times_s = [1.5, 1.54, 1.6, 3.0, 3.001, 60.0]
    for step, time_s in enumerate(times_s):
        writer.add(bgr(step), round(time_s * 1e9))
    writer.close()

    frames = read(tmp_path / "a.mp4")

    assert [left_side(pixels) // 2 for _, pixels in frames] == list(range(6))
    assert np.abs(np.array([time_s + 1.5 for time_s, _ in frames]) - times_s).max() < 12e-6


def test_times_that_fall_together_stay_apart(tmp_path):
    writer = VideoWriter(tmp_path / "a.mp4", (64, 48), FAST)
    for step in range(4):
        writer.add(bgr(step), step * 100)
    writer.close()

    assert [time_s * 90_000 for time_s, _ in read(tmp_path / "a.mp4")] == pytest.approx([0, 1, 2, 3])


def layouts() -> dict[str, Picture]:
    y = np.full((48, 64), 80, np.uint8)
    y[4:14, 20:30] = 180
    u, v = np.full((24, 32), 110, np.uint8), np.full((24, 32), 145, np.uint8)
    i420 = Picture((y, u, v), "i420")
    lying = tuple(np.ascontiguousarray(np.rot90(plane)) for plane in (y, u, v))
    padded = tuple(np.pad(plane, ((0, 0), (0, 32)))[:, : plane.shape[1]] for plane in (y, u, v))
    return {
        "i420": i420,
        "nv12": Picture((y, np.dstack([u, v])), "nv12"),
        "bgr": Picture((to_bgr(i420),), "bgr"),
        "turned": Picture(lying, "i420", 90),
        "padded": Picture(padded, "i420"),
    }


@pytest.mark.parametrize("layout", ["i420", "nv12", "bgr", "turned", "padded"])
def test_every_layout_is_written_upright_in_its_colours(tmp_path, layout):
    picture = layouts()[layout]
    for plane in picture.planes:
        plane.flags.writeable = False

    write(tmp_path / "a.mp4", [picture] * 2)

    with av.open(str(tmp_path / "a.mp4")) as container:
        planes = next(container.decode(video=0)).to_ndarray(format="yuv420p")
    inside = (
        planes[6:12, 22:28].astype(int),
        planes[30:46].astype(int),
        planes[48:60].astype(int),
        planes[60:].astype(int),
    )
    for pixels, expected in zip(inside, (180, 80, 110, 145), strict=True):
        assert np.abs(pixels - expected).mean() < 3


@pytest.mark.parametrize("layout", ["bgr", "i420"])
def test_odd_sizes_are_made_even_by_repeating_the_edge(tmp_path, layout):
    pixels = square(5, (63, 47))
    pixels[-2:] = pixels[:, -2:] = BRIGHT
    y = np.where(pixels[:, :, 0] == BRIGHT, 200, 50).astype(np.uint8)
    grey = np.full((24, 32), 128, np.uint8)
    picture = Picture((pixels,), "bgr") if layout == "bgr" else Picture((y, grey, grey), "i420")

    [(_, shown), _] = read(write(tmp_path / "a.mp4", [picture] * 2))

    assert shown.shape == (48, 64, 3)
    assert shown[-1].min() > BRIGHT - 30
    assert shown[:, -1].min() > BRIGHT - 30
    assert np.abs(shown[20:40, 20:50].astype(int) - DARK).mean() < 5


def test_what_is_on_the_disk_ends_with_a_whole_fragment_at_every_moment(tmp_path):
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, (64, 48), FAST)
    found: dict[int, int] = {}
    for step in range(40):
        writer.add(bgr(step % 20), step * 40_000_000)
        content = path.read_bytes()
        if len(content) not in found and b"moof" in content:
            (tmp_path / "copy.mp4").write_bytes(content)
            frames = read(tmp_path / "copy.mp4")
            assert [left_side(pixels) // 2 for _, pixels in frames] == [index % 20 for index in range(len(frames))]
            found[len(content)] = len(frames)
    writer.close()

    assert list(found.values()) == [5, 10, 15, 20, 25, 30, 35]
    assert len(read(path)) == 40


def test_a_file_is_playable_after_its_process_was_killed(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from tests.pipeline.test_video_writer import FAST, VideoWriter, bgr\n"
        "writer = VideoWriter(__import__('pathlib').Path(sys.argv[1]), (64, 48), FAST)\n"
        "for step in range(50):\n"
        "    writer.add(bgr(step % 20), step * 40_000_000)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.mp4")], cwd=root, check=False)

    assert done.returncode == -signal.SIGKILL
    frames = read(tmp_path / "a.mp4")
    assert 40 <= len(frames) <= 50
    assert [left_side(pixels) // 2 for _, pixels in frames] == [step % 20 for step in range(len(frames))]


def test_a_full_disk_is_told_and_what_was_written_stays_readable(tmp_path, monkeypatch):
    path, room, real_write = tmp_path / "a.mp4", 6000, os.write

    def write_while_there_is_room(descriptor: int, content: bytes) -> int:
        taken = min(len(content), room - os.fstat(descriptor).st_size)
        if taken <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(descriptor, content[:taken])

    monkeypatch.setattr(fragment_file.os, "write", write_while_there_is_room)
    writer = VideoWriter(path, (64, 48), FAST)
    with pytest.raises(PipelineError) as caught:
        for step in range(200):
            writer.add(bgr(step % 20), step * 40_000_000)
    writer.close()

    assert str(caught.value) == f"{path}: {FULL}"
    assert isinstance(caught.value.__cause__, OSError)
    frames = read(path)
    assert len(frames) > 5
    assert [left_side(pixels) // 2 for _, pixels in frames] == [step % 20 for step in range(len(frames))]


def test_a_disk_that_is_full_at_the_end_is_told_by_close():
    writer = VideoWriter(Path("/dev/full"), (64, 48), FAST)
    writer.add(bgr(0), 0)

    with pytest.raises(PipelineError) as caught:
        writer.close()

    assert str(caught.value) == f"/dev/full: {FULL}"
    assert Path("/dev/full").exists()


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(PipelineError) as caught:
        VideoWriter(tmp_path / "no" / "a.mp4", (64, 48), FAST)

    assert str(caught.value) == (
        f"{tmp_path}/no/a.mp4: expected to write, got No such file or directory; check the path or give another folder "
        "with --out"
    )


def test_fragments_are_passed_on_whole(tmp_path):
    file = FragmentFile(tmp_path / "a")
    large = (1).to_bytes(4, "big") + b"mdat" + (40).to_bytes(8, "big") + bytes(24)
    content = box(b"ftyp", 16) + box(b"moof", 24) + box(b"mdat", 32) + box(b"moof", 8) + large

    sizes = []
    for at in range(len(content)):
        file.write(content[at : at + 1])
        sizes.append((tmp_path / "a").stat().st_size)
    file.write(b"\0\0")
    file.close()

    assert sorted(set(sizes)) == [0, 16, 72, 120]
    assert (tmp_path / "a").read_bytes() == content


def test_a_file_that_got_nothing_is_removed(tmp_path):
    file = FragmentFile(tmp_path / "a")
    file.write(box(b"ftyp", 16)[:9])
    file.close()

    assert list(tmp_path.iterdir()) == []
