"""An archive is scored: every image has one row, which says what ``read`` says."""

import json

import pyarrow.parquet as pq
import pytest

from cxrmodel.cli.main import main
from cxrmodel.report.table import KEYS, SHARES


@pytest.mark.slow
def test_rows_say_what_read_says(project, tmp_path, capsys):
    """Key by key, but for the name of the file and the time that the reading took."""
    images = project / "assets" / "demo"
    assert main(["read", "--json", str(images)]) == 3
    read = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["archive", "score", str(images), "--to", str(tmp_path / "out")]) == 3
    rows = pq.read_table(tmp_path / "out" / "readings").to_pylist()
    assert len(rows) == len(read) > 6
    for row, record in zip(rows, read, strict=True):
        shares = record.pop("evidence_shares") or {}
        record |= {name: shares.get(name.removeprefix("evidence_")) for name in SHARES}
        for key in set(KEYS) - {"file", "milliseconds", "evidence_shares"} | set(SHARES):
            expected = pytest.approx(record[key], abs=1e-6) if isinstance(record[key], float) else record[key]
            assert row[key] == expected, key
