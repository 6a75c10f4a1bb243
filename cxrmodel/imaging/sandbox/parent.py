"""Parent of decoder processes, started by ``pool.py`` alone.

It imports every native decoder once and never sees a file. On request it forks a process, which inherits the decoders,
gives up all rights but those to its memory and to a socket, and decodes what the program sends until that lets it end.
"""

import gc
import importlib
import os
import pickle
import socket
import sys
from collections.abc import Callable

from cxrmodel.imaging.sandbox.border import (
    DONE,
    FAILED,
    OUT_OF_MEMORY,
    STATUS,
    Value,
    receive_request,
    reply,
    send,
    write_arrays,
)

_MODULES = ("cxrmodel.imaging.formats.registry", "cxrmodel.imaging.dicom.pixel_data.decoders", "PIL.ImagePalette")
_WARM = 8 * 2**20
"""Bytes of memory that a film of 2,000 x 2,000 pixels takes in its decoder."""


def main(descriptor: int, seconds: int) -> None:
    """Fork a process for each socket received, one after the other, until the other end of our own socket is closed.

    Parameters
    ----------
    descriptor : int
        Of our own socket.
    seconds : int
        Time of the processor that a decoder process may take.
    """
    # This needs a module that only some systems have, and the program itself imports this file.
    from cxrmodel.imaging.sandbox.confinement import confine, end_with_parent

    control = socket.socket(fileno=descriptor)
    for module in _MODULES:
        importlib.import_module(module)
    sample = _sample()
    gc.collect()
    gc.freeze()
    parent = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        link = socket.socket(fileno=descriptors[0])
        child = os.fork()
        if not child:
            try:
                control.close()
                end_with_parent(parent)
                confine(seconds)
                _decode(link, sample)
            finally:
                os._exit(1)
        link.close()
        _, status = os.waitpid(child, 0)
        control.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _decode(link: socket.socket, sample: Callable[[], object]) -> None:
    """Decode until the other end of the link is closed, then end the process."""
    # While it waits, take the memory that an image needs, which a new process gets page by page as it writes.
    sample()
    bytearray(_WARM)  # what is freed once raises the limit below which freed memory is kept
    bytearray(_WARM)[::4096] = bytes(_WARM // 4096)
    try:
        while True:
            packet, memory = receive_request(link)
            answer = _answer(packet, memory)
            os.close(memory)
            send(link, answer)
    except EOFError:
        os._exit(0)


def _answer(packet: bytes, memory: int) -> bytes:
    function, size, arguments = pickle.loads(packet)
    try:
        data = os.pread(memory, size, 0)
        os.ftruncate(memory, 0)
        values: tuple[Value, ...] = function(data, *arguments)
        write_arrays(memory, values)
    except MemoryError:
        return reply(OUT_OF_MEMORY)
    except Exception:
        return reply(FAILED)
    return reply(DONE, values)


def _sample() -> Callable[[], object]:
    """Let the libraries do what they do on first use, while they still may; return a small image to be decoded."""
    import cv2
    import numpy as np
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    from cxrmodel.imaging.formats.raster import stored_image

    Image.preinit()
    cv2.setNumThreads(1)
    levels = np.zeros((64, 64, 3), np.uint16)
    cv2.imdecode(cv2.imencode(".png", levels)[1], cv2.IMREAD_UNCHANGED)
    file = cv2.imencode(".jpg", levels)[1].tobytes()
    stored_image(file, (64, 64), 8, JpegImageFile)
    return lambda: stored_image(file, (64, 64), 8, JpegImageFile)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
