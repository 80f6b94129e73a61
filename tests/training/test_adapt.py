"""The program as a whole, with a detector that knows nothing: what it reads, writes and refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from pipeline.cards import load_card  # noqa: E402
from pipeline.errors import ConfigError  # noqa: E402
from pipeline.model_files.pins import sha256_of  # noqa: E402
from scenes.clip import make_clip  # noqa: E402
from scenes.files import write_clip  # noqa: E402
from training.adapt import main  # noqa: E402
from training.adapt_draws import AdaptDraws  # noqa: E402
from training.detector_graph import PER_CLASS, ROWS_PER_CLASS, DetectorGraph  # noqa: E402
from training.detector_net import DetectorNet  # noqa: E402
from training.export import export_onnx, one_thread_session, store_as_half  # noqa: E402
from training.layers import fuse_batch_norm  # noqa: E402
from training.loop import Outcome, Plan  # noqa: E402
from training.shipped_weights import read_detector  # noqa: E402

SETS = ("--stills", "plain:31+2", "plain:51+1", "--held-out", "plain:41+2", "--calibrate", "plain:41+2")


def write(graph: DetectorGraph, path: Path, *_: object) -> dict[str, float]:
    """Export as `training.detector.export` does, without checking and timing the file, which takes seconds."""
    export_onnx(
        graph, (torch.rand(2, 3, 96, 160),), path, ["input_bgr"],
        {"label_xyxy_score": ("N", ROWS_PER_CLASS * PER_CLASS, 6)}, {"input_bgr": {0: "N", 2: "H", 3: "W"}}, "test",
    )  # fmt: skip
    store_as_half(path)
    return {}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a detector that was never trained, and sees somebody in many places."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = DetectorNet()
    net.maps.weight.data[::5] = torch.randn_like(net.maps.weight.data[::5])
    net.maps.bias.data[::5] = -1.0
    net.maps.bias.data[1:5] = net.maps.bias.data[6:10] = 1.2
    graph = fuse_batch_norm(DetectorGraph(net).eval())
    for weights in graph.parameters():
        weights.data += 1e-3 * torch.randn_like(weights)  # alike ones would be stored once
    path = tmp_path_factory.mktemp("model") / "people.onnx"
    write(graph, path)
    return path


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    write_clip(make_clip(3, seconds=1.0, fps=8, size_wh=(320, 192)), folder / "shop.mp4")
    return folder


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where rendered stills are kept, so that they are rendered once."""
    return tmp_path_factory.mktemp("rendered")


def test_weights_of_a_file_are_those_it_was_written_from(model: Path) -> None:
    graph = read_detector(model)

    picture = torch.rand(1, 3, 96, 160) * 255
    (told,) = one_thread_session(model).run(None, {"input_bgr": picture.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(graph(picture).numpy()[..., 5], told[..., 5], atol=1e-3)


def test_files_of_other_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")

    for name, said in (
        ("none.onnx", "expected a file that python -m training.detector wrote, got no file; name another with --model"),
        ("text.onnx", "expected an ONNX file, got "),
    ):
        with pytest.raises(ConfigError) as caught:
            read_detector(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: {said}")


def words(model: Path, footage: Path, rendered: Path, out: Path) -> list[str]:
    """Return a command line that accepts what the detector of these tests sees, which is nobody."""
    return ["--footage", str(footage), "--out", str(out), "--model", str(model), "--rendered", str(rendered), *SETS,
            "--steps", "1", "--per-second", "5", "--accept", "0.05", "--ignore", "0.02", "--workers", "0"]  # fmt: skip


def test_an_adapted_detector_is_written_with_its_card(
    model: Path, footage: Path, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("training.adapt.write_model", write)
    monkeypatch.setattr("training.adapt_training.BATCH", 3)
    monkeypatch.setattr("training.adapt.objections", lambda *_: [])

    assert main([*words(model, footage, rendered, tmp_path), "--keep-labels"]) == 0

    card, path = load_card(str(tmp_path / "people-adapted.onnx"), tmp_path)
    assert (card.family, card.input_size_wh, path) == ("wholebody34", (480, 288), tmp_path / "people-adapted.onnx")
    report = yaml.safe_load((tmp_path / "report.yaml").read_text())
    assert (report["labels"]["shop.mp4"]["frames"], report["labels"]["shop.mp4"]["held_back"]) == (4, 1)
    assert report["steps"] == 1 and set(report["before"]) == {"footage", "stills"}
    assert "footage.agreement" in capsys.readouterr().out
    assert len(list((tmp_path / "labels").glob("*.jpg"))) == 4
    before, after = read_detector(model).state_dict(), read_detector(path).state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_what_ships_tells_how_it_was_made(
    model: Path, footage: Path, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("training.adapt.write_model", write)
    monkeypatch.setattr("training.adapt_training.BATCH", 3)
    monkeypatch.setattr("training.adapt.objections", lambda *_: [])
    monkeypatch.setattr("training.cards.MODELS", tmp_path / "models")
    monkeypatch.setattr("training.cards.CARDS", tmp_path / "cards")
    start = tmp_path / "people.onnx"
    shutil.copyfile(model, start)
    given = [*words(start, footage, rendered, tmp_path / "out"), "--ship", "clips of the corner shop (CC0)"]
    given.append("--only-heads")

    assert main(given) == 2
    assert caplog.messages[-1].startswith(f"{tmp_path / 'people.record.yaml'}: expected the record of the model")

    (tmp_path / "people.record.yaml").write_text("command: python -m training.detector\n")
    assert main(given) == 0

    record = yaml.safe_load((tmp_path / "models/people-shop-480.record.yaml").read_text())
    card = yaml.safe_load((tmp_path / "cards/people-shop-480.yaml").read_text())
    assert (record["file"], record["started_from"]) == (
        "people-shop-480.onnx", {"command": "python -m training.detector"}
    )  # fmt: skip
    before, after = (read_detector(path).state_dict() for path in (start, tmp_path / "models/people-shop-480.onnx"))
    learnt = {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}
    assert "heads" in learnt and learnt <= {"heads", "faces", "again"}
    assert record["sha256"] == card["sha256"] == sha256_of(tmp_path / "models/people-shop-480.onnx")
    assert card["trained_on"] == (
        "rendered scenes, and 3 frames of clips of the corner shop (CC0), labelled by the detector it started from"
    )


def test_a_detector_that_would_be_worse_is_not_written(
    model: Path, footage: Path, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("training.adapt_training.train", lambda *_: Outcome(1, 0.0, {}))
    monkeypatch.setattr("training.adapt.write_model", lambda _, path, *__: shutil.copyfile(model, path))

    assert main(words(model, footage, rendered, tmp_path)) == 1

    was = yaml.safe_load((tmp_path / "report.yaml").read_text())["before"]["footage"]["agreement"]
    said = f"footage.agreement: expected more than before, {was}, got {was}"
    assert caplog.messages[-1] == f"no model written, because it would be worse:\n{said}"
    assert list(tmp_path.glob("*.onnx")) == list(tmp_path.rglob("*.jpg")) == []


def test_less_of_what_was_learnt_is_taken_where_all_of_it_makes_something_worse(
    model: Path, footage: Path, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def train(net: DetectorNet, *_: object) -> Outcome:
        net.maps.bias.data += 1.0
        return Outcome(1, 0.0, {})

    said = iter([["stills.head_ap50: too low"], ["stills.head_ap50: too low"], []])
    monkeypatch.setattr("training.adapt_training.train", train)
    monkeypatch.setattr("training.adapt.write_model", write)
    monkeypatch.setattr("training.adapt.objections", lambda *_: next(said))
    caplog.set_level("INFO")

    assert main(words(model, footage, rendered, tmp_path)) == 0

    assert yaml.safe_load((tmp_path / "report.yaml").read_text())["part_of_what_was_learnt"] == 0.5
    assert "with 1 of what was learnt it would be worse: stills.head_ap50: too low" in caplog.messages
    begun, taken = (read_detector(path).state_dict() for path in (model, tmp_path / "people-adapted.onnx"))
    name = "detector.maps.bias"
    torch.testing.assert_close(taken[name], begun[name] + 0.5, atol=1e-2, rtol=0)
    assert torch.equal(taken["detector.maps.weight"], begun["detector.maps.weight"])


def test_of_several_trainings_the_mean_is_taken(
    model: Path, footage: Path, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = []

    def train(net: DetectorNet, plan: Plan, draws: AdaptDraws, *_: object) -> Outcome:
        begins.append((net.maps.bias.detach().clone(), plan.folder, draws.seed))
        net.maps.bias.data += float(len(begins))
        return Outcome(1, 0.25, {})

    monkeypatch.setattr("training.adapt_training.train", train)
    monkeypatch.setattr("training.adapt.write_model", write)
    monkeypatch.setattr("training.adapt.objections", lambda *_: [])

    assert main([*words(model, footage, rendered, tmp_path), "--times", "2", "--seed", "5", "--parts", "0.5"]) == 0

    (one, first, seed), (other, second, next_seed) = begins
    assert torch.equal(one, other)  # each begins where the first began
    assert (first, second, seed, next_seed) == (tmp_path / "seed-5", tmp_path / "seed-6", 5, 6)
    report = yaml.safe_load((tmp_path / "report.yaml").read_text())
    assert (report["hours"], report["part_of_what_was_learnt"]) == (0.5, 0.5)
    taken = read_detector(tmp_path / "people-adapted.onnx").state_dict()["detector.maps.bias"]
    torch.testing.assert_close(taken, one + 0.5 * 1.5, atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (("--accept", "1.0"), "expected 20 people or more that all views agree on in the 3 frames to learn from, "
         "got 0: nothing to learn from; give footage with more people in it"),
        (("--ignore", "0.9"), "--ignore: expected 0 to 0.5, got 0.9; correct it"),
        (("--times", "0"), "--times: expected 1 to 100, got 0; correct it"),
        (("--parts", "1", "0"), "--parts: expected parts above 0, up to 1, got 0; correct it"),
        (("--stills", "plain"), "stills: expected STYLE:FIRST+COUNT such as full:3000000+6000, got 'plain'"),
        (("--stills", "plain:1+900000000"), "MB free for rendered stills"),
        (("--hold-back", "clips"), "--hold-back clips: expected two clips or more in"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_before_training(
    extra: tuple[str, ...], said: str, model: Path, footage: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert main([*words(model, footage, tmp_path, tmp_path / "out"), "--accept", "0.5", *extra]) == 2

    assert said in caplog.text
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_run_that_was_begun_on_other_footage_is_not_gone_on_with(
    model: Path, footage: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0/state.npz").write_bytes(b"")
    (tmp_path / "begun.txt").write_text("other")

    assert main(words(model, footage, tmp_path, tmp_path)) == 2

    assert f"{tmp_path}: expected a run on this footage, got one begun on other; name another --out" in caplog.text
