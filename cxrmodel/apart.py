"""Work on a thread of its own, which holds nothing of the thread that asks for it.

Libraries keep tracebacks and threads for the life of the process: of an import that failed within them, or of who set a
limit. On a visitor's thread, those would keep the visitor's images.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")


def apart(function: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs) -> Made:
    """Call a function on a thread of its own, and wait for its result."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args, **kwargs).result()
