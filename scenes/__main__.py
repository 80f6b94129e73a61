"""Render a clip with its truth: `python -m scenes --seed 1 --seconds 12 --out clip.mp4`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from scenes.place import KINDS


def main(arguments: list[str] | None = None) -> int:
    """Render what the command line asks for; return the exit code (0 done, 2 wrong input)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.demo == (options.out is not None):
        parser.error("expected either --out FILE.mp4 or --demo")
    from scenes.boxes import write_boxes
    from scenes.clip import make_clip
    from scenes.demo import BOXES, VIDEO, make_demo
    from scenes.files import read_truth, write_clip

    try:
        if options.demo:
            video, clip = VIDEO, make_demo()
        else:
            video = options.out
            clip = make_clip(
                options.seed,
                seconds=options.seconds,
                fps=options.fps,
                size_wh=options.size,
                place=options.place,
                people=options.people,
            )
        truth = write_clip(clip, video, quality=23 if options.demo else 21)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    areas = ", ".join(aoi.name for aoi in clip.aois) or "none"
    print(f"{video}: {len(clip)} frames, {len(clip.actors)} people, areas: {areas}")
    print(f"{truth}: {len(clip.fixations)} fixations")
    if options.demo:
        print(write_boxes(read_truth(truth), BOXES))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenes", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what to draw (default 1)")
    parser.add_argument("--seconds", type=float, default=12.0, help="length of the clip (default 12)")
    parser.add_argument("--fps", type=float, default=12.5, help="frames a second (default 12.5)")
    parser.add_argument("--size", type=_size, default=(480, 288), metavar="WxH", help="default 480x288")
    parser.add_argument("--place", choices=KINDS, help="default: the seed decides")
    parser.add_argument("--people", type=int, help="how many take part; default: the seed decides")
    parser.add_argument("--out", type=Path, metavar="FILE.mp4", help="video; its truth is written beside it")
    parser.add_argument("--demo", action="store_true", help="render the clip that ships again")
    return parser


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 480x288, got {text!r}")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(main())
