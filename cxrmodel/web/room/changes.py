"""Changes of a room, for which requests wait without a thread of their own."""

import asyncio
import threading


class Changes:
    """Wakes those who wait for a change; it may be told of one on any thread."""

    def __init__(self) -> None:
        self._loops: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def tell(self) -> None:
        """Wake all who wait."""
        with self._lock:
            for event, loop in self._loops.items():
                loop.call_soon_threadsafe(event.set)
            self._loops.clear()

    def expect(self) -> asyncio.Event:
        """Give an event that the next change sets; ask for it before looking whether there was a change."""
        event = asyncio.Event()
        with self._lock:
            self._loops[event] = asyncio.get_running_loop()
        return event

    def forget(self, event: asyncio.Event) -> None:
        """Stop waiting."""
        with self._lock:
            self._loops.pop(event, None)
