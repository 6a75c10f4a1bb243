"""Images of a real DICOMweb archive: listed by a query, page by page, and retrieved as stored; failures have words."""

import numpy as np
import pytest
import requests

from cxrmodel.archive.sources import dicomweb
from cxrmodel.archive.sources.registry import source_names
from cxrmodel.errors import DataError, ImageTooLarge, SettingError, SourceUnavailable
from tests.support.dicom_files import dicom
from tests.support.network import Line

PIXELS = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """Credentials are taken from the variables anew, and pages are small."""
    monkeypatch.setattr(dicomweb, "_PAGE", 2)
    for name in (dicomweb.TOKEN, dicomweb.USER, dicomweb.PASSWORD):
        monkeypatch.delenv(name, raising=False)
    dicomweb._session.cache_clear()
    yield
    dicomweb._session.cache_clear()


@pytest.fixture
def line(orthanc):
    """A way to the archive that can be cut."""
    way = Line(orthanc.http_port)
    yield way
    way.close()


def stored(server, count=5):
    """Store images, two a study, and give them by UIDs."""
    images = {}
    for number in range(count):
        day, modality = number // 2, ("CR", "DX")[number % 2]
        study, series, instance = f"1.2.{day}", f"1.2.{day}.{number}", f"1.3.{number}"
        values = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": instance}
        file = dicom(PIXELS + number, Modality=modality, StudyDate=f"2024010{day}", **values)
        server.store(file)
        images[f"{study}/{series}/{instance}"] = file
    return images


def address(server, query="", port=None):
    return f"dicomweb+http://127.0.0.1:{port or server.http_port}/dicom-web{query}"


def message(ask, kind=DataError):
    """The message with which a call fails."""
    with pytest.raises(kind) as caught:
        ask()
    return caught.value.message


def test_listed_and_retrieved(orthanc, opened):
    """Everything, and what a query finds; in the order of the UIDs, however the archive pages; byte for byte."""
    images = stored(orthanc)
    source = opened(address(orthanc))
    assert [item.id for item in source.items()] == sorted(images)
    assert {item.id: source.fetch(item).data for item in source.items()} == images
    for query, wanted in (
        ("?Modality=DX", [1, 3]),
        ("?StudyDate=20240101-20240104", [2, 3, 4]),
        ("?00080060=CR&StudyInstanceUID=1.2.1,1.2.2", [2, 4]),
        ("?Modality=MR", []),
    ):
        found = [item.id for item in opened(address(orthanc, query)).items()]
        assert found == [sorted(images)[number] for number in wanted]


def test_what_an_archive_does_not_give(orthanc, opened):
    """No service at the path, and an image that is gone, which costs no other."""
    images = stored(orthanc)
    lost = message(lambda: list(opened(address(orthanc).replace("dicom-web", "elsewhere")).items()))
    assert lost.code == "sources.no_service"
    source = opened(address(orthanc))
    first, second, *_ = source.items()
    orthanc.delete(orthanc.find(SOPInstanceUID=first.id.rpartition("/")[2])[0])
    assert message(lambda: source.fetch(first)).code == "sources.gone_instance"
    assert source.fetch(second).data == images[second.id]


def test_credentials(start_orthanc, opened, monkeypatch):
    """From the variables; without them, and with wrong ones, access is denied and no word repeats them."""
    server = start_orthanc(users={"reader": "hush"})
    server.ask("/system")
    for user, password, allowed in ((None, None, False), ("reader", "wrong", False), ("reader", "hush", True)):
        if user:
            monkeypatch.setenv(dicomweb.USER, user)
            monkeypatch.setenv(dicomweb.PASSWORD, password)
        dicomweb._session.cache_clear()
        if allowed:
            assert list(opened(address(server)).items()) == []
            continue
        found = message(lambda: list(opened(address(server)).items()))
        assert found.code == "sources.no_access"
        assert "wrong" not in str(found)


def test_a_token_goes_before_netrc(monkeypatch):
    """As the header that the service expects."""
    monkeypatch.setenv(dicomweb.TOKEN, "abc")
    asked = dicomweb._session().prepare_request(requests.Request("GET", "http://127.0.0.1/"))
    assert asked.headers["Authorization"] == "Bearer abc"


def test_a_lost_connection_comes_back(orthanc, line, opened):
    """Within an image: it is retrieved again, whole."""
    images = stored(orthanc)
    source = opened(address(orthanc, port=line.port))
    first, *_ = source.items()
    line.cut_after, line.cuts = 4000, 2
    assert source.fetch(first).data == images[first.id]
    assert line.cuts == 0


def test_an_archive_that_stays_away(orthanc, line, opened):
    """Is no fault of an image, and the source goes on when it is back."""
    images = stored(orthanc)
    source = opened(address(orthanc, port=line.port))
    first, *_ = source.items()
    line.open = False
    assert message(lambda: source.fetch(first), SourceUnavailable).code == "sources.no_answer"
    assert message(lambda: list(source.items()), SourceUnavailable).code == "sources.no_answer"
    line.open = True
    assert source.fetch(first).data == images[first.id]


def test_a_huge_image_is_not_read_to_its_end(orthanc, opened, monkeypatch):
    """Whatever the archive says of its length."""
    stored(orthanc, 1)
    source = opened(address(orthanc))
    monkeypatch.setattr(dicomweb, "MAX_BYTES", 2000)
    monkeypatch.setattr(dicomweb, "_FRAMING", 500)
    with pytest.raises(ImageTooLarge):
        source.fetch(*source.items())


@pytest.mark.parametrize(
    ("content", "kind", "data"),
    [
        (
            b"--x\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n\r\n--y\r\n--x--\r\n",
            "boundary=x",
            b"DICM\r\n\r\n--y",
        ),
        (b"preamble\r\n--x y\r\n\r\n\x00\xff\r\n--x y--", 'boundary="x y"; type="application/dicom"', b"\x00\xff"),
        (b"--x\r\n\r\nfirst\r\n--x\r\n\r\nsecond\r\n--x--", "boundary=x", b"first"),
        (b"--x\r\n\r\n\r\n--x--", "boundary=x", b""),
        (b"--x\r\n\r\ncut", "boundary=x", None),
        (b"--x\r\nContent-Type: a", "boundary=x", None),
        (b"", "boundary=x", None),
        (b"--x\r\n\r\nDICM\r\n--x--", "", None),
    ],
)
def test_parts_of_an_answer(content, kind, data):
    """The first part; nothing where its end is missing."""
    assert dicomweb._part(content, f"multipart/related; {kind}") == data


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("dicomweb+https://pacs/dicom-web?Modality=DX", None),
        ("dicomweb+https://pacs:8042/?PatientAge=004Y&PatientSex=F&00101010=005Y", None),
        ("dicomweb+https://", "dicomweb_address"),
        ("dicomweb+https://user:hush@pacs/", "credentials_in_address"),
        ("dicomweb+https://pacs/?PatientID=1", "identity_in_query"),
        ("dicomweb+https://pacs/?PatientName=DOE*", "identity_in_query"),
        ("dicomweb+https://pacs/?AccessionNumber=1", "identity_in_query"),
        ("dicomweb+https://pacs/?00100020=1", "identity_in_query"),
        ("dicomweb+https://pacs/?00100030=20200101", "identity_in_query"),
        ("dicomweb+https://pacs/?Modaliti=DX", "unknown_attribute"),
        ("dicomweb+https://pacs/?limit=10", "unknown_attribute"),
    ],
)
def test_addresses(argument, code):
    """Neither credentials nor identity get into a manifest, and no misspelt query asks for everything."""
    if code is None:
        assert source_names([argument])[0].place == argument.replace("/?", "?")
        return
    found = message(lambda: source_names([argument]), SettingError)
    assert found.code == f"sources.{code}"
    assert "hush" not in str(found)
