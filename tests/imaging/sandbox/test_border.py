"""What a decoder process sends is checked before any of it is used."""

import json
import os

import numpy as np
import pytest

from cxrmodel.imaging.sandbox.border import DONE, FAILED, InvalidReply, read_reply, reply, write_arrays

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="the sandbox needs Linux")


@pytest.fixture
def memory():
    """Descriptor of shared memory."""
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    yield descriptor
    os.close(descriptor)


def test_arrays_arrive_unchanged(memory):
    """Whatever their order in memory, at addresses that fit their type."""
    samples, alpha = np.arange(35, dtype=np.uint8).reshape(5, 7), np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)
    values = samples[::-1], None, alpha, samples.astype(">u2")
    write_arrays(memory, values)
    status, found = read_reply(reply(DONE, values), memory)
    assert status == DONE
    assert np.array_equal(found[0], samples[::-1])
    assert np.array_equal(found[2], alpha)
    assert np.array_equal(found[3], samples)
    assert found[1] is None
    assert found[2].flags.aligned
    assert not found[0].flags.writeable


def test_numbers_arrive_unchanged(memory):
    """Whole ones and truth values."""
    assert read_reply(reply(DONE, [6, None, True]), memory) == (DONE, [6, None, True])


def test_nobody_changes_arrays_after_they_were_checked(memory):
    """The memory is sealed: neither written to nor shortened."""
    write_arrays(memory, [np.zeros((4, 4), np.uint8)])
    read_reply(reply(DONE, [np.zeros((4, 4), np.uint8)]), memory)
    for change in (lambda: os.pwrite(memory, b"1", 0), lambda: os.ftruncate(memory, 0)):
        with pytest.raises(PermissionError):
            change()


def array(dtype="uint8", shape=(2, 2)):
    """Description of an array."""
    return {"dtype": dtype, "shape": shape}


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x80\x04N.",
        b"[" * 2000,
        b"\xff",
        *(
            json.dumps(value).encode()
            for value in (
                None,
                [DONE],
                ["other", []],
                [["done"], []],
                [DONE, 3],
                [DONE, {"dtype": "uint8"}],
                [DONE, ["text"]],
                [DONE, [1.5]],
                [DONE, [[1]]],
                [DONE, [None] * 5],
                [DONE, [{}]],
                [DONE, [array("object")]],
                [DONE, [array("float64")]],
                [DONE, [array(shape=[-1, 4])]],
                [DONE, [array(shape=[0, 4])]],
                [DONE, [array(shape=[2.0, 4])]],
                [DONE, [array(shape=[True, 4])]],
                [DONE, [array(shape=[2, 2, 2, 2])]],
                [DONE, [array(shape=[2**40, 2**40])]],
                [DONE, [array(shape=3)]],
                [DONE, [array(shape=[5, 5])]],
                [DONE, [array(shape=[4, 4]), array(shape=[1])]],
            )
        ),
    ],
)
def test_any_other_reply_is_invalid(memory, packet):
    """Not JSON, of another form, of a type that holds objects, or larger than the memory behind it."""
    os.pwrite(memory, bytes(16), 0)
    with pytest.raises(InvalidReply):
        read_reply(packet, memory)


def test_memory_that_a_process_has_mapped_is_refused(memory):
    """It could be changed in spite of the seal."""
    import mmap

    os.pwrite(memory, bytes(16), 0)
    with mmap.mmap(memory, 16), pytest.raises(InvalidReply):
        read_reply(json.dumps([DONE, [array()]]).encode(), memory)


def test_a_failure_brings_no_values(memory):
    """Neither arrays nor numbers."""
    assert read_reply(reply(FAILED), memory) == (FAILED, [])
