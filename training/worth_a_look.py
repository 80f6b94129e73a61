"""Which boxes that the maps find are looked at a second time: each costs about a tenth of all else.

What the maps hardly take for a head often is one all the same where a body hangs below it; elsewhere it is clutter.
"""

from __future__ import annotations

from torch import Tensor

ALONE_FROM = 0.27
"""What boxes without a body must have from the maps."""
_ON_BODY_FROM, _BODY_FROM = 0.15, 0.4
"""What a box must have that lies where the head of a body is, and this body."""
_TOP, _ABOVE = 0.25, 0.02
"""Where the centres of heads are: in this share of the body's box, or so much of the picture above it."""


def worth_a_look(
    boxes: Tensor, raw: Tensor, bodies: Tensor, bodies_raw: Tensor, alone_from: float = ALONE_FROM
) -> Tensor:
    """Return (N, K), 1 for each box that is worth a second look, else 0.

    Args:
        boxes: (N, K, 4) of what may be heads, fractions.
        raw: (N, K) how sure the maps are of them, 0..1.
        bodies: (N, B, 4) fractions.
        bodies_raw: (N, B) how sure the maps are of them, 0..1.
        alone_from: what boxes without a body must have.
    """
    on_body = at_top(boxes, bodies) * (bodies_raw > _BODY_FROM).to(raw.dtype).unsqueeze(1)
    hinted = on_body.amax(2) * (raw > _ON_BODY_FROM).to(raw.dtype)
    return hinted.maximum((raw > alone_from).to(raw.dtype))


def at_top(boxes: Tensor, bodies: Tensor) -> Tensor:
    """Return (N, K, B), 1 where the centre of a box (N, K, 4) lies where the head of a body (N, B, 4) is, else 0."""
    x1, y1, x2, y2 = boxes.split(1, 2)  # (N, K, 1)
    left, top, right, bottom = bodies.transpose(1, 2).split(1, 1)  # (N, 1, B)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    beside = (x > left) & (x < right)
    return (beside & (y > top - _ABOVE) & (y < top + _TOP * (bottom - top))).to(boxes.dtype)
