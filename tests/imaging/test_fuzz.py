"""Damaged files of every type end in an image or in a refusal. ``make fuzz`` runs the same for longer."""

import json
import subprocess
import sys

import pytest


def run(project, *words, code=None):
    """Run the fuzzer in a process of its own; its report and its exit status."""
    script = ["-c", code] if code else ["-m", "tests.support.fuzz"]
    done = subprocess.run([sys.executable, *script, *words], cwd=project, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


@pytest.mark.parametrize(("only", "inputs"), [("", 1000), ("DICOM", 1000)])
def test_damaged_files_end_in_an_image_or_a_refusal(project, only, inputs):
    """Within 20 seconds of the processor and three gigabytes each, without a warning or patient data in any output."""
    report, status = run(project, "--inputs", str(inputs), "--seed", "7", "--only", only)
    assert report["faults"] == []
    assert status == 0
    assert report["inputs"] == inputs
    assert report["read"] + sum(report["refused"].values()) == inputs
    assert report["read"] > inputs / 20
    assert len(report["refused"]) >= 4


BROKEN = """
import ctypes, json, os, sys, time
from tests.support import fuzz
from cxrmodel.imaging import radiograph
whole, calls = radiograph.read_radiograph, 0
def read(data, name):
    global calls
    calls += 1
    if calls == 3:
        {fault}
    return whole(data, name)
radiograph.read_radiograph, fuzz.PATIENCE = read, 5
result = fuzz.fuzz(8, only="PNG")
print(json.dumps([result.inputs, result.faults]))
"""


@pytest.mark.parametrize(
    ("fault", "word", "runs"),
    [
        ("ctypes.string_at(0)", "died", 2),
        ("os._exit(0)", "died", 2),
        ("time.sleep(60)", "took more", 2),
        ("raise MemoryError", "MemoryError", 1),
        ("import warnings; warnings.warn('odd')", "Warning", 1),
        ("print('DOE^JANE')", "DOE", 1),
    ],
)
def test_the_fuzzer_notices(project, fault, word, runs):
    """A process that dies, hangs, raises or prints is reported with its input, and the others are still read."""
    (inputs, faults), _ = run(project, code=BROKEN.format(fault=fault))
    assert inputs == 8
    assert [number for number, _ in faults] == [2, 5][:runs]
    assert all(word in fault for _, fault in faults)
