"""``explain``, and the caption of every saved heatmap."""

import hashlib
import os
import shutil

import pytest
from matplotlib.figure import Figure
from PIL import Image

from cxrmodel.cli.main import build_parser, main
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message
from cxrmodel.model.spec import load_spec


@pytest.fixture
def image(project):
    """A demo image."""
    return project / "assets" / "demo" / "synthetic-pneumonia-1.png"


def test_writes_a_picture(image, tmp_path):
    """An overlay with its colour bar."""
    out = tmp_path / "out.png"
    assert main(["explain", str(image), "--method", "gradcam", "-o", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200


@pytest.mark.parametrize("name", ["image.png", "other.jpg"])
def test_never_replaces_an_image(image, tmp_path, name):
    """Neither the image itself nor a file of another type."""
    copy = tmp_path / "image.png"
    shutil.copy(image, copy)
    assert main(["explain", str(copy), "-o", str(tmp_path / name)]) == 1
    assert copy.read_bytes() == image.read_bytes()
    assert not (tmp_path / "other.jpg").exists()


def test_replaces_an_earlier_picture_only_when_asked(image, tmp_path, capsys):
    """Nothing is read before that is known; a link is never written through."""
    out, link = tmp_path / "out.png", tmp_path / "link.png"
    out.write_bytes(b"precious")
    link.symlink_to(out)
    for path, more, code in ((out, [], "exists"), (link, [], "link"), (link, ["--overwrite"], "link")):
        assert main(["explain", str(image), "-o", str(path), *more]) == 1
        assert capsys.readouterr().err == f"{Message(f'outputs.{code}', file=str(path))}\n"
    assert out.read_bytes() == b"precious"
    assert main(["explain", str(image), "-o", str(out), "--overwrite"]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_explains_no_pipe(tmp_path, capsys):
    """It is not waited for."""
    os.mkfifo(tmp_path / "pipe.png")
    assert main(["explain", str(tmp_path / "pipe.png"), "-o", str(tmp_path / "out.png")]) == 1
    message = Message("cli.read.not_a_file", kind=Message("cli.read.kind.pipe"))
    assert capsys.readouterr().err == f"{message}\n"


@pytest.mark.parametrize("command", ["read", "explain"])
def test_a_saved_heatmap_says_what_it_is(image, tmp_path, monkeypatch, command):
    """The picture itself states finding, probability, disclaimer, model and image."""
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure.get_supxlabel()))
    where = {"read": ["--heatmaps", str(tmp_path)], "explain": ["-o", str(tmp_path / "out.png")]}
    assert main([command, str(image), *where[command]]) == 0
    (caption,) = (" ".join(text.split()) for text in drawn)
    version, checksum = load_spec("densenet121").version, hashlib.sha256(image.read_bytes()).hexdigest()
    for part in ("pneumonia", "> 99 %", "Not for diagnosis", version, checksum[:12]):
        assert part in caption


def test_other_methods_show_their_progress(image, tmp_path, capsys):
    """On standard error, with the colour range. Occlusion represents all computed methods."""
    out = tmp_path / "out.png"
    assert main(["explain", str(image), "--method", "occlusion", "--model", "cnn", "-o", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.format == "PNG"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "0\xa0%" in captured.err
    assert "range" in captured.err


@pytest.mark.parametrize("method", METHODS.names)
def test_every_method_is_a_choice(method):
    """All that are registered."""
    assert build_parser().parse_args(["explain", "f.png", "--method", method, "-o", "o.png"]).method == method
