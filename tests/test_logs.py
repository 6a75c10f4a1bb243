"""The log: what is written of an event, and what never is."""

import ast
import json
import logging
import re
import subprocess
import sys

import pytest

from cxrmodel.logs import FIELDS, WITHHELD, event, know, log_failure
from cxrmodel.messages import Message

NAME = "Jane^Doe"
LIBRARIES = f"""
import asyncio, logging, sys, threading, warnings
from cxrmodel import logs
early = logging.getLogger("early.library")
early.addHandler(logging.StreamHandler(sys.stdout))
early.propagate = False
logs.start(as_json={{as_json}})
logs.event("logs.failure", reference="0A1B2C", error="{NAME}", place="a.py:1")
early.error("cannot read %s", "{NAME}")
late = logging.getLogger("late.library")
late.addHandler(logging.StreamHandler(sys.stdout))
late.propagate = False
late.setLevel(logging.DEBUG)
late.info("{NAME}")
late.warning("{NAME}")
warnings.warn("{NAME}")
def fail():
    raise ValueError("{NAME}")
try:
    fail()
except ValueError:
    late.exception("{NAME}")
thread = threading.Thread(target=fail, name="{NAME}")
thread.start()
thread.join()
class Broken:
    def __del__(self):
        fail()
Broken()
async def forgotten():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)
asyncio.run(forgotten())
fail()
"""


def broken(name: str) -> bytes:
    """Fail with a message that quotes a file name."""
    raise OSError(f"cannot open {name}")


def test_log_has_reference_kind_and_place_but_no_message(caplog):
    """The log tells an operator where to look, and nothing of the patient."""
    try:
        broken("Jane Doe.png")
    except OSError as error:
        reference = log_failure(error)
    assert re.fullmatch(r"[0-9A-F]{6}", reference)
    assert f"reference {reference}: OSError at test_logs.py:" in caplog.text
    assert "Jane" not in caplog.text


def test_references_differ(caplog):
    """Two failures have two references."""
    assert log_failure(ValueError()) != log_failure(ValueError())
    assert "ValueError at no line" in caplog.text


def values_of(caplog, **values):
    """The values of an event as they are logged."""
    event("logs.failure", logging.ERROR, **{"reference": "0A1B2C", "error": "Error", "place": "a.py:1"} | values)
    return {name: caplog.records[-1].cxrmodel_message.values[name] for name in values}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("milliseconds", 520.1),
        ("status", 200),
        ("outcome", "refused"),
        ("cause", "imaging.empty"),
        ("job", 2**62),
        ("request", "0123456789abcdef0123456789abcdef"),
        ("model", "densenet121 0123456789ab"),
        ("route", "/api/v1/readings"),
        ("error", "OSError"),
        ("place", "a.py:1 > <frozen importlib._bootstrap>:20"),
        ("method", "POST"),
    ],
)
def test_a_value_of_the_right_form_is_written(caplog, key, value):
    """As it is."""
    assert values_of(caplog, **{key: value}) == {key: value}


@pytest.mark.parametrize("key", FIELDS)
@pytest.mark.parametrize(
    "value",
    [NAME, "Jane Doe", "19700101", "1.2.840.113619.2.5.1762583153", "/home/ward 3/Jane.dcm", "a\nb", None, b"x"],
)
def test_nothing_of_another_form_enters(caplog, key, value):
    """Names, dates, UIDs, paths, further lines."""
    assert values_of(caplog, **{key: value}) == {key: WITHHELD}


def test_names_of_the_configuration_are_known_first(caplog):
    """A name that no configuration has may be a patient's."""
    assert values_of(caplog, name="archive-1") == {"name": WITHHELD}
    know(["archive-1"])
    assert values_of(caplog, name="archive-1") == {"name": "archive-1"}


def test_an_unknown_key_is_an_error():
    """A new key needs its form first."""
    with pytest.raises(KeyError):
        event("logs.failure", patient="1")


def test_every_event_has_known_keys(project):
    """Each call in the source names keys of the list only."""
    unknown, calls = set(), 0
    for path in (project / "cxrmodel").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                code = call.args[0].value
                if isinstance(code, str) and code.startswith("logs.") and getattr(call.func, "id", "") != "Message":
                    calls += 1
                    unknown |= {key.arg for key in call.keywords} - set(FIELDS) - {"level", None}
    assert calls
    assert unknown == set()


@pytest.fixture(scope="module", params=[True, False], ids=["json", "words"])
def lines(request, project):
    """What a process logs in which libraries and threads log, warn and fail; and whether it is JSON."""
    code = LIBRARIES.format(as_json=request.param)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=project)
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr.splitlines(), request.param


def test_libraries_and_errors_quote_nobody(lines):
    """Neither handlers of their own, nor warnings, threads, destructors, loops, nor the end of the process."""
    written, _ = lines
    assert len(written) == 9
    assert "Jane" not in "\n".join(written)
    assert "Doe" not in "\n".join(written)


def test_every_line_is_an_event(lines):
    """With time, level and code; in words, with time and level."""
    written, as_json = lines
    for line in written:
        if as_json:
            found = json.loads(line)
            assert {"time", "level", "event"} <= set(found)
            assert set(found) - {"time", "level", "event"} <= set(FIELDS)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])
            assert str(Message(f"logs.{found['event']}", **found))
        else:
            assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info) \w", line)
