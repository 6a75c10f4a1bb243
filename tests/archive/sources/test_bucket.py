"""Images in a bucket of a real S3-compatible server: listed, read, and every way in which it fails in its own words."""

import os

import pytest
from pyarrow import fs

from cxrmodel.archive.sources import bucket
from cxrmodel.archive.sources.registry import source_names
from cxrmodel.errors import DataError, ImageTooLarge, SettingError, SourceUnavailable
from tests.support.network import Line
from tests.support.s3 import REGION, Key

IMAGES = {f"a/b{number}.png": bytes([number]) * 1000 for number in range(3)}


@pytest.fixture
def line(s3):
    """A way to the server that can be cut."""
    way = Line(s3.port)
    yield way
    way.close()


@pytest.fixture
def films(s3, opened):
    """A function ``films("s3://films/a")``: an open source of the server, or of another port."""
    return lambda address, port=None: opened(f"{address}?endpoint_override=http://127.0.0.1:{port or s3.port}")


def message(ask, kind=DataError):
    """The message with which a call fails."""
    with pytest.raises(kind) as caught:
        ask()
    return caught.value.message


def test_listed_and_read(s3, films, tar, table):
    """A bucket, a prefix, one object; with tar and Parquet files; without hidden objects."""
    shards = {"s/x.tar": tar(("1.png", b"1"), ("2.png", b"2")), "s/y.parquet": table({"image": [b"3", b"4"]})}
    s3.fill("films", IMAGES | shards | {".hidden/a.png": b"", "a/.b.png": b""})
    expected = [*IMAGES, "s/x.tar!1.png", "s/x.tar!2.png", "s/y.parquet!row 0", "s/y.parquet!row 1"]
    for address, ids in (
        ("s3://films", expected),
        ("s3://films/a/", expected[:3]),
        ("s3://films/a/b1.png", expected[1:2]),
        ("s3://films/s/x.tar", expected[3:5]),
    ):
        source = films(address)
        items = list(source.items())
        assert [item.id for item in items] == ids
        assert items == list(films(address).items())
    source = films("s3://films")
    fetched = [source.fetch(item) for item in source.items()]
    assert [found.data for found in fetched] == [*IMAGES.values(), b"1", b"2", b"3", b"4"]
    for item, found in zip(source.items(), fetched, strict=True):
        assert (found.modified, found.version) == (item.modified, item.version)


def test_what_a_server_does_not_give(s3, films, monkeypatch):
    """Wrong credentials, a bucket of others, no such bucket, no such prefix: each when it is listed."""
    s3.fill("films", IMAGES)
    s3.fill("others", IMAGES)
    assert message(lambda: list(films("s3://nowhere").items())).code == "sources.no_bucket"
    assert message(lambda: list(films("s3://films/z").items())).code == "sources.nothing"
    key = s3.user("reader", ["films"])
    for credentials, address, code in (
        (key, "s3://others", "denied"),
        (key, "s3://others/a", "denied"),
        (Key(key.access, "wrong"), "s3://films", "credentials"),
        (Key(key.access, "wrong"), "s3://films/a/b0.png", "credentials"),
        (Key("nobody", key.secret), "s3://films", "credentials"),
    ):
        for name, value in credentials.variables.items():
            monkeypatch.setenv(name, value)
        bucket._filesystem.cache_clear()
        found = message(lambda address=address: list(films(address).items()))
        assert found.code == f"sources.{code}"
        assert not any(secret in str(found) for secret in credentials)
    for name, value in key.variables.items():
        monkeypatch.setenv(name, value)
    bucket._filesystem.cache_clear()
    assert len(list(films("s3://films").items())) == 3


def test_an_object_that_is_gone(s3, films):
    """Costs no other."""
    s3.fill("films", IMAGES)
    source = films("s3://films")
    first, second, _ = source.items()
    s3.remove("films", first.id)
    assert message(lambda: source.fetch(first)).code == "sources.file_gone"
    assert source.fetch(second).data == IMAGES[second.id]


@pytest.mark.parametrize("times", [1, 9])
def test_an_object_that_is_replaced_while_it_is_read(times, s3, films, monkeypatch):
    """Between the moments at which it is opened and read; it has the same size, and the clock shows the same second."""
    s3.fill("films", IMAGES)
    source = films("s3://films")
    first, *_ = source.items()
    before, replaced, opened = IMAGES[first.id], [], bucket.Bucket.open

    def replacing(self, name):
        file = opened(self, name)
        if len(replaced) < 2 * times and not len(replaced) % 2:
            s3.fill("films", {name: bytes([100 + len(replaced)]) * len(before)})
        replaced.append(name)
        return file

    monkeypatch.setattr(bucket.Bucket, "open", replacing)
    if times == 9:
        assert message(lambda: source.fetch(first)).code == "sources.changing"
    else:
        assert source.fetch(first).data == bytes([100]) * len(before)


def test_a_lost_connection_comes_back(s3, line, films):
    """Within an image, and between two: it is asked again, and every byte is right."""
    large = {"large.png": os.urandom(400_000)}
    s3.fill("films", IMAGES | large)
    source = films("s3://films", line.port)
    *_, last = source.items()
    line.cut_after, line.cuts = 200_000, 2
    assert source.fetch(last).data == large["large.png"]
    assert line.cuts == 0
    s3.kill()
    s3.start()
    assert source.fetch(last).data == large["large.png"]


def test_a_server_that_stays_away(s3, films):
    """Is no fault of an image: listing and fetching say so, and go on when it is back."""
    s3.fill("films", IMAGES)
    source = films("s3://films")
    first, *_ = source.items()
    s3.kill()
    assert message(lambda: source.fetch(first), SourceUnavailable).code == "sources.bucket_unavailable"
    assert message(lambda: list(source.items()), SourceUnavailable).code == "sources.bucket_unavailable"
    s3.start()
    assert source.fetch(first).data == IMAGES[first.id]


def test_an_object_that_alone_cannot_be_had(s3, films, monkeypatch):
    """The server answers otherwise, so the others are read."""
    s3.fill("films", IMAGES)
    source = films("s3://films")
    first, second, _ = source.items()
    opened = bucket.Bucket.open

    def failing(self, name):
        if name == first.id:
            raise OSError("AWS Error INTERNAL_FAILURE (HTTP status 500) during HeadObject operation: a/b0.png")
        return opened(self, name)

    monkeypatch.setattr(bucket.Bucket, "open", failing)
    found = message(lambda: source.fetch(first))
    assert found.code == "sources.only_this"
    assert first.id not in str(found)
    assert source.fetch(second).data == IMAGES[second.id]


def test_a_slow_server(s3, line, films):
    """Is waited for."""
    s3.fill("films", IMAGES)
    line.seconds = 0.05
    source = films("s3://films", line.port)
    assert [source.fetch(item).data for item in source.items()] == list(IMAGES.values())


def test_a_huge_object_is_not_read(s3, films, monkeypatch):
    """Its size is known before."""
    monkeypatch.setattr(bucket, "MAX_BYTES", 2**20)
    s3.fill("films", {"huge.png": bytes(2**20 + 1)})
    source = films("s3://films")
    with pytest.raises(ImageTooLarge):
        source.fetch(*source.items())


@pytest.mark.parametrize(
    ("argument", "variables", "place"),
    [
        ("s3://films", {}, "s3://films/"),
        ("s3://films/a b/c/", {}, "s3://films/a b/c"),
        ("s3://films/a/?region=eu-west-1", {}, "s3://films/a?region=eu-west-1"),
        ("s3://films", {"AWS_ENDPOINT_URL": "http://minio:9000"}, "s3://films/?endpoint_override=http://minio:9000"),
        ("s3://f?endpoint_override=a", {"AWS_ENDPOINT_URL_S3": "b"}, "s3://f/?endpoint_override=a"),
        ("s3://AKIA:secret@films", {}, "sources.credentials_in_address"),
        ("s3://films?endpoint_override=http://u:p@minio", {}, "sources.credentials_in_address"),
        ("s3://films", {"AWS_ENDPOINT_URL": "http://u:p@minio"}, "sources.credentials_in_address"),
        ("s3://films?access_key=AKIA", {}, "sources.bucket_address"),
        ("s3://", {}, "sources.bucket_address"),
    ],
)
def test_addresses(argument, variables, place, monkeypatch):
    """The endpoint is settled when a run begins; credentials are refused and never repeated."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if place.startswith("s3://"):
        assert source_names([argument])[0].place == place
        return
    found = message(lambda: source_names([argument]), SettingError)
    assert found.code == place
    assert "secret" not in str(found)
    assert "u:p" not in str(found)


def test_the_library_reads_the_usual_variables(s3, films, monkeypatch):
    """Region and credentials: nothing here keeps them."""
    made = []
    original = fs.S3FileSystem
    monkeypatch.setattr(fs, "S3FileSystem", lambda **options: made.append(options) or original(**options))
    bucket._filesystem.cache_clear()
    s3.fill("films", IMAGES)
    made.clear()
    assert len(list(films("s3://films").items())) == 3
    assert not {"access_key", "secret_key", "session_token"} & set(made[0])
    assert original(endpoint_override=s3.url).region == REGION
