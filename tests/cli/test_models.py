"""`models`: what is listed, shown, fetched and checked, through the program."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import model_store, program
from cli.fetch_progress import FetchProgress
from pipeline.model_files.transfer import Means
from tests.pipeline.model_files.web import Web, proxy, web
from tests.repository import ROOT

GAZE = ROOT / "models/gaze-shop-480.onnx"
SHA256 = hashlib.sha256(GAZE.read_bytes()).hexdigest()
CARD = yaml.safe_load((ROOT / "configs/models/gaze-shop-480.yaml").read_text())
"""Of a model that ships, so that there is one to fetch."""


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as served:
        served.serve("gaze.onnx", GAZE.read_bytes())
        yield served


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with cards of its own."""
    for name in [name for name in os.environ if name.startswith("GAZE_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (tmp_path / "configs/models").mkdir(parents=True)
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr(model_store, "Means", lambda **how: Means(timeout_s=5, sleep=lambda s: None, **how))
    return tmp_path


def write(root: Path, name: str, **changes: Any) -> None:
    card = {**CARD, "file": f"models/fetched/{name}.onnx", "sha256": None, "shipped": False, **changes}
    (root / f"configs/models/{name}.yaml").write_text(yaml.safe_dump(card, sort_keys=False))


def put(root: Path, name: str, content: bytes) -> None:
    path = root / f"models/fetched/{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


Caught = pytest.CaptureFixture[str]


def test_help_names_the_verbs(shop: Path, capsys: Caught) -> None:
    assert program.main(["models", "--help"]) == 0
    told = capsys.readouterr().out
    assert [word in told for word in ("list", "show", "pull", "verify", "path", "prepare", "GAZE_MODELS")] == [True] * 7
    assert program.main(["models"]) == 2
    capsys.readouterr()
    assert program.main(["models", "lst"]) == 2
    assert capsys.readouterr().err == (
        "models 'lst': expected a verb, got another word; did you mean 'list'? (verbs: list, show, pull, verify, path, "
        "prepare)\n"
    )


def test_models_are_listed_by_family_with_their_state(shop: Path, site: Web, capsys: Caught) -> None:
    url = site.url("gaze.onnx")
    write(shop, "far", url=url, bytes=123_456_789, licence="MIT", forbids="For research only.")
    write(shop, "held", url=url, licence="")
    write(shop, "known", url=url, sha256=SHA256)
    write(shop, "made", convert="run export.py")
    write(shop, "ours", shipped=True, sha256=SHA256, family="adder")
    write(shop, "lost", shipped=True, family="adder")
    write(shop, "vast", family="wholebody34", url=url)
    for name in ("held", "known", "ours"):
        put(shop, name, GAZE.read_bytes())
    program.main(["models", "pull", "held"])
    capsys.readouterr()

    assert program.main(["models", "list"]) == 0
    assert capsys.readouterr().out == (
        "model    size    state              licence\n"
        "wholebody34: bodies, heads and their parts: 34 classes with attributes and joints\n"
        "  vast   ?       not fetched        MIT\n"
        "gazelle: where heads look in the picture\n"
        "  far    123 MB  not fetched        MIT, restricted\n"
        "  held   4.5 MB  pinned             unknown\n"
        "  known  4.5 MB  here               MIT\n"
        "  made   ?       no ONNX published  MIT\n"
        "adder\n"
        "  lost   ?       missing            MIT\n"
        "  ours   4.5 MB  ships              MIT\n"
        "\n"
        "restricted: run_graph.py models show NAME tells what the licence keeps from whom\n"
    )
    assert program.main(["models", "list", "--family", "adder", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"], one["path"]) for one in told] == [
        ("lost", "missing", None),
        ("ours", "ships", f"{shop}/models/fetched/ours.onnx"),
    ]
    assert program.main(["models", "list", "--family", "gazele"]) == 2
    assert capsys.readouterr().err == (
        "--family: expected a family, got 'gazele'; did you mean 'gazelle'? (families: wholebody34, gazelle, adder)\n"
    )


def test_the_page_says_nothing_of_this_machine(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, "net", url="https://host/net.onnx", title="A | B", forbids="No.", published=[
        {"measure": "AUC", "value": 0.95, "on": "GazeFollow"}, {"measure": "latency, ms", "value": 1.5}])  # fmt: skip
    program.main(["models", "list", "--markdown"])
    page = capsys.readouterr().out
    put(shop, "net", GAZE.read_bytes())
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


def test_all_about_a_model_is_shown(shop: Path, capsys: Caught) -> None:
    write(shop, "net", title="A net", url="https://host/net.zip", member="net.onnx", classes={7: "head", 0: "body"},
        forbids="For research only.", page="https://host", trained_on="pictures", sha256="0" * 64,
        published=[{"measure": "AUC", "value": 0.95, "on": "GazeFollow"}, {"measure": "L2", "value": 0.1}])  # fmt: skip
    (shop / "models/prepared").mkdir(parents=True)
    (shop / "models/prepared/net.fp16.yaml").touch()

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
        "takes       image_bgr: float32 [1, 3, H, W], 0 to 255\n"
        "            bboxes_x1y1x2y2: float32 [1, heads, 4], 0 to 1\n"
        "gives       heatmap: float32 [heads, 64, 64], 0 to 1\n"
        "            inout: float32 [heads], 0 to 1\n"
        "classes     0 body, 7 head\n"
        "published   AUC 0.95 (GazeFollow)\n"
        "            L2 0.1\n"
        "prepared    net:fp16\n"
        "use it      python run_graph.py graphs/retail.yaml --set gaze.model=net\n"
    )


def test_a_model_that_is_here_is_shown_with_what_it_is_held_to(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, "net", url=site.url("gaze.onnx"), family="adder", licence="")
    program.main(["models", "show", "net"])
    assert "sha256      pinned on first use, because its makers tell none\n" in capsys.readouterr().out

    program.main(["models", "pull", "net"])
    capsys.readouterr()
    program.main(["models", "show", "net"])

    lines = capsys.readouterr().out.splitlines()
    assert f"here        {shop}/models/fetched/net.onnx (pinned)" in lines
    assert "licence     unknown" in lines
    assert lines[lines.index(f"sha256      {SHA256}, pinned in") + 1].strip() == f"{shop}/models/fetched/pins.yaml"
    assert lines[-1] == ("use it      where a value of a node names a model of the family adder: --set NODE.model=net")


@pytest.mark.parametrize("verb", ["show", "pull", "verify", "path"])
def test_unknown_names_are_answered_with_known_ones(shop: Path, capsys: Caught, verb: str) -> None:
    write(shop, "net")

    assert program.main(["models", verb, "nett"]) == 2
    assert "got no such file; did you mean 'net'? (configs/models: net)" in capsys.readouterr().err


def test_a_path_is_printed_alone(shop: Path, capsys: Caught) -> None:
    write(shop, "net", url="https://host/net.onnx")

    assert program.main(["models", "path", "net"]) == 1
    assert tuple(capsys.readouterr()) == (
        "",
        f"model 'net': expected the file {shop}/models/fetched/net.onnx, got none; it is not fetched yet: type python "
        "run_graph.py models pull net\n",
    )
    put(shop, "net", b"")
    assert program.main(["models", "path", "net"]) == 0
    assert tuple(capsys.readouterr()) == (f"{shop}/models/fetched/net.onnx\n", "")


def test_files_are_checked_and_opened(shop: Path, capsys: Caught) -> None:
    write(shop, "bad", sha256="0" * 64)
    write(shop, "far", url="https://host/far.onnx")
    write(shop, "free")
    write(shop, "net", sha256=SHA256)
    write(shop, "other", sha256=SHA256, contract={**CARD["contract"], "outputs": {"maps": {"shape": [1]}}})
    for name in ("free", "net", "other"):
        put(shop, name, GAZE.read_bytes())

    assert program.main(["models", "verify"]) == 0
    assert capsys.readouterr().out == (
        "free: no checksum is known\nnet: right\nother: right\n3 right, 0 wrong, 2 not here\n"
    )
    put(shop, "bad", b"bad")
    assert program.main(["models", "verify", "--open"]) == 1
    bad, free, net, other, summary = capsys.readouterr().out.splitlines()
    assert bad == (
        f"bad: {shop}/models/fetched/bad.onnx: expected the sha256 {'0' * 64} of the card 'bad', got "
        f"{hashlib.sha256(b'bad').hexdigest()}; put the right file there, or write its own card if you mean it"
    )
    assert free == "free: no checksum is known, and opens under its contract"
    assert net == "net: right, and opens under its contract"
    assert other.startswith(f"other: model {shop}/models/fetched/other.onnx: expected output 'maps'")
    assert summary == "2 right, 2 wrong, 1 not here"


def test_a_named_file_that_is_missing_is_a_failure(shop: Path, capsys: Caught) -> None:
    write(shop, "far", url="https://host/far.onnx")

    assert program.main(["models", "verify", "far"]) == 1
    assert capsys.readouterr().out == (
        f"far: model 'far': expected the file {shop}/models/fetched/far.onnx, got none; it is not fetched yet: type "
        "python run_graph.py models pull far\n0 right, 1 wrong, 0 not here\n"
    )


def test_files_are_pulled_and_failures_do_not_keep_others_away(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, "gone", url=site.url("gone.onnx"), sha256=SHA256)
    write(shop, "net", url=site.url("gaze.onnx"), sha256=SHA256)

    assert program.main(["models", "pull", "gone", "net", "net"]) == 1
    out, err = capsys.readouterr()
    assert out == f"net: fetched to {shop}/models/fetched/net.onnx\n"
    assert err.startswith(f"{site.url('gone.onnx')}: expected the file, got the answer 404")
    assert program.main(["models", "pull", "net"]) == 0
    assert capsys.readouterr().out == f"net: here, {shop}/models/fetched/net.onnx\n"


def test_a_licence_is_accepted_by_hand(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, "net", url=site.url("gaze.onnx"), sha256=SHA256, licence="MIT", forbids="For research only.")

    assert program.main(["models", "pull", "net"]) == 2
    assert capsys.readouterr().err == (
        "model 'net': expected its licence to be accepted before the file is fetched, got no answer yet: MIT: For "
        "research only; to accept it, type python run_graph.py models pull net --accept-licence\n"
    )
    assert program.main(["models", "pull", "net", "--accept-licence"]) == 0
    assert capsys.readouterr().err == (
        f"net: accepted, and remembered in {shop}/models/fetched/accepted.yaml: MIT: For research only\n"
    )


def test_a_changed_file_is_accepted_by_hand(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, "net", url=site.url("gaze.onnx"))
    program.main(["models", "pull", "net"])
    put(shop, "net", b"mine")
    capsys.readouterr()

    assert program.main(["models", "verify"]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith("python run_graph.py models pull net --accept-change")
    assert program.main(["models", "pull", "net", "--accept-change"]) == 0
    capsys.readouterr()
    assert program.main(["models", "verify"]) == 0
    assert capsys.readouterr().out == "net: as it first came\n1 right, 0 wrong, 0 not here\n"


def test_mirror_proxy_and_offline_are_taken_from_the_environment(
    shop: Path, site: Web, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, "net", url="https://models.invalid/v1.onnx", sha256=SHA256)
    monkeypatch.setenv("GAZE_MODELS", str(shop / "own"))
    monkeypatch.setenv("GAZE_MODELS_MIRROR", "http://mirror.invalid/all")

    for options, environ in ((["--offline"], {}), ([], {"GAZE_OFFLINE": "1"})):
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            assert program.main(["models", "pull", "net", *options]) == 2
        assert "and offline (GAZE_OFFLINE or --offline) nothing is fetched" in capsys.readouterr().err
    with proxy() as between:
        monkeypatch.setenv("http_proxy", between.url(""))
        between.serve("x", GAZE.read_bytes())
        between.files["http://mirror.invalid/all/net.onnx"] = between.files["/x"]
        assert program.main(["models", "pull", "net"]) == 0
    assert capsys.readouterr().out == f"net: fetched to {shop}/own/net.onnx\n"


def checkout(folder: Path, site: Web, **changes: Any) -> dict[str, str]:
    """Write a card beside which its file will stand; return the environment of a program that keeps files there."""
    card = {**CARD, "file": "net.onnx", "url": site.url("gaze.onnx"), "shipped": False, **changes}
    (folder / "net.yaml").write_text(yaml.safe_dump(card))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAZE_")}
    return {**kept, "GAZE_MODELS": str(folder / "own"), "NO_PROXY": "*"}


def test_ctrl_c_leaves_what_came_to_be_gone_on_with(tmp_path: Path, site: Web) -> None:
    half = threading.Event()
    site.serve("gaze.onnx", GAZE.read_bytes(), held=half)
    environ = checkout(tmp_path, site)
    command = [sys.executable, str(ROOT / "run_graph.py"), "models", "pull", str(tmp_path / "net.yaml")]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        part = tmp_path / "own/net.onnx.part"
        while not (part.exists() and part.stat().st_size >= GAZE.stat().st_size // 2):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    half.set()

    assert (process.returncode, out) == (130, "")
    assert err == "ended; what was fetched is kept: type the same again to go on\n"
    kept = part.stat().st_size
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert site.ranges() == ["all", f"bytes={kept}-"]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_line_now_and_then() -> None:
    now, out = [0.0], StringIO()
    progress = FetchProgress(out, lambda: now[0])
    for second in range(11):
        now[0] = float(second)
        progress.observe("net.onnx", second * 2_000_000, 40_000_000)
    progress.finish()

    assert out.getvalue().splitlines() == [
        "net.onnx   25%  10.0 MB of 40.0 MB  2.0 MB/s  eta 0:15",
        "net.onnx   50%  20.0 MB of 40.0 MB  2.0 MB/s  eta 0:10",
    ]


def test_progress_on_a_terminal_is_written_over_and_wiped_off() -> None:
    now, out = [0.0], Terminal()
    progress = FetchProgress(out, lambda: now[0])
    progress.observe("net.onnx", 0, None)
    progress.finish()
    assert out.getvalue() == ""
    now[0] = 0.5
    progress.observe("net.onnx", 1_000_000, None)
    progress.finish()

    assert out.getvalue() == "\rnet.onnx  1.0 MB  2.0 MB/s\x1b[K\r\x1b[K"


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get("GAZE_REAL_MODELS"):
        pytest.skip("GAZE_REAL_MODELS is not set")


def test_real_files_open_under_their_contracts(real: None, capsys: Caught) -> None:
    assert program.main(["models", "verify", "--open", "yunet-320", "fsanet-1x1"]) == 0
    assert capsys.readouterr().out.endswith("2 right, 0 wrong, 0 not here\n")


def test_the_cards_of_the_checkout_can_all_be_listed_and_shown(capsys: Caught) -> None:
    assert program.main(["models", "list", "--json"]) == 0
    for one in json.loads(capsys.readouterr().out):
        assert program.main(["models", "show", one["name"]]) == 0
