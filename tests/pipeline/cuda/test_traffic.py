"""What crosses between host and device is counted by thread, way and what it was."""

from __future__ import annotations

import threading

from pipeline.cuda.traffic import Traffic, since


def test_copies_and_bytes_are_told_by_thread_and_way() -> None:
    traffic = Traffic()
    traffic.count("to_device", "pictures", 100)
    traffic.count("to_device", "pictures", 50)
    traffic.count("to_device", "tables", 7)
    gaze = threading.Thread(target=traffic.count, args=("to_host", "values", 9), name="gaze")
    gaze.start()
    gaze.join()

    assert traffic.to_dict() == {
        "MainThread: to_device pictures": {"copies": 2, "bytes": 150, "large": 0},
        "MainThread: to_device tables": {"copies": 1, "bytes": 7, "large": 0},
        "gaze: to_host values": {"copies": 1, "bytes": 9, "large": 0},
    }
    assert traffic.total("to_device") == (3, 157)
    assert traffic.total("to_device", "tables") == (1, 7)


def test_a_run_tells_what_crossed_in_it_alone() -> None:
    traffic = Traffic()
    traffic.count("to_device", "pictures", 100)
    traffic.count("to_host", "values", 1)
    before = traffic.to_dict()
    traffic.count("to_device", "pictures", 30)

    assert since(traffic.to_dict(), before) == {
        "MainThread: to_device pictures": {"copies": 1, "bytes": 30, "large": 0}
    }
