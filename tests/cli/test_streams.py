"""Standard streams that are closed, full or left by their reader: results come all the same."""

import os
import subprocess
import sys

import pytest

from cxrmodel.cli.command import Status

RUN = f'"{sys.executable}" -m cxrmodel read --model cnn'


def shell(line, project):
    """How a line of the shell ended."""
    return subprocess.run(["sh", "-c", line], cwd=project, capture_output=True, stdin=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(closed, place, project, tmp_path):
    """As a scheduler may start a program: the table is written, and holds nothing else."""
    table = tmp_path / "out.csv"
    assert shell(f'{RUN} --csv "{table}" "{place}" {closed}', project).returncode == Status.DONE
    assert [line.count(b",") >= 15 for line in table.read_bytes().splitlines()] == [True, True]


def test_a_standard_error_that_takes_nothing_stops_nothing(place, project):
    """Neither a full disk nor a reader that has left."""
    for end in ("2>/dev/full", "3>&1 1>&2 2>&3 | true"):
        done = shell(f'{RUN} "{place}" "{place}/none.png" {end}', project)
        assert (done.stdout + done.stderr).count(os.fsencode(place)) == 2
