"""Write upstream architectures with random weights: python -m training.architectures gazelle-dinov3-atto --out DIR."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.architectures.names import architectures
from training.architectures.write import write


def main() -> None:
    """Write the named files and print their paths."""
    known = architectures()
    parser = argparse.ArgumentParser(
        prog="python -m training.architectures",
        description="Write upstream architectures with random weights as ONNX files with the released files' names.",
        epilog="names: " + ", ".join(known),
    )
    parser.add_argument(
        "names", nargs="+", choices=list(known), metavar="NAME", help="name of a card in configs/models"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    for name in arguments.names:
        print(write(name, known[name], arguments.out))


if __name__ == "__main__":
    main()
