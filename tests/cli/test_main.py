"""Commands, help, wrong usage and errors."""

import argparse
import dataclasses
import os
import subprocess
import sys

import pytest

from cxrmodel.cli.command import Command, Status
from cxrmodel.cli.commands import COMMANDS
from cxrmodel.cli.failures import explained
from cxrmodel.cli.main import build_parser, main
from cxrmodel.cli.numbers import whole_number
from cxrmodel.errors import DataError
from cxrmodel.messages import Message
from cxrmodel.models import MODELS
from cxrmodel.outputs import locked
from cxrmodel.paths import RECIPES
from cxrmodel.sinks import visible
from cxrmodel.training.recipe import load_recipe

NO_FILE = Message("cli.file_error", file='"\\u{dcff}"', reason="No such file")


@pytest.mark.parametrize("command", COMMANDS.names)
def test_every_command_has_help(command, capsys):
    """--help is status 0."""
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"usage: cxrmodel {command}" in capsys.readouterr().out


def test_a_registered_command_is_found(capsys):
    """One entry adds it to the help and runs it."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--times", type=int)

    def run(arguments: argparse.Namespace) -> Status:
        sys.stdout.write("toy" * arguments.times)
        return Status.DONE

    with COMMANDS.extended(Command("toy", "a toy", add_arguments, run)):
        assert main(["toy", "--times", "2"]) == 0
        assert capsys.readouterr().out == "toytoy"
        with pytest.raises(SystemExit):
            main(["--help"])
        assert "a toy" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        ["read", "x.png"],
        ["explain", "x.png", "-o", "y.png"],
        ["train"],
        ["evaluate"],
        ["bench"],
    ],
)
def test_a_registered_model_is_a_choice(argv):
    """Of every command that takes a model."""
    with MODELS.extended(dataclasses.replace(MODELS["cnn"], name="toy")):
        assert "toy" in build_parser().parse_args([*argv, "--model", "toy"]).model


def test_help_loads_nothing_heavy(project):
    """Help and wrong usage answer at once: no framework, no drawing, no server."""
    heavy = "{'tensorflow', 'keras', 'sklearn', 'matplotlib', 'streamlit', 'pydicom', 'fpdf'}"
    code = f"import sys; from cxrmodel.cli.main import build_parser; build_parser(); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["read"],
        ["read", "--speed"],
        ["dream"],
        ["read", "x.png", "--resume"],
        ["train", "--model", "resnet"],
        ["bench", "--images", "3"],
        ["bench", "--images", "x"],
        ["bench", "--train", "--batches", "none"],
        ["bench", "--train", "--batches", "0"],
        ["train", "--seed", "-1"],
        ["train", "--limit", "0"],
        ["app", "--port", "65536"],
        ["app", "--port", "-1"],
        ["evaluate", "--explanations", "--data", "images"],
        ["evaluate", "--seeds", "run", "--data", "images"],
        ["evaluate", "--explanations", "--report", "report.html"],
        ["evaluate", "--seeds", "run", "--figures", "figures"],
    ],
)
def test_wrong_usage_is_status_2(argv, capsys):
    """With the usage on standard error."""
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert "usage" in captured.err
    assert captured.out == ""


def test_whole_numbers_include_their_bounds():
    """Both of them."""
    parse = whole_number(0, 65535)
    assert (parse("0"), parse("65535"), parse.__name__) == (0, 65535, "whole number")


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["explain", "/nowhere/image.png", "-o", "out.png"], "/nowhere/image.png"),
        (["train", "--recipe", "/nowhere/recipe.toml"], "/nowhere/recipe.toml"),
        (["export", "--run", "/nowhere"], "/nowhere"),
    ],
)
def test_a_failure_is_a_sentence(argv, named, capsys):
    """Status 1, the file named, nothing on standard output, no traceback."""
    assert main(argv) == 1
    captured = capsys.readouterr()
    assert named in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "status", "printed"),
    [
        (DataError("cli.stopped"), Status.FAILED, Message("cli.stopped")),
        (KeyboardInterrupt(), Status.STOPPED, Message("cli.stopped")),
        (
            FileNotFoundError(2, "No such file", "x"),
            Status.FAILED,
            Message("cli.file_error", file="x", reason="No such file"),
        ),
        (
            IsADirectoryError(21, "Is a directory", "a\x1b[2K.png: normal"),
            Status.FAILED,
            Message("cli.file_error", file='"a\\u{1b}[2K.png: normal"', reason="Is a directory"),
        ),
        (FileNotFoundError(2, "No such file", b"\xff"), Status.FAILED, NO_FILE),
        (OSError(28, "No space"), Status.FAILED, Message("cli.disk_full", reason="No space")),
        (OSError(28, "No space", "x"), Status.FAILED, Message("cli.disk_full", reason="No space")),
        (OSError(5, "Fault"), Status.FAILED, Message("cli.system_error", reason="Fault")),
        (OSError("Fault"), Status.FAILED, Message("cli.system_error", reason="Fault")),
        (MemoryError(), Status.FAILED, Message("cli.no_memory")),
        (
            ModuleNotFoundError(name="keras.layers"),
            Status.FAILED,
            Message("package.missing_extra", library="Keras", extra="train,compare"),
        ),
    ],
)
def test_errors_become_a_status(error, status, printed, capsys):
    """And their message goes to standard error."""

    def run(arguments: argparse.Namespace) -> Status:
        raise error

    with COMMANDS.extended(Command("toy", "a toy", lambda parser: None, run)):
        assert main(["toy"]) == status
    assert capsys.readouterr().err == f"{printed}\n"


UNEXPECTED = [
    KeyError("Jane Doe"),
    RecursionError("Jane Doe"),
    UnicodeEncodeError("ascii", "Jane Doe", 0, 1, "x"),
    ModuleNotFoundError("No module named 'jane_doe'", name="jane_doe"),
    AssertionError("Jane Doe"),
    type("Stranger", (Exception,), {})("Jane Doe"),
]


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_an_unexpected_error_is_a_sentence_without_its_message(error, capsys):
    """With its kind and its line; the traceback, which may quote a patient's name, only after --debug."""

    def run(arguments: argparse.Namespace) -> Status:
        raise error

    with COMMANDS.extended(Command("toy", "a toy", lambda parser: None, run)):
        assert main(["toy"]) == Status.FAILED
        message = explained(error)
        assert (message.code, message.values["error"]) == ("cli.unexpected", type(error).__name__)
        assert message.values["place"].startswith("test_main.py:")
        assert capsys.readouterr() == ("", f"{message}\n")
        assert main(["--debug", "toy"]) == Status.FAILED
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback")
    assert printed.endswith(f"{message}\n")


def test_a_full_disk_under_standard_output_is_a_sentence(project):
    """Also where the output was still in memory when the command ended."""
    code = (
        "import sys; from cxrmodel.cli.command import Command, Status; from cxrmodel.cli.commands import COMMANDS;"
        "from cxrmodel.cli.main import main; run = lambda arguments: print('x') or Status.DONE\n"
        "with COMMANDS.extended(Command('toy', 'a toy', lambda parser: None, run)): sys.exit(main(['toy']))"
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == Status.FAILED
    assert done.stderr == f"{Message('cli.disk_full', reason=os.strerror(28))}\n"


@pytest.mark.parametrize("name", ["--x\x1b[2K", "--x\nb.png:normal", "--x\u202e"])
def test_wrong_usage_quotes_no_control(name, capsys):
    """A shell may put a file name in place of a pattern."""
    with pytest.raises(SystemExit):
        main(["read", "a.png", name])
    printed = capsys.readouterr().err
    assert visible(name) in printed
    assert name not in printed


@pytest.mark.parametrize(("argv", "seed"), [([], 0), (["--seed", "3"], 3)])
def test_a_seed_overrides_the_recipe(argv, seed, monkeypatch, tmp_path):
    """Everything else is the recipe's."""
    given = []
    monkeypatch.setattr(
        "cxrmodel.training.classifier.train_reader", lambda root, recipe, *rest, **more: given.append(recipe)
    )
    assert main(["train", "--model", "cnn", "--out", str(tmp_path), *argv]) == 0
    shipped = load_recipe(RECIPES / "cnn.toml")
    assert given == [shipped.replace(seed=seed)]


def test_an_earlier_training_is_replaced_only_when_asked(monkeypatch, tmp_path, capsys):
    """Hours of work; and no two runs train into one folder."""
    monkeypatch.setattr("cxrmodel.training.classifier.train_reader", lambda *given, **more: None)
    argv = ["train", "--model", "cnn", "--out", str(tmp_path)]
    (tmp_path / "checkpoint.npz").write_bytes(b"precious")
    for more, status in (([], 1), (["--resume"], 0), (["--overwrite"], 0)):
        assert main([*argv, *more]) == status
    capsys.readouterr()
    with locked(tmp_path):
        assert main([*argv, "--resume"]) == 1
    assert capsys.readouterr().err == f"{Message('outputs.locked', output=str(tmp_path))}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


@pytest.mark.parametrize("name", ["index.json", "mine.png"])
def test_synthetic_images_replace_others_only_when_asked(monkeypatch, tmp_path, name):
    """Of the folder that is named."""
    monkeypatch.setattr("cxrmodel.training.synthetic.make_demo_images", lambda *given: None)
    argv = ["synthetic", "--out", str(tmp_path)]
    assert main(argv) == 0
    (tmp_path / name).write_bytes(b"precious")
    assert [main(argv), main([*argv, "--overwrite"])] == [1, 0]


def test_training_without_images_fails(tmp_path, monkeypatch, capsys):
    """The message names the variable that says where they are."""
    monkeypatch.setenv("CXR_DATA", str(tmp_path))
    assert main(["train", "--model", "cnn", "--out", str(tmp_path / "run")]) == 1
    assert "CXR_DATA" in capsys.readouterr().err


@pytest.mark.parametrize(("more", "audited"), [([], ["cnn"]), (["--no-audits"], []), (["--no-read"], [])])
def test_evaluate_audits_by_default(more, audited, monkeypatch, tmp_path):
    """Each model after it was read, into the same folder; without reading there is no audit."""
    called = []
    monkeypatch.setattr("cxrmodel.reading.Reader.load", lambda model: model)
    monkeypatch.setattr("cxrmodel.evaluation.run.evaluate", lambda reader, root, out: called.append("read"))
    monkeypatch.setattr("cxrmodel.evaluation.audits.run.audit", lambda reader, root, out: called.append((reader, out)))
    monkeypatch.setattr("cxrmodel.evaluation.storage.load_evaluation", lambda model, out: None)
    monkeypatch.setattr("cxrmodel.evaluation.documents.performance_text", lambda evaluations: "")
    assert main(["evaluate", "--model", "cnn", "--out", str(tmp_path), "--no-checks", *more]) == 0
    assert called == (["read"] if "--no-read" not in more else []) + [(model, tmp_path) for model in audited]
