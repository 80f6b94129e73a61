"""The video sink: one file per stream, new ones where sizes change, times that rise."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from nodes.write_video import WriteVideo
from pipeline.encoders import Encoder, nvenc_encoder, why_not
from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import Picture
from tests.clips import left_side, square
from tests.helpers import FakeContext, frames, make_node, run_node


def pictures(count: int, size_wh: tuple[int, int] = (64, 48)) -> list[Picture]:
    return [Picture((square(step, size_wh),), "bgr") for step in range(count)]


def times_s(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [round(float(frame.pts * frame.time_base), 4) for frame in container.decode(video=0)]


def steps(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [left_side(frame.to_ndarray(format="bgr24")) // 2 for frame in container.decode(video=0)]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.mp4"))


@pytest.fixture
def node(tmp_path: Path) -> WriteVideo:
    return make_node(WriteVideo, FakeContext(tmp_path), preset="ultrafast", crf=18)


def test_each_stream_gets_its_file(node, tmp_path):
    ticks = [
        [frames(2, ["door", "aisle"], pts_s=[0, 0], size_wh=(64, 48), pictures=pictures(2))],
        [frames(0)],
        [frames(2, ["door", "door"], pts_s=[0.1, 0.5], size_wh=(64, 48), pictures=pictures(4)[2:])],
    ]

    run_node(node, ticks, ended=["door"])

    assert files(tmp_path) == ["aisle/annotated.mp4", "door/annotated.mp4"]
    assert (times_s(tmp_path / "door/annotated.mp4"), steps(tmp_path / "door/annotated.mp4")) == (
        [0, 0.1, 0.5],
        [0, 2, 3],
    )
    assert (times_s(tmp_path / "aisle/annotated.mp4"), steps(tmp_path / "aisle/annotated.mp4")) == ([0], [1])


def test_no_frames_make_no_file(node, tmp_path):
    run_node(node, [[frames(0)]], ended=["door"])

    assert files(tmp_path) == []


def test_another_size_begins_another_file_and_says_so(node, tmp_path, caplog):
    ticks = [
        [frames(2, size_wh=(64, 48), pictures=pictures(2))],
        [frames(2, start_s=0.08, size_wh=(96, 64), pictures=pictures(2, (96, 64)))],
        [frames(1, start_s=0.16, size_wh=(64, 48), pictures=pictures(1))],
    ]

    run_node(node, ticks)

    assert files(tmp_path) == ["shop/annotated-2.mp4", "shop/annotated-3.mp4", "shop/annotated.mp4"]
    assert times_s(tmp_path / "shop/annotated-2.mp4") == [0, 0.04]
    folder = tmp_path / "shop"
    assert caplog.record_tuples == [
        (
            "nodes.write_video",
            logging.WARNING,
            f"stream=shop changes size from {was} to {now}; goes on in {folder}/annotated-{number}.mp4",
        )
        for was, now, number in (("64×48", "96×64", 2), ("96×64", "64×48", 3))
    ]


def test_a_new_generation_goes_on_after_the_last(node, tmp_path):
    ticks = [
        [frames(3, start_s=1.0, step_s=0.1, size_wh=(64, 48), pictures=pictures(3))],
        [frames(2, step_s=0.1, generation=1, size_wh=(64, 48), pictures=pictures(2))],
        [frames(1, start_s=9.0, generation=2, size_wh=(64, 48), pictures=pictures(1))],
    ]

    run_node(node, ticks)

    assert times_s(tmp_path / "shop/annotated.mp4") == [0, 0.1, 0.2, 0.3, 0.4, 8.0]


def test_a_stream_that_comes_back_gets_a_file_of_its_own(node, tmp_path):
    tick = [frames(2, size_wh=(64, 48), pictures=pictures(2))]

    node.process(*tick)
    node.stream_ended("shop")
    node.process(*tick)
    node.close()

    assert files(tmp_path) == ["shop/annotated-2.mp4", "shop/annotated.mp4"]


def test_a_run_replaces_what_an_earlier_one_wrote(tmp_path):
    for count in (5, 2):
        node = make_node(WriteVideo, FakeContext(tmp_path))
        run_node(node, [[frames(count, size_wh=(64, 48), pictures=pictures(count))]])

    assert len(times_s(tmp_path / "shop/annotated.mp4")) == 2


def test_a_slower_preset_makes_a_smaller_file(tmp_path):
    noise = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)
    noisy = [Picture((np.roll(noise, step, axis=1),), "bgr") for step in range(20)]
    sizes = []
    for name, config in (("a", {"preset": "ultrafast"}), ("b", {"preset": "faster"}), ("c", {"crf": 40})):
        run_node(
            make_node(WriteVideo, FakeContext(tmp_path / name), **config),
            [[frames(20, size_wh=(64, 48), pictures=noisy)]],
        )
        sizes.append((tmp_path / name / "shop/annotated.mp4").stat().st_size)

    assert sizes[0] > sizes[1] > sizes[2]


def test_a_replayed_tick_is_refused(node):
    with pytest.raises(ValueError, match=r"^WriteVideo: expected pictures, got a replayed tick, which has none; leave"):
        node.process(frames(1))


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("kept")
    node = make_node(WriteVideo, FakeContext(tmp_path / "out"))

    with pytest.raises(
        ConfigError, match=r"expected a folder, got the file '.*/out' in its path; remove the file or give"
    ):
        node.process(frames(1, size_wh=(64, 48), pictures=pictures(1)))

    assert (tmp_path / "out").read_text() == "kept"


class FullDisk(FakeContext):
    """A context whose first file of a stream stands on a device that is always full."""

    def output_path(self, stream_id: str, file: str) -> Path:
        return Path("/dev/full") if file == "annotated.mp4" else super().output_path(stream_id, file)


def test_after_a_full_disk_whoever_tries_again_begins_another_file(tmp_path):
    node = make_node(WriteVideo, FullDisk(tmp_path), preset="ultrafast", fragment_s=0.1)
    tick = frames(20, size_wh=(64, 48), pictures=pictures(20))

    with pytest.raises(
        PipelineError, match=r"^/dev/full: expected to write, got a full disk; free space or give another"
    ):
        node.process(tick)
    node.process(tick)
    node.close()

    assert files(tmp_path) == ["shop/annotated-2.mp4"]
    assert len(times_s(tmp_path / "shop/annotated-2.mp4")) == 20


def test_one_file_that_cannot_be_finished_does_not_keep_the_others_open(tmp_path):
    class OneFull(FakeContext):
        def output_path(self, stream_id: str, file: str) -> Path:
            return Path("/dev/full") if stream_id == "door" else super().output_path(stream_id, file)

    node = make_node(WriteVideo, OneFull(tmp_path))
    node.process(frames(2, ["door", "aisle"], pts_s=[0, 0], size_wh=(64, 48), pictures=pictures(2)))

    with pytest.raises(PipelineError, match=r"^/dev/full: "):
        node.close()

    assert len(times_s(tmp_path / "aisle/annotated.mp4")) == 1


def on_card(folder: Path, **config: Any) -> WriteVideo:
    return make_node(WriteVideo, FakeContext(folder, device=SimpleNamespace(kind="cuda")), preset="ultrafast", **config)


def codec(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.name


def test_without_nvenc_the_cpu_encodes_and_that_is_said_once_a_stream(tmp_path, caplog):
    if not why_not(nvenc_encoder("ultrafast", 23), (64, 48)):
        pytest.skip("this machine has NVENC")
    node = on_card(tmp_path)

    with caplog.at_level(logging.WARNING):
        for size_wh in ((64, 48), (32, 48)):
            node.process(frames(2, size_wh=size_wh, pictures=pictures(2, size_wh)))
        node.close()

    assert [codec(tmp_path / "shop" / name) for name in ("annotated.mp4", "annotated-2.mp4")] == ["h264", "h264"]
    told = [text for text in caplog.messages if "NVENC" in text]
    assert [text.split(": ")[:2] for text in told] == [
        ["stream=shop is encoded on the CPU", "NVENC does not work here"]
    ]


def test_nvenc_encodes_where_it_works(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("nodes.write_video.why_not", lambda encoder, size_wh: asked.append((encoder.codec, size_wh)))
    monkeypatch.setattr(
        "nodes.write_video.nvenc_encoder",
        lambda preset, crf: Encoder("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    )  # a stand-in
    node = on_card(tmp_path)

    node.process(frames(2, size_wh=(64, 48), pictures=pictures(2)))
    node.close()

    assert asked == [("libx265", (64, 48))]
    assert codec(tmp_path / "shop/annotated.mp4") == "hevc"


@pytest.mark.parametrize(("kind", "config"), [("cuda", {"encoder": "cpu"}), ("cpu", {})])
def test_nvenc_is_not_asked_for_by_who_wants_the_cpu_or_has_no_gpu(tmp_path, monkeypatch, kind, config):
    monkeypatch.setattr("nodes.write_video.why_not", lambda encoder, size_wh: pytest.fail("asked"))
    node = make_node(WriteVideo, FakeContext(tmp_path, device=SimpleNamespace(kind=kind)), **config)

    node.process(frames(2, size_wh=(64, 48), pictures=pictures(2)))
    node.close()

    assert codec(tmp_path / "shop/annotated.mp4") == "h264"
