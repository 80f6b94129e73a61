"""The box of a whole head, made of that of its face."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.boxes import centres, sizes

Array = np.ndarray[Any, np.dtype[Any]]

HEAD_OF_FACE = (1.35, 1.35, 0.15)
"""Width and height of a head, in those of its face, and how far its centre lies above that of the face, in heights of
the face, where a card tells nothing.

By anthropometry: boxes of faces reach from the chin to about the hairline and from cheek to cheek. Of adults that is
some 185 mm by 137 mm (face height to the hairline, width across the cheek bones); the head is some 225 mm high without
hair and 185 mm wide over the ears (Farkas, Anthropometry of the Head and Face, 1994; between men and women). Hair adds
some 25 mm on top, and at the sides little that reaches beyond the ears: 250 / 185 = 1.35 and 185 / 137 = 1.35. Both
end at the chin, so the centre rises by half of what the height gains, 0.175, less what boxes of heads reach below it.
"""


def heads_of_faces(faces: Array, width: float, height: float, up: float) -> Array:
    """Return the boxes (N, 4) of whole heads about faces (N, 4), which may reach beyond the frame.

    Args:
        faces: xyxy, any unit.
        width: of a head, in widths of its face.
        height: of a head, in heights of its face.
        up: how far its centre lies above that of the face, in heights of the face.
    """
    side, middle = sizes(faces), centres(faces)
    half = side * np.array([width, height], faces.dtype) * faces.dtype.type(0.5)
    middle = middle - side * np.array([0, up], faces.dtype)
    return np.concatenate([middle - half, middle + half], axis=1)
