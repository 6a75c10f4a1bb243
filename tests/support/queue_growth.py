"""Time of the store's operations with 100, 1,000 and 10,000 jobs in it: ``python -m tests.support.queue_growth``.

On SQLite and on a real PostgreSQL, both durable. There is one store of each size, and the operations take turns between
them, so that whatever else the machine does slows all alike. The ratio is that of the longest queue to the shortest.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from sqlalchemy import event

from cxrmodel.store.records import StoredObject
from cxrmodel.store.store import Store
from tests.support.postgres import make_postgres
from tests.support.stored import MODEL, READ, received

SIZES = (100, 1_000, 10_000)
SAMPLES = 100
Times = dict[str, list[list[float]]]


@contextmanager
def hurried(store: Store) -> Iterator[None]:
    """Let the disk be for the time of a ``with`` block."""
    quick, slow = (
        ("PRAGMA synchronous=OFF", "PRAGMA synchronous=FULL")
        if store.database.is_sqlite
        else ("SET synchronous_commit TO off", "SET synchronous_commit TO on")
    )

    def set_it(connection) -> None:
        connection.exec_driver_sql(quick)

    if store.database.is_sqlite:
        with store.database.engine.connect() as connection:
            connection.connection.driver_connection.execute(quick)
    else:
        event.listen(store.database.engine, "begin", set_it)
    yield
    if store.database.is_sqlite:
        with store.database.engine.connect() as connection:
            connection.connection.driver_connection.execute(slow)
    else:
        event.remove(store.database.engine, "begin", set_it)
        store.database.engine.dispose()


def fill(store: Store, size: int) -> None:
    """Half of the jobs are done, with a result that waits to be sent; half wait."""
    with hurried(store):
        for number in range(size):
            store.receive(received(f"1.2.{number}"), MODEL)
        for _ in range(size // 2):
            job = store.lease("grow", MODEL, 600)
            store.finish(job, READ, [StoredObject(f"{job.image.key}.1", "sr", "c", b"x" * 8000)], ["pacs"])


def measure(stores: list[Store]) -> Times:
    """Milliseconds of every operation on each store, in turns; the number of waiting jobs stays."""
    found: Times = {}

    def one(name: str, act: Callable[[Store], object]) -> list:
        results = []
        for place, store in enumerate(stores):
            start = time.perf_counter()
            results.append(act(store))
            took = 1000 * (time.perf_counter() - start)
            found.setdefault(name, [[] for _ in stores])[place].append(took)
        return results

    for number in range(SAMPLES):
        key = f"1.3.{number}"
        one("receive", lambda store, key=key: store.receive(received(key), MODEL))
        one("receive again", lambda store, key=key: store.receive(received(key), MODEL))
        leased = one("lease", lambda store: store.lease("w", MODEL, 600))
        turns = iter(leased)
        one("extend", lambda store, turns=turns: store.extend(next(turns), 600))
        turns = iter(leased)
        result = [StoredObject(f"{key}.1", "sr", "c", b"x" * 8000)]
        one("finish", lambda store, turns=turns, result=result: store.finish(next(turns), READ, result, ["pacs"]))
        turns = iter(one("lease_delivery", lambda store: store.lease_delivery("w", "pacs", 600)))
        one("delivered", lambda store, turns=turns: store.delivered(next(turns)))
        one("state", lambda store: store.state())
    return found


def report(title: str, times: Times) -> None:
    """Print a table of medians."""
    sys.stdout.write(f"{title}\n{'':16}{''.join(f'{size:>10,}' for size in SIZES)}     ratio\n")
    for name, samples in times.items():
        values = [median(sample) for sample in samples]
        row = "".join(f"{value:10.2f}" for value in values)
        sys.stdout.write(f"{name:16}{row}{values[-1] / values[0]:10.2f}\n")
    sys.stdout.flush()


def compare(title: str, address: Callable[[], str | None]) -> None:
    """Fill a store of each size, measure, and print."""
    with ExitStack() as ends:
        stores = []
        for size in SIZES:
            folder = ends.enter_context(tempfile.TemporaryDirectory())
            store = Store.open(address(), Path(folder) / "data")
            ends.callback(store.close)
            fill(store, size)
            stores.append(store)
        report(title, measure(stores))


def main() -> None:
    """Measure both databases."""
    compare("SQLite (WAL, synchronous FULL), median milliseconds", lambda: None)
    server = make_postgres(sys.exit)
    try:
        server.start(durable=True)
        compare("PostgreSQL, median milliseconds", server.database)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
