import numpy as np

from nodes.ops.face_heads import heads_of_faces


def test_a_head_is_larger_than_its_face_and_lies_above_it() -> None:
    faces = np.array([[0.4, 0.4, 0.6, 0.5], [0.0, 0.0, 0.1, 0.2]], np.float32)

    heads = heads_of_faces(faces, 1.5, 2.0, 0.5)

    assert np.allclose(heads, [[0.35, 0.3, 0.65, 0.5], [-0.025, -0.2, 0.125, 0.2]])
    assert heads.dtype == np.float32


def test_no_faces_are_no_heads() -> None:
    assert heads_of_faces(np.empty((0, 4), np.float32), 1.35, 1.35, 0.15).shape == (0, 4)
