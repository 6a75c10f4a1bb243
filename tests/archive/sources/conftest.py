"""What the tests of sources share: tar files, Parquet files, servers, and no waiting."""

import io
import tarfile
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrmodel.archive.sources import bucket, patience
from cxrmodel.archive.sources.registry import open_source, source_names
from cxrmodel.archive.sources.source import Source
from tests.support.s3 import ANYONE, REGION, S3Server, server_program


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """As many attempts as always, with hardly any time between them."""
    monkeypatch.setattr(patience, "WAITS", tuple(wait / 100 for wait in patience.WAITS))


@pytest.fixture
def opened() -> Callable[[str], Source]:
    """A function ``opened("s3://...")``: the source that an argument of the command line means."""
    return lambda argument: open_source(source_names([argument])[0])


@pytest.fixture(scope="session")
def tar() -> Callable[..., bytes]:
    """A function ``tar((name, content), ...)`` that writes a tar file."""

    def write(*members: tuple[str, bytes]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as file:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    return write


@pytest.fixture(scope="session")
def table() -> Callable[..., bytes]:
    """A function ``table({"image": [...]}, group=10)`` that writes a Parquet file."""

    def write(columns: dict[str, Sequence[object]], group: int = 10, **options) -> bytes:
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer, row_group_size=group, use_dictionary=False, **options)
        return buffer.getvalue()

    return write


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory, strict_skip) -> Iterator[S3Server]:
    """A running S3-compatible server."""
    server = S3Server(server_program(strict_skip), tmp_path_factory.mktemp("s3"))
    try:
        yield server.start()
    finally:
        server.kill()


@pytest.fixture
def s3(s3_server, monkeypatch) -> Iterator[S3Server]:
    """A running S3-compatible server, empty, which takes the credentials that are set."""
    for name, value in {**ANYONE.variables, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    bucket._filesystem.cache_clear()
    yield s3_server
    s3_server.clear()
    bucket._filesystem.cache_clear()
