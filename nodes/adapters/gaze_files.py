"""What a file of the family of Gaze-LLE takes and returns, as it declares it: one picture or many, of which size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, cast

from pipeline.errors import ModelError
from pipeline.session import Session

FAMILY = "gazelle"
PICTURES, BOXES, PICTURE_ROW = "image_bgr", "bboxes_x1y1x2y2", "image_row"
MAPS, IN_FRAME = "heatmap", "inout"


@dataclass(frozen=True)
class GazeFile:
    """How a file takes pictures and heads, and what it tells."""

    size_wh: tuple[int, int]
    layout: Literal["nchw", "nhwc"]
    dtype: Literal["float32", "uint8"]
    many: bool
    """It takes many pictures at a time, and is told in which of them each head is."""
    flat_boxes: bool
    """Boxes go in as [heads, 4], not as [1, heads, 4]."""
    one_head: bool
    """It takes one head at a time."""
    tells_in_frame: bool

    @classmethod
    def of(
        cls, session: Session, name: str, where: str, output: str = MAPS, axes: tuple[str, ...] = ("h", "w")
    ) -> Self:
        """Read it off what a file declares.

        Args:
            session: with the file and its card.
            name: of the card, for messages.
            where: the setting that names it, for messages.
            output: what it must tell of each head.
            axes: names of the axes of that behind the first.

        Raises:
            ModelError: the file is of another family, or its size is not known or another than the card says.
        """
        card, inputs = session.card, session.inputs
        shape, dtype = inputs.get(PICTURES, ((), ""))
        boxes = inputs.get(BOXES, ((), ""))[0]
        many = PICTURE_ROW in inputs
        layout = "nchw" if shape[1:2] == (3,) else "nhwc" if shape[3:] == (3,) else ""
        fits = (
            card.family == FAMILY
            and len(shape) == 4
            and (len(boxes) == 3 or (len(boxes) == 2 and many))
            and layout != ""
            and dtype in ("float32", "uint8")
            and set(inputs) <= {PICTURES, BOXES, PICTURE_ROW}
            and output in session.outputs
            # What a file does not declare, its first answer shows.
            and len(session.outputs[output][0]) in (0, 1 + len(axes))
            and (not isinstance(shape[0], int) or (shape[0] == 1 and not many))
            and (not isinstance(boxes[-2], int) or boxes[-2] == 1)
        )
        if not fits:
            raise ModelError(
                f"{where}: expected a card of the family {FAMILY!r} whose file takes {PICTURES} [1, 3, H, W] and "
                f"{BOXES} [1, heads, 4], or [pictures, 3, H, W] or [pictures, H, W, 3], [1, heads, 4] or [heads, 4], "
                f"and {PICTURE_ROW} [heads], and returns {output} [{', '.join(('heads', *axes))}], got {name!r} of "
                f"{card.family!r} with {_words(session)}; choose a gaze model"
            )
        if card.picture.fit != "stretch":
            raise ModelError(
                f"{where}: expected pictures that fill the input, as boxes and maps are fractions of it, got "
                f"picture.fit {card.picture.fit!r} in {name!r}; take it out of the card"
            )
        size = shape[2:][::-1] if layout == "nchw" else shape[1:3][::-1]
        return cls(
            _size_of(size, card.input_size_wh, name, where),
            cast(Literal["nchw", "nhwc"], layout),
            cast(Literal["float32", "uint8"], dtype),
            many,
            len(boxes) == 2,
            boxes[-2] == 1,
            IN_FRAME in card.contract.outputs,
        )


def _size_of(
    declared: tuple[int | str | None, ...], said: tuple[int, int] | None, name: str, where: str
) -> tuple[int, int]:
    """Return width and height of the pictures: what the file fixes, else what the card says; both must agree."""
    size = tuple(
        extent if isinstance(extent, int) else said[axis] if said else None for axis, extent in enumerate(declared)
    )
    if None in size:
        raise ModelError(
            f"{where}: expected a file with pictures of a fixed size, or `input_size_wh` in its card, got "
            f"{list(declared)} and none in {name!r}; write there the size that the model was made for"
        )
    if said is not None and size != tuple(said):
        raise ModelError(
            f"{where}: expected pictures of the size in the card {name!r}, {list(said)}, got a file with "
            f"{list(size)} (width, height); correct or leave out `input_size_wh`"
        )
    return cast(tuple[int, int], size)


def _words(session: Session) -> str:
    parts = [f"{name} {list(shape)}" for name, (shape, _) in (*session.inputs.items(), *session.outputs.items())]
    return ", ".join(parts) or "nothing"
