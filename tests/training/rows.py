"""Rendered sets made by hand."""

import numpy as np

from training.data import CROP, CROP_WH, MOST_PEOPLE, PERSON, STILL_WH, Rows

FRONT, RIGHT = (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)


def crop_rows(count: int, vectors: tuple[float, float, float] = FRONT) -> Rows:
    """Return crops of one grey each, 0, 1, 2 and so on, with the head in the middle."""
    truth = np.zeros((count, 1), CROP)
    truth["head_box"], truth["head_vector"], truth["gaze_vector"] = (0.25, 0.25, 0.75, 0.75), vectors, vectors
    pictures = np.empty((count, CROP_WH, CROP_WH, 3), np.uint8)
    pictures[:] = np.arange(count).reshape(-1, 1, 1, 1)
    return Rows(pictures, truth, np.ones(count, np.int16))


def still_rows(count: int, people: int = 1) -> Rows:
    """Return grey stills; in each so many people face the camera and look at a point beside them."""
    truth = np.zeros((count, MOST_PEOPLE), PERSON)
    for k in range(people):
        left = 0.1 + 0.8 * k / max(1, people)
        row = truth[:, k]
        row["body_box"], row["head_box"] = (left, 0.3, left + 0.12, 0.9), (left + 0.03, 0.3, left + 0.09, 0.45)
        row["face_box"] = left + 0.04, 0.34, left + 0.08, 0.44
        row["body_visible"] = row["head_visible"] = row["face_visible"] = 1.0
        row["head_vector"] = row["gaze_vector"] = FRONT
        row["target_point"], row["in_frame"] = (left + 0.2, 0.4), True
    pictures = np.full((count, STILL_WH[1], STILL_WH[0], 3), 128, np.uint8)
    return Rows(pictures, truth, np.full(count, people, np.int16))
