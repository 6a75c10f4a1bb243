"""Limits of a decoder process on Linux, which need no privilege and cannot be lifted again.

Memory, and whatever reaches outside the process: after ``confine`` it has one socket, and what it is sent there; it
may open nothing, so there is no file system, no network and no other process for it.
"""

import ctypes
import os
import platform
import resource
import signal
import struct

from cxrmodel.imaging.sandbox.border import MAX_BYTES

# Columns: number on x86-64 and on ARM64. Memory, the open descriptors, its own time and its end; nothing else.
_SYSTEM_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "exit": (60, 93),
    "ftruncate": (77, 46),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
}
# Column above, number of the system call "seccomp", and audit architecture (linux/audit.h).
_MACHINES = {"x86_64": (0, 317, 0xC000003E), "aarch64": (1, 277, 0xC00000B7)}

# linux/prctl.h, linux/seccomp.h, linux/bpf_common.h
_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES = 1, 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_LIBRARY = ctypes.CDLL(None)
_ALLOW, _NOT_PERMITTED, _KILL = 0x7FFF0000, 0x00050001, 0x80000000

MEMORY = 3 * 2**30
"""Bytes of address space, libraries included."""


def confine(seconds: int) -> bool:
    """Confine this process for good. Everything that it will need must be imported before.

    Parameters
    ----------
    seconds : int
        Time of the processor that it may take.

    Returns
    -------
    bool
        Whether its system calls are confined as well; False where the kernel or the processor does not allow it.
    """
    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: MAX_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    # A second later the kernel kills a process that ignores the signal.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    return _filter_system_calls()


def end_with_parent(parent: int) -> None:
    """Be killed when the thread that started this process ends, even where that is killed itself."""
    _LIBRARY.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _filter_system_calls() -> bool:
    if platform.machine() not in _MACHINES:
        return False
    column, seccomp, architecture = _MACHINES[platform.machine()]
    allowed = [numbers[column] for numbers in _SYSTEM_CALLS.values()]
    # The fields of the kernel's record of a call: its number at 0, the architecture at 4.
    program = [(_LOAD, 0, 0, 4), (_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    program += [(_IF_EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)]
    program += [(_RETURN, 0, 0, _NOT_PERMITTED), (_RETURN, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    if _LIBRARY.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return bool(_LIBRARY.syscall(seccomp, _SET_MODE_FILTER, _ALL_THREADS, header) == 0)
