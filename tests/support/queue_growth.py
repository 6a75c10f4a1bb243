"""Time of the store's operations with 100, 1,000 and 10,000 jobs behind them: ``python -m tests.support.queue_growth``.

On SQLite and on a real PostgreSQL, both durable. The ratio is that of the longest queue to the shortest.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from cxrmodel.store.records import StoredObject
from cxrmodel.store.store import Store
from tests.support.postgres import make_postgres
from tests.support.stored import MODEL, READ, received

SIZES = (100, 1_000, 10_000)
SAMPLES = 40


def timed(act: Callable[[], object]) -> tuple[float, object]:
    """Milliseconds of a call, and what it gives."""
    start = time.perf_counter()
    found = act()
    return 1000 * (time.perf_counter() - start), found


def grow(store: Store) -> dict[str, list[float]]:
    """Median milliseconds of each operation at each size; half of the jobs are done, half wait."""
    made, times = 0, {}
    for size in SIZES:
        while made < size:
            store.receive(received(f"1.2.{made}"), MODEL)
            made += 1
            if made % 2:
                job = store.lease("grow", MODEL, 600)
                store.finish(job, READ, [StoredObject(f"{job.image.key}.1", "sr", "c", b"x" * 8000)], ["pacs"])
        for name, sample in measure(store, size).items():
            times.setdefault(name, []).append(median(sample))
        made += SAMPLES
    return times


def measure(store: Store, size: int) -> dict[str, list[float]]:
    """Run every operation some times; the number of waiting jobs stays."""
    found: dict[str, list[float]] = {}

    def one(name: str, act: Callable[[], object]) -> object:
        took, result = timed(act)
        found.setdefault(name, []).append(took)
        return result

    for number in range(SAMPLES):
        key = f"1.3.{size}.{number}"
        one("receive", lambda key=key: store.receive(received(key), MODEL))
        one("receive again", lambda key=key: store.receive(received(key), MODEL))
        job = one("lease", lambda: store.lease("w", MODEL, 600))
        one("extend", lambda job=job: store.extend(job, 600))
        result = [StoredObject(f"{key}.1", "sr", "c", b"x" * 8000)]
        one("finish", lambda job=job, result=result: store.finish(job, READ, result, ["pacs"]))
        delivery = one("lease_delivery", lambda: store.lease_delivery("w", "pacs", 600))
        one("delivered", lambda delivery=delivery: store.delivered(delivery))
        one("state", store.state)
    return found


def report(title: str, times: dict[str, list[float]]) -> None:
    """Print a table."""
    sys.stdout.write(f"{title}\n{'':16}{''.join(f'{size:>10,}' for size in SIZES)}     ratio\n")
    for name, values in times.items():
        row = "".join(f"{value:10.2f}" for value in values)
        sys.stdout.write(f"{name:16}{row}{values[-1] / values[0]:10.2f}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure both databases."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(None, Path(folder) / "data")
        report("SQLite (WAL, synchronous FULL), milliseconds", grow(store))
        store.close()
    server = make_postgres(sys.exit)
    try:
        server.start(durable=True)
        with tempfile.TemporaryDirectory() as folder:
            store = Store.open(server.database(), Path(folder) / "data")
            report("PostgreSQL, milliseconds", grow(store))
            store.close()
    finally:
        server.remove()


if __name__ == "__main__":
    main()
