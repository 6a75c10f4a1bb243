"""Decoders in confined processes give what they give here, and harm nothing else."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cxrmodel.errors import DecoderUnavailable, ImageRefused, ImageTooLarge, UnreadableFile
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.imaging.sandbox import pool
from cxrmodel.imaging.sandbox.pool import DecoderFailed, Sandbox, end_sandbox, start_sandbox
from tests.support.mutations import seeds

pytestmark = pytest.mark.skipif(not pool.AVAILABLE, reason="the sandbox needs Linux")


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox of two decoders with a second each."""
    made = Sandbox(2, seconds=1)
    yield made
    made.end()


def run(sandbox, code):
    """Run code in a decoder process, as a file would that has taken it over; its number `found`."""
    wrapped = "(names := {'found': 0}, exec(code, names), names['found'])[2:]"
    return sandbox.decode(eval, wrapped.encode(), ({"code": code},))[0]


def outcome(data):
    """Everything that a file gives."""
    try:
        image = read_radiograph(data, "image")
    except ImageRefused as refusal:
        return type(refusal), refusal.message
    return image.pixels.tobytes(), image.pixels.shape, image.notes, image.bits, image.inverted, image.stored_range


@pytest.fixture
def started():
    """The sandbox of the program, two images to a process."""
    start_sandbox(images=2)
    yield
    end_sandbox()


def test_every_file_gives_the_same_in_the_sandbox(varieties, started):
    """Whole files of every variety and syntax, and damaged ones: the same pixels and notes, or the same refusal."""
    files = {name: entry[0] for name, entry in varieties.items()} | seeds()
    files |= {f"{name}, cut": data[: len(data) * 3 // 4] for name, data in seeds().items()}
    inside = {name: outcome(data) for name, data in files.items()}
    end_sandbox()
    here = {name: outcome(data) for name, data in files.items()}
    assert [name for name in files if inside[name] != here[name]] == []
    assert sum(len(found) > 2 for found in inside.values()) > 50


ATTEMPTS = {
    "read a file": "open('/etc/passwd')",
    "write a file": "open('/tmp/stolen', 'w')",
    "list a folder": "os.listdir('/')",
    "delete a file": "os.unlink('/nonexistent')",
    "open a connection": "socket.socket()",
    "make a pair of sockets": "socket.socketpair()",
    "start a process": "os.fork()",
    "become a program": "os.execv('/bin/true', ['true'])",
    "signal the program": "os.kill(os.getppid(), 0)",
    "watch the program": "ptrace(16, os.getppid(), 0, 0)",
    "read the program's memory": "call(310, os.getppid(), 0, 0, 0, 0, 0)",
    "make another memory": "os.memfd_create('x')",
    "raise its limits": "resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))",
    "change its priority": "os.nice(1)",
}

ATTEMPT = """
import ctypes, errno, os, socket, sys
resource = sys.modules["resource"]
def ptrace(*words): return check(ctypes.CDLL(None, use_errno=True).ptrace(*words))
def call(*words): return check(ctypes.CDLL(None, use_errno=True).syscall(*words))
def check(result):
    if result < 0: raise OSError(ctypes.get_errno(), "")
try:
    {attempt}
except OSError as error:
    found = error.errno
except ValueError as error:
    found = 1 if "not allowed" in str(error) else 0
"""


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_decoder_reaches_nothing_outside(sandbox, attempt):
    """Its own memory and the socket to the program is all it has."""
    assert run(sandbox, ATTEMPT.format(attempt=attempt)) == 1


def test_a_decoder_can_compute(sandbox):
    """The attempts above fail for want of a right, not of anything else."""
    assert run(sandbox, ATTEMPT.format(attempt="found = sum(range(10))")) == 45


HARMS = {
    "crash": ("import ctypes; ctypes.string_at(0)", UnreadableFile, "imaging.decoder.crashed"),
    "exit": ("import os; os._exit(0)", UnreadableFile, "imaging.decoder.crashed"),
    "endless loop": ("while True: pass", UnreadableFile, "imaging.decoder.time"),
    "memory": ("bytearray(2**33)", ImageTooLarge, "imaging.decoder.memory"),
    "long reply": ("import os; os.write(link, b'\\xff' * 8)", UnreadableFile, "imaging.decoder.crashed"),
    "other reply": ("import os; os.write(link, b'\\2\\0\\0\\0{}')", UnreadableFile, "imaging.decoder.crashed"),
}
LINK = "import gc, socket\nlink = next(x for x in gc.get_objects() if isinstance(x, socket.socket)).fileno()\n"


@pytest.mark.parametrize(("code", "kind", "reason"), HARMS.values(), ids=HARMS)
def test_harm_is_a_refusal_and_costs_nothing_else(sandbox, code, kind, reason):
    """Another image that is decoded at the time, and the next one, are."""
    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(run, sandbox, "found = sum(range(10**6))")
        with pytest.raises(kind) as caught:
            run(sandbox, LINK + code)
        assert caught.value.message.code == reason
        assert other.result() == sum(range(10**6))
    assert run(sandbox, "found = 7") == 7


def test_a_decoder_that_waits_for_ever_is_killed(monkeypatch):
    """Without using the processor, it is stopped by the clock."""
    sandbox = Sandbox(1)
    assert run(sandbox, "found = 7") == 7
    monkeypatch.setattr(pool, "PATIENCE", 0.5)
    with pytest.raises(UnreadableFile) as caught:
        run(sandbox, "import _thread; lock = _thread.allocate_lock(); lock.acquire(); lock.acquire()")
    monkeypatch.undo()
    assert caught.value.message.code == "imaging.decoder.time"
    assert run(sandbox, "found = 7") == 7
    sandbox.end()


@pytest.mark.parametrize(("images", "kept"), [(1, 0), (2, 1)])
def test_nothing_of_an_image_is_left_for_the_next(images, kept):
    """A process that a file has changed ends with it, or after as many as it may decode."""
    sandbox = Sandbox(1, images)
    run(sandbox, "import os; os.left = 1")
    assert run(sandbox, "import os; found = getattr(os, 'left', 0)") == kept
    assert run(sandbox, "import os; found = getattr(os, 'left', 0)") == 0
    sandbox.end()


def test_an_error_of_a_decoder_is_told_from_harm(sandbox):
    """It becomes the refusal of a damaged file."""
    with pytest.raises(DecoderFailed):
        run(sandbox, "1 / 0")


def test_a_sandbox_that_cannot_start_blames_no_file(monkeypatch):
    """Nor does one whose parent process has died."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DecoderUnavailable):
        run(Sandbox(1), "found = 7")
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(DecoderUnavailable):
        run(Sandbox(1), "found = 7")


@pytest.mark.parametrize("with_parent", [True, False])
def test_a_decoder_that_was_killed_while_idle_is_replaced(with_parent):
    """Its death costs no image, nor does that of the process that forks."""
    sandbox = Sandbox(1, images=9)
    assert run(sandbox, "found = 7") == 7
    parent = sandbox._idle[0]._parent.pid
    (decoder,) = children(parent)
    os.kill(parent if with_parent else decoder, signal.SIGKILL)
    wait_for_the_end_of([decoder])
    assert run(sandbox, "found = 7") == 7
    sandbox.end()


def children(process):
    """Numbers of the processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def wait_for_the_end_of(processes):
    """Wait, at most five seconds; whether all have ended."""
    for _ in range(100):
        if not any(alive(number) for number in processes):
            return True
        time.sleep(0.05)
    return False


ORPHANS = """
import os, signal, sys, time
from cxrmodel.imaging.sandbox.pool import Sandbox
sandbox = Sandbox(1)
sandbox.decode(eval, b"(1,)", ())
parent = sandbox._idle[0]._parent.pid
print(parent, *open(f"/proc/{parent}/task/{parent}/children").read().split(), flush=True)
time.sleep(60)
"""


def test_no_process_outlives_a_program_that_is_killed(project):
    """Neither the one that waits for a file nor its parent."""
    program = subprocess.Popen([sys.executable, "-c", ORPHANS], cwd=project, stdout=subprocess.PIPE, text=True)
    numbers = [int(word) for word in program.stdout.readline().split()]
    program.kill()
    program.wait()
    assert numbers
    assert wait_for_the_end_of(numbers)


def alive(number):
    """Whether a process exists and is no zombie."""
    status = Path(f"/proc/{number}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_forked_program_decodes_for_itself(started, png):
    """It must not share the sockets of its parent."""
    data = png(np.random.default_rng(0).random((80, 90)))
    expected = outcome(data)
    child = os.fork()
    if not child:
        os._exit(0 if pool._sandbox is None and outcome(data) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert outcome(data) == expected
