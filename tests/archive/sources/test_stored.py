"""Tar and Parquet files: every image is listed once, the same each time, and fetched by its item in any process."""

import os
import pickle
import random
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrmodel.archive.sources.source import Item
from cxrmodel.errors import DataError, ImageTooLarge, SourceUnavailable
from cxrmodel.imaging.radiograph import MAX_BYTES

IMAGES = [(f"a{number}.png", bytes([number]) * (900 + 100 * number)) for number in range(5)]


def contents(source) -> dict[str, bytes]:
    """Content of every image by its id; its items have been sent to another process."""
    return {item.id: source.fetch(pickle.loads(pickle.dumps(item))).data for item in source.items()}


def failure(source, item: Item) -> str:
    """Code of the error that an image gives."""
    with pytest.raises(DataError) as caught:
        source.fetch(item)
    return caught.value.message.code


def test_a_tar_file(tmp_path, opened, tar):
    """Each member by its name, in the order of the file, listed twice alike."""
    (tmp_path / "x.tar").write_bytes(tar(*IMAGES))
    source = opened(str(tmp_path / "x.tar"))
    assert contents(source) == {f"x.tar!{name}": content for name, content in IMAGES}
    assert list(source.items()) == list(source.items())
    assert [item.size for item in source.items()] == [len(content) for _, content in IMAGES]


def test_what_of_a_tar_file_is_an_image(tmp_path, opened, tar):
    """Not the labels of a sample, folders, links and hidden files; but a file that no image explains."""
    names = ("s/1.png", "s/1.json", "s/1.cls", "s/2.txt", "._s", "s/3")
    path = tmp_path / "x.tar"
    path.write_bytes(tar(*((name, b"") for name in names)))
    with tarfile.open(path, "a") as file:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("s/special.png")
            info.type, info.linkname = kind, "1.png"
            file.addfile(info)
    assert [item.id for item in opened(str(path)).items()] == ["x.tar!s/1.png", "x.tar!s/2.txt", "x.tar!s/3"]


def test_members_of_one_name_are_told_apart(tmp_path, opened, tar):
    """By numbers that no other member has."""
    (tmp_path / "x.tar").write_bytes(tar(("a", b"1"), ("a#2", b"2"), ("a", b"3"), ("a", b"4")))
    found = contents(opened(str(tmp_path / "x.tar")))
    assert list(found.values()) == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("place", ["header", "checksum", "content", "end of a content", "end of a member", "end mark"])
@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_tar_file_that_is_cut_short(place, number, tmp_path, opened, tar):
    """At every place: the members before it are whole, and one image more says that the rest is missing."""
    whole = tar(*IMAGES)
    starts = [sum(512 + -(-len(content) // 512) * 512 for _, content in IMAGES[:before]) for before in range(6)]
    cut = {
        "header": starts[number],
        "checksum": starts[number] + 150,
        "content": starts[number] + 512 + 10,
        "end of a content": starts[number] + 512 + len(IMAGES[number][1]) - 1,
        "end of a member": starts[number] + 512 + len(IMAGES[number][1]),
        "end mark": starts[number + 1],
    }[place]
    (tmp_path / "x.tar").write_bytes(whole[:cut])
    source = opened(str(tmp_path / "x.tar"))
    *items, rest = source.items()
    assert failure(source, rest) == "sources.damaged_tar"
    complete = number + (place in ("end of a member", "end mark"))
    for item, (_, content) in zip(items, IMAGES[:complete], strict=False):
        assert source.fetch(item).data == content
    for item in items[complete:]:
        assert failure(source, item) == "sources.cut_short"
    assert len(items) == complete + (place in ("content", "end of a content"))


@pytest.mark.parametrize("number", range(5))
def test_a_tar_file_with_a_damaged_header(number, tmp_path, opened, tar):
    """Whatever comes after it is counted as one image that failed."""
    whole = bytearray(tar(*IMAGES))
    start = whole.index(IMAGES[number][0].encode())
    whole[start + 148] ^= 0xFF
    (tmp_path / "x.tar").write_bytes(whole)
    source = opened(str(tmp_path / "x.tar"))
    *items, rest = source.items()
    assert [source.fetch(item).data for item in items] == [content for _, content in IMAGES[:number]]
    with pytest.raises(DataError) as caught:
        source.fetch(rest)
    assert caught.value.message.values == {"members": number}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.tar", b"no tar file" * 100, "damaged_tar"),
        ("x.tar", b"", "damaged_tar"),
        ("x.tar.gz", b"\x1f\x8b", "compressed"),
        ("x.parquet", b"PAR1 no more", "damaged_parquet"),
        ("x.parquet", b"", "damaged_parquet"),
    ],
)
def test_files_that_hold_something_else(name, content, code, tmp_path, opened):
    """Are one image that failed; those beside them are read."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "y.png").write_bytes(b"y")
    source = opened(str(tmp_path))
    damaged, good = source.items()
    assert failure(source, damaged) == f"sources.{code}"
    assert source.fetch(good).data == b"y"


def test_a_huge_member_is_not_read(tmp_path, opened):
    """Its header says how long it is."""
    info = tarfile.TarInfo("huge.png")
    info.size = MAX_BYTES + 1
    (tmp_path / "x.tar").write_bytes(info.tobuf())
    os.truncate(tmp_path / "x.tar", 512 + -(-info.size // 512) * 512 + 1024)
    source = opened(str(tmp_path / "x.tar"))
    with pytest.raises(ImageTooLarge):
        source.fetch(*source.items())


@pytest.mark.parametrize("change", ["other", "gone", "folder"])
@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_a_file_that_changes_after_it_was_listed(change, kind, tmp_path, opened, tar, table):
    """Places within it mean nothing any more: no bytes of another image are taken for this one."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / f"x.{kind}"
    write = {"tar": lambda images: tar(*images), "parquet": lambda images: table({"image": [one for _, one in images]})}
    path.write_bytes(write[kind](IMAGES))
    source = opened(str(folder))
    first, *_ = source.items()
    assert source.fetch(first).data == IMAGES[0][1]
    if change == "other":
        path.write_bytes(write[kind](IMAGES[::-1]))
        os.utime(path, (1, 1))
        assert failure(source, first) == "sources.shard_changed"
        return
    path.unlink()
    if change == "gone":
        assert failure(source, first) == "sources.file_gone"
        return
    folder.rmdir()
    with pytest.raises(SourceUnavailable):
        source.fetch(first)


@pytest.mark.parametrize(
    "columns",
    [
        {"image": [content for _, content in IMAGES], "mask": [b"no"] * 5, "file_name": [name for name, _ in IMAGES]},
        {"picture": [{"bytes": content, "path": name} for name, content in IMAGES], "label": [0, 1, 0, 1, 0]},
        {"bytes": [content for _, content in IMAGES], "__key__": [name for name, _ in IMAGES]},
    ],
)
def test_a_parquet_file(columns, tmp_path, opened, table):
    """The column of images is found, and those that name them; Hugging Face's structs as well."""
    (tmp_path / "x.parquet").write_bytes(table(columns, group=2))
    assert contents(opened(str(tmp_path / "x.parquet"))) == {f"x.parquet!{name}": content for name, content in IMAGES}


@pytest.mark.parametrize("columns", [{"label": [1]}, {"left": [b"l"], "right": [b"r"]}])
def test_a_parquet_file_without_a_column_of_images(columns, tmp_path, opened, table):
    """None, or several without a name that decides."""
    (tmp_path / "x.parquet").write_bytes(table(columns))
    source = opened(str(tmp_path / "x.parquet"))
    assert failure(source, *source.items()) == "sources.no_column"


def test_rows_in_any_order(tmp_path, opened, table):
    """Rows are found behind and far ahead of the last one, and a row without an image is empty."""
    images = [None if row == 7 else row.to_bytes(2, "big") * 300 for row in range(120)]
    (tmp_path / "x.parquet").write_bytes(table({"image": images}, group=50))
    source = opened(str(tmp_path / "x.parquet"))
    items = list(enumerate(source.items()))
    random.Random(0).shuffle(items)
    for row, item in items:
        assert source.fetch(item).data == (images[row] or b""), row


def test_a_damaged_group_of_rows(tmp_path, opened, table):
    """Costs no image of another group."""
    rows = [random.Random(row).randbytes(4000) for row in range(40)]
    whole = bytearray(table({"image": rows}, group=10, compression="none"))
    start = whole.index(rows[20]) - 20
    whole[start : start + 16] = b"\xff" * 16
    (tmp_path / "x.parquet").write_bytes(whole)
    source = opened(str(tmp_path / "x.parquet"))
    for row, item in enumerate(source.items()):
        if 20 <= row < 30:
            assert failure(source, item) == "sources.damaged_parquet"
        else:
            assert source.fetch(item).data == rows[row]


def test_a_folder_of_both(tmp_path, opened, tar, table):
    """Images, tar and Parquet files, in the order of their names, at any depth; hidden ones are left out."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "y.tar").write_bytes(tar(("1.png", b"1")))
    (tmp_path / "b" / ".z.tar").write_bytes(tar(("1.png", b"1")))
    (tmp_path / "a.parquet").write_bytes(table({"image": [b"2"]}))
    (tmp_path / "c.png").write_bytes(b"3")
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(b"4")
    found = contents(opened(str(tmp_path)))
    assert found == {"a.parquet!row 0": b"2", "b/y.tar!1.png": b"1", "c.png": b"3", "\\xff.png": b"4"}


def test_members_with_names_that_no_path_and_no_column_can_have(tmp_path, opened, tar):
    """They are listed under a name that can be stored."""
    (tmp_path / "x.tar").write_bytes(tar(("", b"1"), (".", b"2"), ("a\udcff.png", b"3"), ("/b.png", b"4")))
    found = contents(opened(str(tmp_path / "x.tar")))
    assert found == {"x.tar!": b"1", "x.tar!.": b"2", "x.tar!a\\udcff.png": b"3", "x.tar!/b.png": b"4"}
    assert [name.encode() for name in found]


def with_size(field: bytes) -> bytes:
    """A header whose size is written so."""
    header = bytearray(tarfile.TarInfo("b.png").tobuf(tarfile.GNU_FORMAT))
    header[124:136], header[148:156] = field, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    "header",
    [
        with_size(b"\x80" + (2**60).to_bytes(11, "big")),
        with_size(b"\x80" + (2**70).to_bytes(11, "big")),
        with_size(b"\xff" * 12),
    ],
    ids=["no file is so large", "no number is so large", "negative"],
)
def test_a_hostile_header_costs_no_other_member(header, tmp_path, opened, tar):
    """What comes after it cannot be found, which is an image that fails."""
    (tmp_path / "x.tar").write_bytes(tar(("a.png", b"1" * 512))[:1024] + header + bytes(2048))
    source = opened(str(tmp_path / "x.tar"))
    first, *rest = source.items()
    assert source.fetch(first).data == b"1" * 512
    assert rest
    assert all(item.size is None or item.size < 2**63 for item in rest)
    assert {failure(source, item) for item in rest} <= {"sources.damaged_tar", "sources.cut_short"}


def test_names_in_a_parquet_file_that_are_no_utf_8(tmp_path, opened):
    """Writers may store any bytes as text."""
    texts = pa.array([b"\xff", b"b"]).view(pa.string())
    pq.write_table(pa.table({"image": pa.array([b"1", b"2"]), "path": texts}), tmp_path / "x.parquet")
    assert contents(opened(str(tmp_path / "x.parquet"))) == {"x.parquet!\\xff": b"1", "x.parquet!b": b"2"}
