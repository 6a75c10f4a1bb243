"""What crosses the border between the program and a decoder process.

A request is trusted and pickled. A reply is not, because the file may have taken over the process that decodes it: a
reply is a short JSON text with the types and shapes of arrays, whose bytes lie in shared memory. All of it is checked,
and none of it is ever unpickled.
"""

import json
import math
import mmap
import os
import pickle
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

if sys.platform == "linux":
    import fcntl

Value = np.ndarray | int | None
"""What a native decoder returns a tuple of."""

MAX_BYTES = 600_000_000
"""That a process may write to shared memory: fifty million pixels of six bytes, and their opacity."""
_DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "float32")
_MAX_REPLY, _MAX_VALUES, _MAX_DIMENSIONS = 4096, 4, 3
_LENGTH = struct.Struct("<I")

STATUS = struct.Struct("<i")
"""How a decoder process ended, as ``os.waitstatus_to_exitcode`` gives it."""
DONE, FAILED, OUT_OF_MEMORY = "done", "failed", "memory"
"""Status of a reply: decoded; the decoder raised an error; it needs more memory than it may have."""


class InvalidReply(Exception):
    """A reply that no sound decoder process sends."""


def send(link: socket.socket, packet: bytes) -> None:
    """Send a packet with its length."""
    link.sendall(_LENGTH.pack(len(packet)) + packet)


def receive(link: socket.socket, seconds: float) -> bytes:
    """Receive a reply.

    Parameters
    ----------
    link : socket
    seconds : float
        By the clock, for the whole of it.

    Raises
    ------
    EOFError
        The other side has ended.
    InvalidReply
        It is too long.
    TimeoutError
    """
    deadline = time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_exactly(link, _LENGTH.size, deadline))
    if length > _MAX_REPLY:
        raise InvalidReply
    return _exactly(link, length, deadline)


def _exactly(link: socket.socket, length: int, deadline: float | None = None) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        if deadline is not None:
            link.settimeout(max(0.001, deadline - time.monotonic()))
        part = link.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def send_request(
    link: socket.socket, function: Callable[..., tuple[Value, ...]], data: bytes, arguments: Sequence[Any], memory: int
) -> None:
    """Send a function of a module, the bytes of a file in shared memory, and further arguments.

    Parameters
    ----------
    memory : int
        Descriptor of shared memory that was never used.
    """
    os.pwrite(memory, data, 0)
    packet = pickle.dumps((function, len(data), tuple(arguments)))
    socket.send_fds(link, [_LENGTH.pack(len(packet))], [memory])
    link.sendall(packet)


def receive_request(link: socket.socket) -> tuple[bytes, int]:
    """Receive a request and the descriptor of its shared memory.

    Raises
    ------
    EOFError
        There are no more.
    """
    head, descriptors, _, _ = socket.recv_fds(link, _LENGTH.size, 1)
    if not descriptors:
        raise EOFError
    return _exactly(link, _LENGTH.unpack(head)[0]), descriptors[0]


def reply(status: str, values: Sequence[Value] = ()) -> bytes:
    """Write a reply; the bytes of its arrays lie one after the other in shared memory."""
    described = [{"dtype": v.dtype.name, "shape": v.shape} if isinstance(v, np.ndarray) else v for v in values]
    return json.dumps([status, described]).encode("ascii")


def read_reply(packet: bytes, memory: int) -> tuple[str, list[Value]]:
    """Check a reply, and map its arrays from shared memory, which is sealed first: nobody can change it any more.

    Parameters
    ----------
    packet : bytes
    memory : int
        Descriptor of the shared memory.

    Returns
    -------
    status : str
    values : list of ndarray (read-only), int or None

    Raises
    ------
    InvalidReply
    """
    try:
        status, described = json.loads(packet)
        if status not in (DONE, FAILED, OUT_OF_MEMORY) or len(described) > _MAX_VALUES:
            raise InvalidReply
        shapes = [_shape(value) if isinstance(value, dict) else value for value in described]
        if not all(item is None or type(item) in (int, bool, tuple) for item in shapes):
            raise InvalidReply
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK)
        return status, _mapped(shapes, memory)
    except (ValueError, TypeError, KeyError, RecursionError, OSError) as error:
        raise InvalidReply from error


def _shape(described: dict[str, Any]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    shape = tuple(described["shape"])
    sound = len(shape) <= _MAX_DIMENSIONS and all(type(side) is int and 0 < side <= MAX_BYTES for side in shape)
    if described["dtype"] not in _DTYPES or not sound:
        raise InvalidReply
    return np.dtype(described["dtype"]), shape


def write_arrays(memory: int, values: Sequence[Value]) -> None:
    """Write the arrays of a reply to shared memory, one after the other."""
    place = 0
    for value in values:
        if isinstance(value, np.ndarray):
            native = value.dtype.newbyteorder("=")
            os.pwrite(memory, np.ascontiguousarray(value, native).data, place)
            place += _room(value.nbytes)


def _mapped(shapes: list[Any], memory: int) -> list[Value]:
    values, place = list[Value](), 0
    size = os.fstat(memory).st_size
    whole = mmap.mmap(memory, size, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ) if size else b""
    for item in shapes:
        if isinstance(item, tuple):
            dtype, shape = item
            array = np.frombuffer(whole, dtype, math.prod(shape), place).reshape(shape)
            place += _room(array.nbytes)
            values.append(array)
        else:
            values.append(item)
    return values


def _room(size: int) -> int:
    """Bytes that an array takes in shared memory, so that the next is aligned."""
    return size + -size % 8
