"""The rules that the repository keeps about itself, beside those of ruff and mypy."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.repository import ROOT, all_files, package_names, python_files, text_files

LONGEST_FILE = 300
LONGEST_PROGRAM = 80
MODELS_BYTES = 12_000_000
FILE_BYTES = 3_000_000
VERBS = (
    "decode", "read", "detect", "track", "estimate", "locate", "smooth", "hit", "measure", "identify", "draw", "write",
    "publish", "serve",
)  # fmt: skip
"""What a node can do. A closed list, so that `ls nodes/` is the catalogue and two people choose the same name."""

BAD_STEM = re.compile(r"(utils?|common|base|misc|helpers?|managers?)|.*_(v\d+|gpu|tensor)")
FOREIGN_TEXT = {
    "a package registry's host": re.compile(
        r"(pypi|pythonhosted|download\.pytorch|npmjs)\.org|pypi\.nvidia|npmjs\.com"
    ),
    "an index setting": re.compile(r"--(extra-)?index-ur[l]|--find-link[s]"),
    "a path of one machine": re.compile(r"(?<![\w.])(/wor[k]/|/roo[t]/|/op[t]/(pypi|wheels)|/tm[p]/tv\b)"),
    "work left undone": re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b"),
    "a page that is not in the repository": re.compile(r"\b(DESIGN|style|deps|peers|embedded)\.m[d]\b|\bDESIGN \d"),
    "an issue's number": re.compile(r"\b[Ii]ssue #?\d"),
}


def test_files_are_named_after_their_one_job() -> None:
    allowed = {Path("tests/helpers.py")}

    named_badly = [
        file
        for file in python_files()
        if file not in allowed and any(BAD_STEM.fullmatch(part.removesuffix(".py")) for part in file.parts)
    ]

    assert named_badly == []


def test_files_are_short_enough_to_have_one_job() -> None:
    lines = {file.as_posix(): (ROOT / file).read_text("utf-8").count("\n") for file in python_files()}

    too_long = {
        file: count
        for file, count in lines.items()
        if count > (LONGEST_PROGRAM if file == "run_graph.py" else LONGEST_FILE)
    }

    assert too_long == {}


def test_nodes_are_named_verb_object_from_the_list_of_verbs() -> None:
    nodes = [file.stem for file in node_files()]

    assert [name for name in nodes if not name.startswith(tuple(f"{verb}_" for verb in VERBS))] == []


def test_each_node_has_its_test_file() -> None:
    expected = [Path("tests", "nodes", f"test_{file.name}") for file in node_files()]

    assert [file.as_posix() for file in expected if not (ROOT / file).is_file()] == []


def test_text_names_no_registry_machine_or_page_outside() -> None:
    found = [
        f"{file.as_posix()}:{number}: {what}: {line.strip()}"
        for file in text_files()
        for number, line in enumerate((ROOT / file).read_text("utf-8").splitlines(), 1)
        for what, pattern in FOREIGN_TEXT.items()
        if pattern.search(line)
    ]

    assert found == []


def test_foreign_text_is_recognised() -> None:
    recognised = {
        "a package registry's host": "https://pypi" + ".org/simple",
        "an index setting": "pip install --extra" + "-index-url x",
        "a path of one machine": "see /wor" + "k/main",
        "work left undone": "# TO" + "DO later",
        "a page that is not in the repository": "as DESIGN" + ".md says",
        "an issue's number": "closes issue" + " 2",
    }

    assert {what for what, text in recognised.items() if FOREIGN_TEXT[what].search(text)} == set(FOREIGN_TEXT)


def test_tests_do_not_sleep() -> None:
    sleeping = [
        f"{file.as_posix()}:{call.lineno}"
        for file in python_files()
        if file.parts[0] == "tests"
        for call in ast.walk(ast.parse((ROOT / file).read_text("utf-8")))
        if isinstance(call, ast.Attribute) and ast.unparse(call) in ("time.sleep", "asyncio.sleep")
    ]

    assert sleeping == []


def test_what_ships_is_small_enough_to_clone() -> None:
    sizes = {file: (ROOT / file).stat().st_size for file in all_files()}

    assert sum(size for file, size in sizes.items() if file.suffix == ".onnx") <= MODELS_BYTES
    assert [file for file, size in sizes.items() if file.suffix != ".onnx" and size > FILE_BYTES] == []


def test_pins_have_hashes_and_the_files_agree() -> None:
    run, dev, bench, gpu = (pins(f"{name}.txt") for name in ("run", "dev", "bench", "gpu"))

    assert [name for pinned in (run, dev, bench, gpu) for name, (_, hashes) in pinned.items() if hashes == 0] == []
    assert {name: version for name, (version, _) in run.items() if dev.get(name, ("", 0))[0] != version} == {}
    assert {name: version for name, (version, _) in bench.items() if run.get(name, (version, 0))[0] != version} == {}
    assert {name: version for name, (version, _) in gpu.items() if dev.get(name, (version, 0))[0] != version} == {}


def test_pins_cover_what_the_project_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project, groups = asked["project"], asked["dependency-groups"]
    extras = project["optional-dependencies"]
    served = package_names(project["dependencies"] + extras["serve"])
    run, gpu = served | package_names(extras["cpu"]), served | package_names(extras["gpu"])
    dev = package_names(groups["dev"])

    assert run - set(pins("run.txt")) == set()
    assert (run | dev) - set(pins("dev.txt")) == set()
    assert package_names(groups["bench"]) - set(pins("bench.txt")) == set()
    assert gpu - set(pins("gpu.txt")) == set()
    assert "onnxruntime" not in pins("gpu.txt")  # it writes the folder of onnxruntime-gpu


def node_files() -> list[Path]:
    return [
        file for file in python_files() if file.parent == Path("nodes") and file.name not in ("__init__.py", "types.py")
    ]


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Return package -> (version, number of hashes) of one file of pins."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements" / name).read_text("utf-8"))
    matches = [(re.match(r"([\w.-]+)==([\w.]+)", entry), entry.count("--hash=sha256:")) for entry in entries]
    return {match[1]: (match[2], hashes) for match, hashes in matches if match}


@pytest.mark.parametrize(
    ("package", "file"), [("cupy", "pipeline/device_cuda.py"), ("tensorrt", "pipeline/backends/tensorrt.py")]
)
def test_one_file_imports_each_package_of_the_gpu(package: str, file: str) -> None:
    imports = re.compile(rf"^\s*(import|from) {package}|import_module\(\"{package}", re.MULTILINE)
    importing = [
        path.relative_to(ROOT).as_posix()
        for folder in ("pipeline", "nodes", "cli", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if imports.search(path.read_text("utf-8"))
    ]
    assert importing == [file]
