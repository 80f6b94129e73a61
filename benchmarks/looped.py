"""Make a long clip of a short one: its packets again and again, times shifted, nothing encoded anew."""

from __future__ import annotations

import math
from pathlib import Path


def write_looped(video: Path, seconds: float, out: Path) -> int:
    """Write a clip of at least some seconds and return its number of frames.

    Args:
        video: H.264 at a constant rate.
        seconds: length that is reached or exceeded by less than one loop.
        out: an `.mp4` file; replaced if it is there.
    """
    import av

    with av.open(str(video)) as source, av.open(str(out), "w") as target:
        video_in = source.streams.video[0]
        assert video_in.average_rate is not None and video_in.time_base is not None
        length_s = video_in.frames / video_in.average_rate
        step = round(length_s / video_in.time_base)
        loops = max(1, math.ceil(seconds / length_s))
        video_out = target.add_stream_from_template(video_in)
        for loop in range(loops):
            source.seek(0)
            for packet in source.demux(video_in):
                if packet.pts is None or packet.dts is None:
                    continue  # the one that marks the end
                packet.pts += loop * step
                packet.dts += loop * step
                packet.stream = video_out
                target.mux(packet)
        return loops * int(video_in.frames)
