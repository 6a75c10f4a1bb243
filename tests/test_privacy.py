"""Nothing leaves this machine: every command and the app, in a network where all that they send is seen."""

import json
import re
from pathlib import Path

import pytest

from cxrmodel.demo import demo_images
from tests.support.isolation import run_alone, why_impossible

pytestmark = pytest.mark.slow


@pytest.fixture
def alone(tmp_path, strict_skip):
    """A function that runs a Python program: its end, what it sent, and the files that it left in its home."""
    reason = why_impossible()
    if reason:
        strict_skip(reason)
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()

    def run(*command, **variables):
        done, sent = run_alone(command, folder, home, variables)
        return done, sent, sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())

    return run


@pytest.mark.parametrize(
    ("program", "sent"),
    [
        ("s.create_connection(('192.0.2.1', 80))", ["tcp", "192.0.2.1", 80]),
        ("s.create_connection(('2001:db8::1', 443))", ["tcp", "2001:db8::1", 443]),
        ("s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))", ["udp", "192.0.2.1", 9]),
        ("s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('224.0.0.251', 5353))", ["udp", "224.0.0.251", 5353]),
        ("s.getaddrinfo('example.org', 80)", ["udp", None, 53]),
        ("s.gethostbyname(s.gethostname())", ["udp", None, 53]),
        ("s.getaddrinfo('localhost', 80)", None),
    ],
)
def test_the_network_sees_what_is_sent(alone, program, sent):
    """Without this, the other tests would prove nothing."""
    _, found, _ = alone("-c", f"import socket as s\n{program}")
    if sent is None:
        assert found == []
    elif sent[1] is None:
        assert [sent[0], sent[2]] in [[kind, port] for kind, _, port in found]
    else:
        assert sent in found


def local_files(files):
    """Files that libraries leave in the home of a user, without those that are known to hold nothing of the user."""
    return [name for name in files if not name.startswith((".cache/matplotlib/", ".config/matplotlib/", ".keras/"))]


def test_no_command_sends_anything(alone, make_archive, project, tmp_path):
    """Each of them, one after the other in one program, with the libraries of all."""
    archive = make_archive(tmp_path / "archive", patients=6)
    shipped = (project / "cxrmodel" / "training" / "recipes" / "cnn.toml").read_text(encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(re.sub("stages = .*", "stages = [[32, 1]]", shipped), encoding="utf-8")
    image = str(demo_images()[0].path)
    own = archive / "chest_xray" / "test"
    commands = {
        ("read", "--json", "--csv", "a.csv", "--heatmaps", "heatmaps", image): 0,
        ("explain", "--method", "gradcam++", "--model", "cnn", "--out", "map.png", image): 0,
        ("evaluate", "--data", str(own), "--model", "cnn", "--out", "own", "--report", "own.html"): 0,
        ("train", "--model", "cnn", "--recipe", str(recipe), "--out", "run"): 0,
        ("export", "--run", "run", "--out", "exported"): 0,
        ("synthetic", "--out", "synthetic"): 1,  # drawn images are too much alike
        ("bench", "--train", "--model", "cnn", "--size", "32", "--batches", "1"): 0,
    }
    done, sent, files = alone("-m", "tests.support.tour", "commands", json.dumps(list(commands)), CXR_DATA=str(archive))
    assert json.loads(done.stderr.splitlines()[-1]) == list(commands.values()), done.stderr
    assert sent == []
    assert local_files(files) == []


def test_the_app_sends_nothing(alone):
    """An image is read, every page is drawn, and pages of other sites ask in vain, with the app on every address."""
    done, sent, files = alone("-m", "tests.support.tour", "app", json.dumps(["--server.address=0.0.0.0"]))
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.splitlines()[-1]) > 40
    assert sent == []
    assert local_files(files) == []


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "cxrmodel", "read", "--json", demo_images()[0].path],
        ["-c", "import cxrmodel, onnxruntime"],
        [
            "-m",
            "pytest",
            "--collect-only",
            "-p",
            "no:cacheprovider",
            Path(__file__).parent / "model" / "test_engine.py",
        ],
    ],
    ids=["module", "library", "tests"],
)
def test_no_identifier_of_the_machine_is_kept(alone, command):
    """The network runtime keeps none in the home, however the package comes to be loaded."""
    _, sent, files = alone(*command, ORT_DISABLE_TELEMETRY="0")
    assert sent == []
    assert local_files(files) == []
