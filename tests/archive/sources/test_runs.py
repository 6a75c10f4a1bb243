"""Archives in buckets and tar files are scored: a server that goes away ends the run, and the next run completes it."""

import pytest

from cxrmodel.archive.output import Output, read_table
from cxrmodel.errors import SourceUnavailable
from tests.support.archives import picture, rows, score
from tests.support.network import Line
from tests.support.stand_ins import FakeReader


class Leaving(FakeReader):
    """A reader during whose work the server goes away."""

    def __init__(self, line, after):
        super().__init__()
        self._line, self._after = line, after

    def read(self, *arguments, **options):
        """As any reading; before one of them the way to the server is closed."""
        if len(self.read_names) == self._after:
            self._line.open = False
        return super().read(*arguments, **options)


def _files(out):
    """Files of an output that hold rows."""
    output = Output(out)
    return [*output.parts().values(), *(path for paths in output.segments().values() for path in paths)]


def test_a_bucket_that_goes_away_and_comes_back(s3, out, tar):
    """Every image of it has one row in the end, and none is blamed."""
    pictures = {f"a/{number:02}.png": picture(number) for number in range(20)}
    members = [(f"{number}.png", picture(100 + number)) for number in range(10)]
    s3.fill("films", {**pictures, "b.tar": tar(*members), "c.png": b"%PDF"})
    line = Line(s3.port)
    source = f"s3://films?endpoint_override=http://127.0.0.1:{line.port}"
    with pytest.raises(SourceUnavailable):
        score(out, source, reader=Leaving(line, 6))
    assert 0 < sum(len(read_table(path)) for path in _files(out)) < 31
    line.open = True
    counts = score(out, source)
    line.close()
    found = rows(out)
    assert (counts.asked, counts.read, counts.refused, counts.failed) == (31, 30, 1, 0)
    assert [row["file"] for row in found] == [*pictures, *(f"b.tar!{name}" for name, _ in members), "c.png"]
    assert len({row["sha256"] for row in found}) == 31


def test_a_damaged_tar_file_beside_whole_ones(tmp_path, out, tar):
    """Costs the images that cannot be found in it, and says so once."""
    shards = tmp_path / "shards"
    shards.mkdir()
    for shard in range(3):
        whole = tar(*((f"{number}.png", picture(10 * shard + number)) for number in range(4)))
        (shards / f"{shard}.tar").write_bytes(whole[: len(whole) // 3] if shard == 1 else whole)
    counts = score(out, shards)
    failed = [row for row in rows(out) if row["status"] == "error"]
    assert (counts.failed, counts.read) == (len(failed), counts.asked - len(failed))
    assert {code for row in failed for code in row["codes"]} <= {"sources.damaged_tar", "sources.cut_short"}
    assert [row["codes"] for row in failed].count(["sources.damaged_tar"]) == 1
    assert not any("tar!" in reason or ".png" in reason for row in failed for reason in row["reasons"])
