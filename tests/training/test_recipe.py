"""The recipe of the shipped models: steps that programs understand, and a program that takes those that are left."""

import shlex
from pathlib import Path

import pytest
import yaml

from training import __main__ as program
from training.arguments import program_parser, read_arguments
from training.data import SeedSet
from training.recipe import PROGRAMS, ROOT, Step, defaults_of, read_recipe, sets_of

SHORT = """
head: {crops: ["plain:1+1"], stills: ["plain:1+1"], held_out: "plain:9+1", steps: 5, rate: 0.1, seed: 0}
first: {program: detector, head: head, stills: ["plain:1+1"], steps: 5, rate: 0.1, seed: 0}
detector: {head: head, init: first, stills: ["plain:1+1"], steps: 7, rate: 0.1, seed: 0, ships: true}
gaze: {head: head, stills: ["plain:1+1"], steps: 5, rate: 0.1, seed: 0, ships: true}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(SHORT, "utf-8")
    return path


class Taken:
    """Stands in for the programs: notes what is run, and writes what a finished one writes."""

    def __init__(self, fails: str = "") -> None:
        self.commands: list[str] = []
        self.fails = fails

    def __call__(self, command: list[str], check: bool) -> "Taken":
        name, words = command[2].removeprefix("training."), command[3:]
        options = program_parser(name).parse_args(words)
        self.commands.append(options.out.name)
        self.returncode = int(options.out.name == self.fails)
        if not self.returncode:
            options.out.mkdir(parents=True, exist_ok=True)
            facts = {"arguments": {key: plain(value) for key, value in vars(options).items()}, "hours": 1.5}
            (options.out / "run.yaml").write_text(yaml.safe_dump(facts), "utf-8")
        return self


def plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    pytest.importorskip("torch", reason="the training extra is not installed")
    taken = Taken()
    monkeypatch.setattr(program.subprocess, "run", taken)
    return taken


def test_each_step_is_a_command_that_its_program_understands() -> None:
    for step in read_recipe():
        options = vars(program_parser(step.program).parse_args(step.command(ROOT)[2:]))
        assert step.arguments.items() <= options.items()
        assert options["out"] == ROOT / step.name


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_have_the_defaults_of_the_step_of_their_name(name: str) -> None:
    assert defaults_of(name).items() <= vars(program_parser(name).parse_args([])).items()


def test_a_program_goes_on_from_nothing_unless_that_is_said() -> None:
    for step in read_recipe():
        options = program_parser(step.program).parse_args(step.command(ROOT)[2:])
        assert options.init == step.arguments.get("init")
        assert getattr(options, "take_head", False) == step.arguments.get("take_head", False)


def test_shipped_models_are_never_measured_on_what_they_learnt() -> None:
    for step in read_recipe():
        own = {kind: step.arguments.get(kind, []) for kind in ("stills", "crops")}
        apart = "crops" if step.program == "head" else "stills"
        for held_out in (step.arguments[key] for key in ("held_out", "calibrate") if key in step.arguments):
            beside = SeedSet.parse(apart, held_out)
            for text in own[apart]:
                learnt = SeedSet.parse(apart, text)
                assert learnt.first + learnt.count <= beside.first or beside.first + beside.count <= learnt.first


def test_all_sets_are_named_once() -> None:
    for kind in ("stills", "crops"):
        named = sets_of(kind)
        assert len(named) == len(set(named)) > 0
        assert all(SeedSet.parse(kind, text).count > 0 for text in named)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("other: {steps: 1}", "expected a program of head, detector, gaze, got 'other'"),
        ("gaze: {head: head}", "gaze: expected an earlier step of [], got 'head'"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ValueError, match=r"^recipe\.yaml: ") as caught:
        read_recipe(path)

    assert str(caught.value).endswith(said)


def run(recipe: Path, *more: str) -> int:
    return program.main(["--recipe", str(recipe), "--root", str(recipe.parent / "out"), *more])


def test_steps_are_taken_in_order_and_finished_ones_left_out(recipe: Path, taken: Taken) -> None:
    assert run(recipe) == 0
    assert taken.commands == ["head", "first", "detector", "gaze"]

    (recipe.parent / "out" / "gaze" / "run.yaml").unlink()
    assert run(recipe) == 0
    assert taken.commands[4:] == ["gaze"]


def test_what_was_made_of_weights_that_are_made_anew_is_made_anew(recipe: Path, taken: Taken) -> None:
    assert run(recipe) == 0
    (recipe.parent / "out" / "first" / "run.yaml").unlink()
    (recipe.parent / "out" / "detector" / "state.npz").write_bytes(b"")

    assert run(recipe) == 0

    assert taken.commands[4:] == ["first", "detector"]
    assert not (recipe.parent / "out" / "detector" / "state.npz").exists()


def test_a_step_that_fails_ends_the_rest(recipe: Path, taken: Taken, capsys: pytest.CaptureFixture[str]) -> None:
    taken.fails = "first"

    assert run(recipe) == 1

    assert taken.commands == ["head", "first"]
    assert capsys.readouterr().err == "first: ended with 1; type the same again to go on\n"


def test_a_list_takes_no_step(recipe: Path, taken: Taken, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(recipe) == 0
    root = recipe.parent / "out"
    (root / "detector" / "run.yaml").unlink()
    (root / "detector" / "state.npz").write_bytes(b"")
    capsys.readouterr()

    assert run(recipe, "--list", "--ship") == 0

    said = capsys.readouterr().out.splitlines()
    assert len(taken.commands) == 4
    assert [line.split(": python")[0] for line in said] == [
        "head: finished, 1.50 h", "first: finished, 1.50 h", "detector: begun", "gaze: finished, 1.50 h",
    ]  # fmt: skip
    assert shlex.split(said[2].split(": python ")[1])[:4] == [
        "-m",
        "training.detector",
        "--out",
        str(root / "detector"),
    ]


def test_a_step_finished_with_other_arguments_is_refused(recipe: Path, taken: Taken) -> None:
    assert run(recipe) == 0
    recipe.write_text(SHORT.replace("steps: 7", "steps: 8"), "utf-8")

    with pytest.raises(ValueError) as caught:
        run(recipe)

    path = recipe.parent / "out" / "detector" / "run.yaml"
    assert str(caught.value) == (
        f"{path}: expected a run with steps 8, got one with 7; move the folder away to take the step anew, "
        "or give another --root"
    )


def test_what_a_program_would_refuse_later_is_refused_first(recipe: Path, taken: Taken) -> None:
    recipe.write_text(SHORT.replace('gaze: {head: head, stills: ["plain:1+1"]', 'gaze: {head: head, stills: ["plain"]'))
    with pytest.raises(ValueError, match=r"^stills: expected STYLE:FIRST"):
        run(recipe)

    recipe.write_text(SHORT.replace("gaze: {head: head", "gaze: {head: head, crops: 3"))
    with pytest.raises(SystemExit):
        run(recipe)

    assert taken.commands == []


def test_finished_steps_ship_in_the_end(recipe: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import cards

    shipped = []
    for name in ("ship_detector", "ship_gaze"):
        monkeypatch.setattr(
            cards, name, lambda path, facts, head, replace: shipped.append((path, facts, head, replace))
        )

    assert run(recipe, "--ship") == 0

    root = recipe.parent / "out"
    assert [path for path, *_ in shipped] == [root / "detector" / cards.DETECTOR_FILE, root / "gaze" / cards.GAZE_FILE]
    for _, facts, head, replace in shipped:
        assert facts["arguments"]["head"] == str(root / "head" / "last.npz")
        assert head["arguments"]["out"] == str(root / "head")
        assert replace


def test_a_step_knows_what_it_needs(recipe: Path) -> None:
    steps: dict[str, Step] = {step.name: step for step in read_recipe(recipe, Path("out"))}

    assert steps["detector"].needs == ("head", "first")
    assert steps["detector"].arguments["init"] == Path("out/first/last.npz")
    assert not steps["first"].ships


@pytest.mark.parametrize("program", ["detector", "gaze"])
def test_weights_to_blend_in_want_others_to_be_blended_with(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["x", "--blend", "other.npz"])

    with pytest.raises(SystemExit):
        read_arguments(program, None)
    assert "--blend: expected weights to average those with, got none; name them with --init" in capsys.readouterr().err


def test_who_wants_heads_to_learn_alone_says_what_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["x", "--only-heads"])

    with pytest.raises(SystemExit):
        read_arguments("detector", None)
    assert (
        "--only-heads: expected weights of all that stays, got none; name them with --init" in capsys.readouterr().err
    )


def test_weights_that_are_blended_in_are_those_of_an_earlier_step(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        SHORT + 'last: {program: detector, head: head, init: first, blend: detector, stills: ["plain:1+1"]}\n'
    )

    step = read_recipe(path)[-1]

    assert step.needs == ("head", "first", "detector")
    assert step.arguments["blend"] == ROOT / "detector" / "last.npz"
    assert program_parser("detector").parse_args(step.command(ROOT)[2:]).blend == ROOT / "detector" / "last.npz"
