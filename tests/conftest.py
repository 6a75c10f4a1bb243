"""Fixtures that any test may ask for: drawn images, their files, and the real images where they lie."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before anything imports TensorFlow

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from cxrmodel.imaging.sandbox.pool import end_sandbox
from tests.support.orthanc import Orthanc, make_orthanc
from tests.support.postgres import Postgres, make_postgres
from tests.support.programs import require_program

PROJECT = Path(__file__).resolve().parents[1]

# How fast a machine draws inputs is not what a property is about.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files with slow tests and browsers first: begun last, one of them would keep one process busy alone."""
    slow = {item.path for item in items if {"slow", "browser"} & {mark.name for mark in item.iter_markers()}}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="module")
def no_sandbox() -> Iterator[None]:
    """Tests of one file never run in the sandbox that those of another have started."""
    yield
    end_sandbox()


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def strict_skip() -> Callable[[str], NoReturn]:
    """Give up on a test for want of something: a skip with its reason, a failure with CXR_STRICT=1."""

    def give_up(reason: str) -> NoReturn:
        __tracebackhide__ = True
        if os.environ.get("CXR_STRICT") == "1":
            pytest.fail(f"{reason} (skipping is not allowed: CXR_STRICT=1)", pytrace=False)
        pytest.skip(reason)

    return give_up


@pytest.fixture(scope="session")
def data_root(strict_skip) -> Path:
    """The folder that holds the real images (CXR_DATA, else data/ in the project)."""
    configured = os.environ.get("CXR_DATA")
    root = Path(configured).resolve() if configured else PROJECT / "data"
    if not (root / "chest_xray").is_dir():
        strict_skip(f"needs the real images: {root} holds no chest_xray; point CXR_DATA at the folder that does")
    return root


@pytest.fixture(scope="session")
def program(strict_skip) -> Callable[[str], str]:
    """A function ``program("storescu")``: path of a program of ``tests/support/programs.py``."""
    return lambda name: require_program(name, strict_skip)


@pytest.fixture
def start_orthanc(tmp_path, strict_skip) -> Iterator[Callable[..., Orthanc]]:
    """A function ``start_orthanc(ae_title="ORTHANC", users={}, settings={})``: a running archive server, empty.

    All are stopped at the end of the test.
    """
    started: list[Orthanc] = []

    def start(**options) -> Orthanc:
        server = make_orthanc(tmp_path / f"orthanc{len(started)}", strict_skip, **options)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def orthanc(start_orthanc) -> Orthanc:
    """A running archive server with DICOMweb, empty."""
    return start_orthanc()


@pytest.fixture(scope="session")
def postgres(strict_skip) -> Iterator[Postgres]:
    """A running database server; ``postgres.database()`` is the address of a new, empty database."""
    server = make_postgres(strict_skip)
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture(scope="session")
def make_image() -> Callable[..., np.ndarray]:
    """A function ``make_image(seed=0, shape=(480, 560))`` that draws a crude chest radiograph."""
    return _draw_image


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """A function ``png(pixels, bits=8)``: pixels in 0..1 -> bytes of a grey PNG of 8 or 16 bits."""
    return _png


@pytest.fixture(scope="session")
def make_archive(make_image, png) -> Callable[..., Path]:
    """A function ``make_archive(root, patients=6)`` that writes a drawn archive in the public layout.

    Each patient has two images; the test and val folders hold two patients of each class.
    """

    def build(root: Path, patients: int = 6) -> Path:
        for folder, count in (("train", patients), ("val", 2), ("test", 2)):
            start = {"train": 0, "val": 1000, "test": 2000}[folder]
            for label, names in (("NORMAL", _normal_names), ("PNEUMONIA", _pneumonia_names)):
                place = root / "chest_xray" / folder / label
                place.mkdir(parents=True)
                for number in range(start, start + count):
                    for image, name in enumerate(names(number)):
                        seed = 4 * number + 2 * (label == "PNEUMONIA") + image
                        (place / f"{name}.jpeg").write_bytes(png(make_image(seed, (224, 224))))
        return root

    return build


def _normal_names(number: int) -> list[str]:
    return [f"IM-{number:04d}-0001", f"IM-{number:04d}-0002"]


def _pneumonia_names(number: int) -> list[str]:
    organism = ("bacteria", "virus")[number % 2]
    return [f"person{number}_{organism}_{10 * number}", f"person{number}_{organism}_{10 * number + 1}"]


@pytest.fixture(scope="session")
def demo_image() -> bytes:
    """The bytes of the first demo image."""
    return min((PROJECT / "assets" / "demo").glob("*.png")).read_bytes()


def _draw_image(seed: int = 0, shape: tuple[int, int] = (480, 560)) -> np.ndarray:
    """Draw two dark lungs, ribs, spine, heart and diaphragm; float32 of the given shape, 0..1, air dark.

    The seed moves the organs by a few per cent and makes the grain; nothing comes from a real image.
    """
    rng = np.random.default_rng(seed)
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    shift = rng.uniform(-0.02, 0.02, 6)

    def within(cx: float, cy: float, rx: float, ry: float, edge: float = 0.12) -> np.ndarray:
        radius = np.hypot((x - cx) / rx, (y - cy) / ry)
        return np.clip((1 - radius) / edge, 0, 1)

    trunk = within(0.5, 0.62, 0.5, 0.72, 0.06)
    image = 0.05 + 0.57 * trunk
    ribs = 0.06 * np.sin(2 * np.pi * (y * 9 + 0.9 * np.abs(x - 0.5))) ** 2
    for side, dx, dy in ((-1, shift[0], shift[1]), (1, shift[2], shift[3])):
        lung = within(0.5 + side * 0.19 + dx, 0.48 + dy, 0.145, 0.31)
        image = image * (1 - lung) + (0.2 + ribs) * lung
    heart = within(0.55 + shift[4], 0.6 + shift[5], 0.14, 0.15, 0.3)
    spine = np.clip((0.035 - np.abs(x - 0.5)) / 0.02, 0, 1) * trunk
    image = np.maximum(image, 0.68 * heart)
    image = np.maximum(image, 0.72 * spine)
    image = cv2.GaussianBlur(image, (0, 0), max(0.6, 0.006 * min(shape)))
    image += rng.normal(0, 0.012, shape)
    return np.clip(image, 0, 1).astype(np.float32)


def _png(pixels: np.ndarray, bits: int = 8) -> bytes:
    top, kind = {8: (255, np.uint8), 16: (65535, np.uint16)}[bits]
    done, coded = cv2.imencode(".png", np.rint(np.clip(pixels, 0, 1) * top).astype(kind))
    assert done
    return coded.tobytes()
