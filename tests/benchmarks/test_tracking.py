"""Trackers beside each other: what they are given, how they are counted, and what goes into the file."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from benchmarks import peer_process, tracking
from benchmarks.mot_sequences import MotSequence, find_sequences
from benchmarks.our_tracker import OurTracker, detections_of, frames_of
from benchmarks.peer_process import PEERS, PYTHON, PeerProcess, write_detections, write_truth
from benchmarks.results import ROOT
from benchmarks.tracking import KEYS, checked, main
from cli import program
from nodes.ops.mot_text import read_rows
from pipeline.errors import ConfigError, PipelineError

FRAMES, FPS = 20, 10
NAMES = ["MOT17-A", "MOT17-B", "other"]


def walkers(frame: int) -> list[tuple[float, float, float, float]]:
    """Return left, top, width, height of two people who walk towards each other, apart, in a picture of 640 × 480."""
    return [(20 + 4 * frame, 100, 50, 150), (500 - 4 * frame, 300, 50, 150)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of three sequences of the same two people, of whom the second is not seen in frame 10."""
    for name in NAMES:
        folder = tmp_path / "mot" / name
        folder.mkdir(parents=True)
        rows = [
            (frame, person, *box) for frame in range(1, FRAMES + 1) for person, box in enumerate(walkers(frame - 1), 1)
        ]
        true = [",".join(map(str, row)) + ",1,1,1\n" for row in rows]
        found = [f"{frame},-1,{x},{y},{w},{h},0.9\n" for frame, who, x, y, w, h in rows if (frame, who) != (10, 2)]
        (folder / "gt.txt").write_text("".join(true))
        (folder / "det.txt").write_text("".join(found))
        (folder / "seqinfo.ini").write_text(f"[Sequence]\nframeRate={FPS}\nimWidth=640\nimHeight=480\n")
    return tmp_path / "mot"


def first(root: Path) -> MotSequence:
    return find_sequences(root, NAMES[:1], {})[0]


def read_lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


class FakePeers:
    """Stand in for `PeerProcess`: each run of a sequence takes a tenth of the time of the run before."""

    def __init__(self, python: Path) -> None:
        self.runs: dict[tuple[str, str], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def track(self, tracker: str, sequence: MotSequence, detections: Path, tracks: Path) -> float:
        assert np.load(detections)["first"][-1] == 2 * FRAMES - 1
        self.runs[tracker, sequence.name] = run = self.runs.get((tracker, sequence.name), 0) + 1
        tracks.touch()
        return FRAMES / 100 * 0.1 ** (run - 1)

    def score(
        self,
        tracks: Mapping[str, Mapping[str, Path]],
        truth: Mapping[str, Path],
        groups: Mapping[str, Sequence[str]],
    ) -> dict[str, dict[str, dict[str, float]]]:
        assert all(len(read_rows(path)) == 2 * FRAMES for path in truth.values())
        assert len(read_rows(tracks["ours_online"]["other"])) == 2 * FRAMES
        figures: dict[str, float] = {"hota": 50.0, "assa": 51.0, "idf1": 60.0, "mota": 40.0, "idsw": 3}
        return {name: {place: figures for place in [*files, *groups]} for name, files in tracks.items()}


def test_the_file_has_every_tracker_by_group_and_sequence(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking, "PeerProcess", FakePeers)

    code = main(["--root", str(root), "--out", str(tmp_path), "--repeat", "2", "--set", "tracks.coast_s=0.4"])

    written = json.loads((tmp_path / "tracking.json").read_text())
    trackers = ["ours_online", "ours_offline", *PEERS]
    assert code == 0
    assert [name for name in written if name not in ("mot17", "sequences", "checked", "details")] == trackers
    assert list(written["mot17"]) == trackers
    assert {name: list(rows) for name, rows in written["sequences"].items()} == dict.fromkeys(NAMES, trackers)
    assert list(written["sort"]) == list(KEYS)
    assert written["sort"]["hota"] == 50
    # Of two runs the faster counts.
    assert [
        rows["sort"]["frames_per_cpu_s"] for rows in (written, written["mot17"], written["sequences"]["other"])
    ] == [1000] * 3
    assert written["details"]["values"] == ["tracks.coast_s=0.4"]
    assert written["details"]["sequences"]["other"] == {"frames": FRAMES, "fps": FPS, "size_wh": [640, 480]}
    assert (
        "botsort                   50      51      60      40       3                 1000\n" in capsys.readouterr().out
    )


def test_ours_alone_on_some_sequences(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "PeerProcess", FakePeers)
    monkeypatch.setenv("GAZE_REAL_DATA", str(root.parent))

    assert main(["--seq", "other", "--out", str(tmp_path), "--ours-only", "--check"]) == 1

    written = json.loads((tmp_path / "tracking.json").read_text())
    assert list(written) == ["ours_online", "ours_offline", "sequences", "checked", "details"]
    assert {key for key, figure in written["checked"].items() if figure is not None} == {
        "offline_hota_over_online",
        "offline_idf1_over_online",
    }


def test_what_targets_are_about() -> None:
    def row(hota: float, idf1: float, speed: float) -> dict[str, float]:
        return {"hota": hota, "idf1": idf1, "frames_per_cpu_s": speed}

    mot17 = {
        "ours_online": row(55, 64, 3000),
        "ours_offline": row(57, 67, 2000),
        "sort": row(50, 62, 4000),
        "botsort": row(53, 61, 1200),
    }
    one = {**mot17, "ours_offline": row(55.5, 63.25, 2000)}
    stadtmitte = {"ours_online": row(55, 78, 1), "sort": row(53.5, 79, 1), "botsort": row(54, 77, 1)}
    every = {**mot17, "ours_offline": row(55.25, 63, 2000)}
    rows = {"all sequences": every, "MOT17": mot17, "MOT17-04": one, "MOT17-11": mot17, "TUD-Stadtmitte": stadtmitte}

    assert checked(rows) == {
        "checked.ours_online_hota": 55,
        "checked.ours_online_idf1": 64,
        "checked.ours_offline_hota": 57,
        "checked.ours_offline_idf1": 67,
        "checked.speed_ratio": 2.5,
        "checked.stadtmitte_hota_over_peers": 1,
        "checked.stadtmitte_idf1_over_peers": -1,
        "checked.offline_hota_over_online": 0.5,
        "checked.offline_idf1_over_online": -0.75,
    }


def test_our_tracker_is_given_bodies_by_frame_in_fractions(root: Path) -> None:
    sequence = first(root)

    frames, found = frames_of(sequence), detections_of(sequence)

    assert [int(frame.pts_ns[0]) for frame in frames[:3]] == [0, 100_000_000, 200_000_000]
    assert [len(people) for people in found] == [2] * 9 + [1] + [2] * 10
    assert found[1].body_box == pytest.approx(
        np.array([[24 / 640, 100 / 480, 74 / 640, 250 / 480], [496 / 640, 300 / 480, 546 / 640, 450 / 480]])
    )
    assert found[1].body_score.tolist() == pytest.approx([0.9, 0.9])
    assert np.isnan(found[1].head_box).all()
    assert not found[1].head_score.any()


@pytest.mark.parametrize("name", ["ours_online", "ours_offline"])
def test_our_tracks_are_written_in_pixels_with_one_number_for_each_person(
    root: Path, tmp_path: Path, name: str
) -> None:
    sequence, path = first(root), tmp_path / "tracks.txt"

    cpu_s = OurTracker([], tmp_path).track(name, sequence, path)

    rows = read_rows(path)
    assert cpu_s > 0
    assert len(rows) == 2 * FRAMES
    for frame in (1, 9, 10, 20):
        boxes = rows.box_px[rows.frame == frame]
        assert boxes[np.argsort(boxes[:, 0])] == pytest.approx(np.array(sorted(walkers(frame - 1))), abs=2)
    assert {len(set(rows.id[rows.box_px[:, 1] < 200])), len(set(rows.id[rows.box_px[:, 1] > 200]))} == {1}
    assert len(set(rows.id)) == 2


@pytest.mark.parametrize(("name", "offline"), [("ours_online", "false"), ("ours_offline", "true")])
def test_what_is_measured_is_what_the_graph_writes(root: Path, tmp_path: Path, name: str, offline: str) -> None:
    OurTracker([], tmp_path).track(name, first(root), tmp_path / "tracks.txt")
    command = [str(ROOT / "graphs" / "track.yaml"), "--source", f"a={root / NAMES[0] / 'det.txt'}"]

    assert program.main([*command, "--set", f"tracks.offline={offline}", "--out", str(tmp_path)]) == 0

    assert read_lines(tmp_path / "a" / "tracks.txt") == read_lines(tmp_path / "tracks.txt")


def test_values_that_no_tracker_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"tracks\.coast"):
        OurTracker(["tracks.coast=1"], tmp_path)


def test_detections_are_handed_over_by_frame(root: Path, tmp_path: Path) -> None:
    write_detections(first(root), tmp_path / "detections.npz")

    arrays = np.load(tmp_path / "detections.npz")
    assert arrays["first"].tolist() == [*range(0, 19, 2), *range(19, 40, 2)]
    assert arrays["box_px"][3].tolist() == [496, 300, 546, 450]
    assert arrays["score"].tolist() == [0.9] * 39


def test_the_folder_of_sequences_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAZE_REAL_DATA", raising=False)

    with pytest.raises(ConfigError) as unset:
        main([])

    assert str(unset.value) == (
        "GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it or give --root"
    )


def test_no_runs_are_refused() -> None:
    with pytest.raises(ConfigError) as wrong:
        main(["--repeat", "0"])

    assert str(wrong.value) == "--repeat: expected 1 or more, got 0"


def test_an_environment_without_peers_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        main(["--root", str(root), "--peers", str(tmp_path / "python")])

    assert str(missing.value) == (
        f"{tmp_path}/python: expected an environment with requirements/bench.txt, got none; type make bench-tracking"
    )


def test_a_peer_that_fails_is_no_figure(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "fails.py"
    program.write_text("input(); raise SystemExit(3)")
    monkeypatch.setattr(peer_process, "_PROGRAM", program)

    with PeerProcess(Path(sys.executable)) as peers, pytest.raises(PipelineError) as failed:
        peers.track("sort", first(root), tmp_path / "x.npz", tmp_path / "x.txt")

    assert str(failed.value) == f"{program}: expected an answer, got none; see what it said above, then run again"


@pytest.fixture(scope="module")
def peers() -> Any:
    if not PYTHON.exists():
        pytest.skip("no .venv-bench: make bench-tracking makes it")
    with PeerProcess(PYTHON) as started:
        yield started


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_follows_and_is_scored(root: Path, tmp_path: Path, peers: PeerProcess, name: str) -> None:
    sequence = first(root)
    detections, tracks, truth = tmp_path / "d.npz", tmp_path / "t.txt", tmp_path / "gt.txt"
    write_detections(sequence, detections)
    write_truth(sequence, truth)

    cpu_s = peers.track(name, sequence, detections, tracks)
    scores = peers.score({name: {"A": tracks}}, {"A": truth}, {"all": ["A"]})[name]

    assert 0 < cpu_s < 10
    assert len(set(read_rows(tracks).id)) == 2
    assert scores["A"] == scores["all"]
    assert scores["A"]["idsw"] == 0
    assert scores["A"]["hota"] > 80


def test_scores_of_all_nothing_and_the_truth_itself(root: Path, tmp_path: Path, peers: PeerProcess) -> None:
    sequence, truth, nothing = first(root), tmp_path / "gt.txt", tmp_path / "nothing.txt"
    write_truth(sequence, truth)
    nothing.touch()

    scores = peers.score({"true": {"A": truth}, "none": {"A": nothing}}, {"A": truth}, {"all": ["A"]})

    assert scores["true"]["all"] == {"hota": 100, "assa": 100, "idf1": 100, "mota": 100, "idsw": 0}
    assert scores["none"]["all"] == {"hota": 0, "assa": 0, "idf1": 0, "mota": 0, "idsw": 0}
