"""Write the pictures of each stream to a video file."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from pipeline.encoders import Encoder, cpu_encoder, nvenc_encoder, why_not
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch, Picture
from pipeline.node import Context, Node, NodeConfig
from pipeline.video_writer import Encoding, VideoWriter

logger = logging.getLogger(__name__)


class Config(NodeConfig):
    encoder: Literal["auto", "cpu"] = "auto"
    """`auto`: NVENC where models run on a GPU that has it and takes the size of the pictures, else the CPU. `cpu`: x264
    always, whose files are smaller."""
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = "veryfast"
    """Effort of the encoder. Slower: smaller files of the same quality, more CPU."""
    crf: float = Field(default=23.0, ge=0, le=51)
    """Quality: 18 is near to lossless, 23 ordinary, 28 coarse. Raise for smaller files and a little less CPU."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads of each stream's encoder. Raise when this node is the slowest and cores idle."""
    fragment_s: float = Field(default=1.0, gt=0, le=60)
    """Seconds of video in one fragment: what a crash costs. Lower: less is lost, the file is a little larger."""


class WriteVideo(Node[Config]):
    """Write `annotated.mp4` for each stream: H.264 in fragmented MP4, playable to its last fragment after a crash.

    Times are kept, counted from the first picture of the file, so variable rates are kept, too. A picture of another
    size begins `annotated-2.mp4`, and so on; a new generation of the stream (a reconnect, a loop) goes on in the same
    file, after what is there. Pictures that are still as the decoder left them are encoded without being converted.

    State: an encoder and a file per stream, closed when the stream ends.
    Empty: nothing is written; a stream without pictures makes no file.
    """

    begins_stage: ClassVar[bool] = True
    reads_pictures: ClassVar[bool] = True
    sink_policy: ClassVar[Literal["keep", "drop"]] = "drop"

    def __init__(self, config: Config, context: Context) -> None:
        super().__init__(config, context)
        self._files: dict[str, _File] = {}
        self._segments: dict[str, int] = {}
        self._refused: set[str] = set()
        """Streams that NVENC has refused."""

    def process(self, frames: FrameBatch) -> None:
        if len(frames) and not frames.pictures:
            raise ValueError("WriteVideo: expected pictures, got a replayed tick, which has none; leave this node out")
        for row, picture in enumerate(frames.pictures):
            self._write(frames.stream_id[row], int(frames.generation[row]), int(frames.pts_ns[row]), picture)

    def stream_ended(self, stream_id: str) -> None:
        file = self._files.pop(stream_id, None)
        if file is not None:
            file.writer.close()

    def close(self) -> None:
        files, self._files = list(self._files.values()), {}
        errors = []
        for file in files:
            try:
                file.writer.close()
            except Exception as error:  # each file is closed, whatever became of the others
                errors.append(error)
        if errors:
            raise errors[0]

    def _write(self, stream_id: str, generation: int, pts_ns: int, picture: Picture) -> None:
        file = self._files.get(stream_id)
        if file is None or file.writer.size_wh != picture.size_wh:
            file = self._begin(stream_id, picture.size_wh, generation)
        if generation != file.generation:
            # Times of a generation have nothing to do with those of the last: go on one frame after it.
            file.generation = generation
            file.shift_ns = max((file.last_ns or 0) + file.period_ns - pts_ns, 0)
        shown_ns = pts_ns + file.shift_ns
        try:
            file.writer.add(picture, shown_ns)
        except PipelineError:
            # What was written stays; whoever tries again begins another file.
            self.stream_ended(stream_id)
            raise
        if file.last_ns is not None:
            file.period_ns = shown_ns - file.last_ns
        file.last_ns = shown_ns

    def _begin(self, stream_id: str, size_wh: tuple[int, int], generation: int) -> _File:
        before = self._files.get(stream_id)
        self.stream_ended(stream_id)
        number = self._segments[stream_id] = self._segments.get(stream_id, 0) + 1
        path = self.context.output_path(stream_id, "annotated.mp4" if number == 1 else f"annotated-{number}.mp4")
        if before is not None:
            was, now = "×".join(map(str, before.writer.size_wh)), "×".join(map(str, size_wh))
            logger.warning("stream=%s changes size from %s to %s; goes on in %s", stream_id, was, now, path)
        encoding = Encoding(self._encoder(stream_id, size_wh), self.config.threads, self.config.fragment_s)
        file = self._files[stream_id] = _File(VideoWriter(path, size_wh, encoding), generation)
        return file

    def _encoder(self, stream_id: str, size_wh: tuple[int, int]) -> Encoder:
        """Return the encoder of a stream's next file; that of the CPU where the card's cannot, which is said once."""
        config = self.config
        on_cpu = cpu_encoder(config.preset, config.crf)
        if config.encoder == "cpu" or self.context.device.kind != "cuda" or stream_id in self._refused:
            return on_cpu
        on_card = nvenc_encoder(config.preset, config.crf)
        why = why_not(on_card, size_wh)
        if why:
            self._refused.add(stream_id)
            logger.warning("stream=%s is encoded on the CPU: NVENC does not work here: %s", stream_id, why)
        return on_cpu if why else on_card


@dataclass
class _File:
    """One file being written, and what is needed to keep its times rising."""

    writer: VideoWriter
    generation: int
    shift_ns: int = 0
    last_ns: int | None = None
    period_ns: int = 40_000_000
