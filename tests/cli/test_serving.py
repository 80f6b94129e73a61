"""A whole graph, served while it runs: live streams are watched and steered, files only watched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import cli.plan
import cli.progress
from cli import log_format, program
from cli.ctl_client import Client, NoAnswerError
from pipeline.control.address import Address
from pipeline.node import SourceItem
from tests.cli import made_up
from tests.repository import ROOT

AT = "unix:s"
Ask = Callable[..., Any]


@pytest.fixture
def during(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Ask], None]], None]]:
    """Return what takes a function, to be called with a way to ask while the stream shop is at its third frame."""
    frames = made_up.ReadNothing.frames
    asking: list[Callable[[Ask], None]] = []

    def with_questions(self: Any) -> Iterator[SourceItem]:
        for number, item in enumerate(frames(self)):
            if number == 2 and self.stream.id == "shop":
                for each in asking:
                    each(Client(AT, None).ask)
            yield item

    monkeypatch.setattr(made_up.ReadNothing, "frames", with_questions)
    monkeypatch.setattr(cli.plan, "resolve", made_up.resolve)
    monkeypatch.chdir(tmp_path)
    yield asking.append
    log_format._voice.kind = "text"


def test_a_live_run_is_steered_while_it_goes_on(
    tmp_path: Path, during: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, Any] = {}
    made_up.write_graph(tmp_path, shop={"url": "live://4"})

    @during
    def change(ask: Ask) -> None:
        told["live"] = ask("GET", "/health/live").content
        told["status"] = ask("GET", "/status").content
        told["add"] = ask("POST", "/streams", {"id": "till", "url": "live://2", "when_full": "wait"})
        told["set"] = ask("PATCH", "/config", {"looks.min_look_s": 0.4, "streams.shop.aois.left": None})
        told["wrong"] = ask("PATCH", "/config", {"looks.min_look": 0.4})
        told["refused"] = ask("PATCH", "/config", {"bus.endpoint": "ipc://other"})
        told["streams"] = ask("GET", "/streams").content["streams"]

    assert program.main(["graphs/two.yaml", "--serve", AT, "--max-frames", "40"]) == 0

    assert told["live"]["ok"] and told["status"]["running"]
    assert told["status"]["graph"] == "graphs/two.yaml"
    assert (told["add"].status, told["add"].content["id"]) == (201, "till")
    assert told["set"].content == {"changed": ["streams.shop.aois.left", "looks.min_look_s"]}
    assert (told["wrong"].status, told["refused"].status) == (400, 409)
    assert [stream["id"] for stream in told["streams"]] == ["shop", "till"]
    assert list(told["streams"][0]["config"]["aois"]) == ["right"]
    for name, frames in (("shop", 40), ("till", 20)):
        summary = json.loads((tmp_path / f"out/two/{name}/summary.json").read_text("utf-8"))
        assert (summary["stream"], summary["streams"][name]["frames"]) == (name, frames)
    assert "out/two/till/summary.json" in capsys.readouterr().out.splitlines()
    with pytest.raises(NoAnswerError):
        Client(AT, None).ask("GET", "/status")


def test_the_configuration_can_be_read_again(tmp_path: Path, during: Any) -> None:
    answers = []
    made_up.write_graph(tmp_path, shop={"url": "live://4"})

    @during
    def reload(ask: Ask) -> None:
        file = tmp_path / "configs/two.yaml"
        values = yaml.safe_load(file.read_text("utf-8"))
        values["looks"]["min_look_s"] = 0.45
        file.write_text(yaml.safe_dump(values), "utf-8")
        answers.append(ask("POST", "/reload"))
        values["bus"]["endpoint"] = "ipc://other"
        file.write_text(yaml.safe_dump(values), "utf-8")
        answers.append(ask("POST", "/reload"))

    assert program.main(["graphs/two.yaml", "--set", f"engine.serve={AT}", "--max-frames", "40"]) == 0

    assert (answers[0].status, answers[0].content) == (200, {"changed": ["looks.min_look_s"]})
    assert answers[1].status == 409 and len(answers[1].content["reasons"]) == 1


def test_a_run_of_files_is_watched_and_not_changed(tmp_path: Path, during: Any) -> None:
    told: dict[str, Any] = {}
    made_up.write_graph(tmp_path, shop={"url": "made://2"})

    @during
    def look(ask: Ask) -> None:
        told["ready"] = ask("GET", "/health/ready")
        told["pause"] = ask("POST", "/streams/shop/pause")

    assert program.main(["graphs/two.yaml", "--serve", AT, "--max-frames", "40"]) == 0

    assert told["ready"].content["streams"]["shop"]["state"] == "reading" and told["ready"].ok
    assert (told["pause"].status, told["pause"].content["reasons"]) == (
        409,
        ["the run: expected live streams, got a file, whose results depend on nothing but what it began with; end it"],
    )


def test_an_address_that_is_taken_is_told_before_anything_runs(
    tmp_path: Path, during: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up.write_graph(tmp_path, shop={"url": "live://4"})
    with Address(port=0).listen() as taken:
        code = program.main(["graphs/two.yaml", "--serve", str(taken.getsockname()[1])])

    assert (code, capsys.readouterr().err.count("expected a free address")) == (2, 1)
    assert not (tmp_path / "out/two/shop/events.jsonl").exists()


def test_others_need_a_token_already_to_check(
    tmp_path: Path, during: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAZEGRAPH_TOKEN", raising=False)
    made_up.write_graph(tmp_path, shop={"url": "live://4"})

    assert program.main(["graphs/two.yaml", "--serve", "0.0.0.0", "--check"]) == 2

    assert capsys.readouterr().err.startswith("--serve 0.0.0.0: expected a token, because other machines reach ")


def test_in_json_nothing_else_stands_on_standard_error(
    tmp_path: Path, during: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.progress, "LINE_EVERY_S", 0.0)
    made_up.write_graph(tmp_path, shop={"url": "made://1"})

    codes = [program.main(["graphs/two.yaml", "--log", "json"]) for _ in range(2)]
    codes.append(program.main(["graphs/two.yaml", "--log", "json", "--config", "none.yaml"]))

    assert codes == [0, 0, 2]
    out, err = capsys.readouterr()
    assert [json.loads(line)["message"].partition(":")[0] for line in err.splitlines()] == ["shop", "none.yaml"]
    assert "done: 10 frames" in out


def test_runs_that_are_not_served_do_without_its_packages() -> None:
    code = "import sys, cli.run, cli.ctl; print({'starlette', 'uvicorn', 'prometheus_client'} & set(sys.modules))"

    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout == "set()\n"
