"""Memory that images may take in this process: for decoding, and for what is kept."""

import os
from pathlib import Path

SETTING = "CXR_MEMORY"
"""Environment variable: megabytes for both together."""
_SHARE = 0.5
"""Of the machine's memory where nothing is set."""
_GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def half_of_memory() -> int:
    """Bytes that all decoding may take, and as many for all kept images: half of the memory for images."""
    setting = os.environ.get(SETTING, "")
    return (int(setting) * 10**6 if setting.isdecimal() else int(_SHARE * _installed())) // 2


def _installed() -> int:
    """Memory of the machine, or of the container that limits it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_GROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # there is no group, or it has no limit
        return machine
