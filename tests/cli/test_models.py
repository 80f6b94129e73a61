"""`models`: what is listed and shown, through the program."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from cli import program
from cli.models import VERBS
from tests.cli.carded import GAZE, SHA256, put, write
from tests.pipeline.model_files.web import Web
from tests.repository import ROOT
from tests.small_gaze import CARD, write_small_gaze

Caught = pytest.CaptureFixture[str]
SIZE = f"{GAZE.stat().st_size / 1e6:.1f} MB"


def test_help_names_the_verbs(cards: Path, capsys: Caught) -> None:
    assert program.main(["models", "--help"]) == 0
    told = capsys.readouterr().out
    assert [word in told for word in (*VERBS, "GAZE_MODELS")] == [True] * 9
    assert program.main(["models"]) == 2
    capsys.readouterr()
    assert program.main(["models", "lst"]) == 2
    assert capsys.readouterr().err == (
        "models 'lst': expected a verb, got another word; did you mean 'list'? (verbs: list, show, pull, verify, path, "
        "prepare, build, engines)\n"
    )


def test_models_are_listed_by_family_with_their_state(cards: Path, gaze_site: Web, capsys: Caught) -> None:
    url = gaze_site.url("gaze.onnx")
    write(cards, "far", url=url, bytes=123_456_789, licence="MIT", forbids="For research only.")
    write(cards, "held", url=url, licence="")
    write(cards, "known", url=url, sha256=SHA256)
    write(cards, "made", convert="run export.py")
    write(cards, "ours", shipped=True, sha256=SHA256, family="adder")
    write(cards, "lost", shipped=True, family="adder")
    write(cards, "vast", family="wholebody34", url=url)
    for name in ("held", "known", "ours"):
        put(cards, name, GAZE.read_bytes())
    program.main(["models", "pull", "held"])
    capsys.readouterr()

    assert program.main(["models", "list"]) == 0
    assert capsys.readouterr().out == (
        "model    size    state              licence\n"
        "wholebody34: bodies, heads and their parts: 34 classes with attributes and joints\n"
        "  vast   ?       not fetched        MIT\n"
        "gazelle: where heads look in the picture\n"
        "  far    123 MB  not fetched        MIT, restricted\n"
        f"  held   {SIZE}  pinned             unknown\n"
        f"  known  {SIZE}  here               MIT\n"
        "  made   ?       no ONNX published  MIT\n"
        "adder\n"
        "  lost   ?       missing            MIT\n"
        f"  ours   {SIZE}  ships              MIT\n"
        "\n"
        "restricted: run_graph.py models show NAME tells what the licence keeps from whom\n"
    )
    assert program.main(["models", "list", "--family", "adder", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"], one["path"]) for one in told] == [
        ("lost", "missing", None),
        ("ours", "ships", f"{cards}/models/fetched/ours.onnx"),
    ]
    assert program.main(["models", "list", "--family", "gazele"]) == 2
    assert capsys.readouterr().err == (
        "--family: expected a family, got 'gazele'; did you mean 'gazelle'? (families: wholebody34, gazelle, adder)\n"
    )


def test_the_page_says_nothing_of_this_machine(cards: Path, gaze_site: Web, capsys: Caught) -> None:
    write(cards, "net", url="https://host/net.onnx", title="A | B", forbids="No.", published=[
        {"measure": "AUC", "value": 0.95, "on": "GazeFollow"}, {"measure": "latency, ms", "value": 1.5}])  # fmt: skip
    program.main(["models", "list", "--markdown"])
    page = capsys.readouterr().out
    put(cards, "net", GAZE.read_bytes())
    program.main(["models", "pull", "net"])
    capsys.readouterr()

    program.main(["models", "list", "--markdown"])

    assert capsys.readouterr().out == page
    assert page.endswith(
        "## gazelle: where heads look in the picture\n\n"
        "| model | what | input | licence | published | how to get it |\n| --- | --- | --- | --- | --- | --- |\n"
        "| `net` | A \\| B | 480×288 | MIT. No. | AUC 0.95 (GazeFollow); latency, ms 1.5 | "
        "[fetched](https://host/net.onnx), checksum kept from first use |\n"
    )


def test_all_about_a_model_is_shown(cards: Path, capsys: Caught) -> None:
    write(cards, "net", title="A net", url="https://host/net.zip", member="net.onnx", classes={7: "head", 0: "body"},
        forbids="For research only.", page="https://host", trained_on="pictures", sha256="0" * 64,
        published=[{"measure": "AUC", "value": 0.95, "on": "GazeFollow"}, {"measure": "L2", "value": 0.1}])  # fmt: skip
    (cards / "models/prepared").mkdir(parents=True)
    (cards / "models/prepared/net.fp16.yaml").touch()

    assert program.main(["models", "show", "net"]) == 0
    assert capsys.readouterr().out == (
        "net         A net\n"
        "family      gazelle\n"
        "here        no; it is not fetched yet: type python run_graph.py models pull net\n"
        "from        https://host/net.zip, 'net.onnx' in it\n"
        "page        https://host\n"
        "size        ?\n"
        f"sha256      {'0' * 64}\n"
        "licence     MIT\n"
        "forbids     For research only.\n"
        "trained on  pictures\n"
        "input       480×288 pixels\n"
        "takes       image_bgr: float32 [images, 3, H, W], 0 to 255\n"
        "            bboxes_x1y1x2y2: float32 [1, heads, 4], 0 to 1\n"
        "            image_row: int64 [heads], may be left out\n"
        "gives       heatmap: float32 [heads, 64, 64], 0 to 1\n"
        "            inout: float32 [heads], 0 to 1\n"
        "            direction: float32 [heads, 6], -1 to 1\n"
        "classes     0 body, 7 head\n"
        "published   AUC 0.95 (GazeFollow)\n"
        "            L2 0.1\n"
        "prepared    net:fp16\n"
        "use it      python run_graph.py graphs/retail.yaml --set gaze.model=net\n"
    )


def test_a_model_that_is_here_is_shown_with_what_it_is_held_to(cards: Path, gaze_site: Web, capsys: Caught) -> None:
    write(cards, "net", url=gaze_site.url("gaze.onnx"), family="adder", licence="")
    program.main(["models", "show", "net"])
    assert "sha256      pinned on first use, because its makers tell none\n" in capsys.readouterr().out

    program.main(["models", "pull", "net"])
    capsys.readouterr()
    program.main(["models", "show", "net"])

    lines = capsys.readouterr().out.splitlines()
    assert f"here        {cards}/models/fetched/net.onnx (pinned)" in lines
    assert "licence     unknown" in lines
    assert lines[lines.index(f"sha256      {SHA256}, pinned in") + 1].strip() == f"{cards}/models/fetched/pins.yaml"
    assert lines[-1] == "use it      no stage that ships takes models of the family adder"


@pytest.mark.parametrize("verb", ["show", "pull", "verify", "path"])
def test_unknown_names_are_answered_with_known_ones(cards: Path, capsys: Caught, verb: str) -> None:
    write(cards, "net")

    assert program.main(["models", verb, "nett"]) == 2
    assert "got no such file; did you mean 'net'? (configs/models: net)" in capsys.readouterr().err


def test_a_path_is_printed_alone(cards: Path, capsys: Caught) -> None:
    write(cards, "net", url="https://host/net.onnx")

    assert program.main(["models", "path", "net"]) == 1
    assert tuple(capsys.readouterr()) == (
        "",
        f"model 'net': expected the file {cards}/models/fetched/net.onnx, got none; it is not fetched yet: type python "
        "run_graph.py models pull net\n",
    )
    put(cards, "net", b"")
    assert program.main(["models", "path", "net"]) == 0
    assert tuple(capsys.readouterr()) == (f"{cards}/models/fetched/net.onnx\n", "")


def shown(name: str, capsys: Caught) -> str:
    assert program.main(["models", "show", name]) == 0
    return capsys.readouterr().out


def test_the_cards_of_the_checkout_can_all_be_listed_and_shown_and_what_is_told_to_type_can_be_typed(
    capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("GAZE_OFFLINE", raising=False)
    assert program.main(["models", "list", "--json"]) == 0
    told = {}
    for one in json.loads(capsys.readouterr().out):
        use = shown(one["name"], capsys).partition("use it      ")[2]
        if one["state"] != "no ONNX published":
            told[one["family"], use.partition("--set")[0]] = use  # one of each kind
    for use in told.values():
        if use.startswith("python"):
            assert program.main([*shlex.split(use)[2:], "--check"]) == 0, (use, capsys.readouterr().err)
        elif use.startswith("in a graph"):
            assert program.main(["explain", use.split()[-1]]) == 0
            assert f"  {use.partition('`')[2].partition(':')[0]}: " in capsys.readouterr().out
    assert len(told) >= 10


def test_inputs_that_may_be_left_out_are_shown_and_verified_as_such(tmp_path: Path, capsys: Caught) -> None:
    card = write_small_gaze(tmp_path)

    program.main(["models", "show", card])

    assert "            image_row: int64 [heads], may be left out\n" in capsys.readouterr().out
    assert program.main(["models", "verify", "--open", card]) == 0
    assert capsys.readouterr().out.startswith(f"{card}: no checksum is known, and opens under its contract\n")
    contract = {**CARD["contract"], "inputs": {**CARD["contract"]["inputs"]}}
    contract["inputs"]["bboxes_x1y1x2y2"] = {"shape": [1, "heads", 4], "optional": True}
    write_small_gaze(tmp_path, contract=contract)
    assert program.main(["models", "verify", "--open", card]) == 1
    assert "expected a value for the input 'bboxes_x1y1x2y2' in the file, got none for" in capsys.readouterr().out
