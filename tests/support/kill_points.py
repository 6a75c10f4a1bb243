"""End a scoring run before each of its changes of a file, as a kill would: ``python -m tests.support.kill_points DIR``.

The run is repeated, and ends before its first opening, link, renaming, making or removal of a file in its output, then
before its second, and so on, without any clean-up. Each time it is continued. In the first stage it scores drawn images
with a stand-in; in the second it tries failed ones again, and takes up new and changed ones. A line of JSON for each
stage says how many ends there were, and names those after which an output differed from one that was left alone.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from cxrmodel.archive import sink
from tests.support.archives import files, lay_out, picture, rows, score

EVENTS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}
IMAGES = 5
_counted = {"left": -1}


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _counted["left"] >= 0 and event in EVENTS and "/out" in str(arguments[0]):
        if not _counted["left"]:
            os._exit(9)
        _counted["left"] -= 1


def ended(work: Callable[[], object], after: int) -> bool:
    """Whether work in a process of its own was ended before the change that follows so many others."""
    child = os.fork()
    if not child:
        _counted["left"] = after
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def stage(folder: Path, begin: Callable[[Path], object], work: Callable[[Path], object]) -> dict[str, object]:
    """End the work at every point, continue it, and compare."""
    begun, alone, out = (folder / name / "out" for name in ("begun", "alone", "killed"))
    begun.mkdir(parents=True)
    begin(begun)
    shutil.copytree(begun, alone)
    work(alone)
    expected, left, points, faults = rows(alone), files(alone), 0, []
    while True:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(begun, out)
        if not ended(lambda: work(out), points):
            break
        work(out)
        if rows(out) != expected or files(out) != left:
            faults.append(points)
        points += 1
    for made in (begun, alone):
        shutil.rmtree(made)
    return {"points": points, "faults": faults, "rows": len(expected)}


def main(folder: Path) -> None:
    """Run both stages and report."""
    sys.addaudithook(_hook)
    sink.HELD_IMAGES = 2
    os.fsync = lambda opened: None  # only the process ends here, not the machine
    images = lay_out(folder / "images", IMAGES, a_broken="broken", z_failing="failing")
    first = stage(folder, lambda out: None, lambda out: score(out, images))

    def changed(out: Path) -> None:
        score(out, images)
        for place, name in enumerate(("z_failing", "000.png", "new.png")):
            (images / name).write_bytes(picture(90 + place))
            os.utime(images / name, (2e9, 2e9))

    second = stage(folder, changed, lambda out: score(out, images, retry_failed=True, update=True))
    sys.stdout.write(f"{json.dumps(first)}\n{json.dumps(second)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
