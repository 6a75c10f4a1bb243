"""Show a hospital at work: ``python -m tests.support.show_hospital --out FOLDER``.

It starts what ``make hospital`` starts, sends ten real images to the archive with ``storescu``, and prints what stands
beside them afterwards: the objects of each study, what ``dciodvfy`` says of the results, ``dsrdump`` of a report, the
picture of a capture, the metrics, and a search of logs and metrics for the patients' identities.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import pydicom

from tests.support.hospital import PROJECT, chest_image

OUTCOMES = ("read", "refused", "failed", "skipped")
PATIENCE = 300.0
SYNTAX_OPTIONS = {"1.2.840.10008.1.2.4.50": "--propose-jpeg8", "1.2.840.10008.1.2.4.91": "--propose-j2k-lossy"}


class Archive:
    """The trial archive.

    Parameters
    ----------
    url, password : str
    """

    def __init__(self, url: str, password: str) -> None:
        access = urllib.request.HTTPPasswordMgrWithPriorAuth()
        access.add_password(None, url, "cxrmodel", password, is_authenticated=True)
        self._url = url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(access)
        )

    def ask(self, path: str) -> bytes:
        """Content of an answer."""
        with self._opener.open(self._url + path, timeout=30) as answer:
            return bytes(answer.read())

    def instances(self) -> list[dict[str, Any]]:
        """Tags of all instances, with the archive's own identifier as ``ID``."""
        found = json.loads(self.ask("/instances"))
        return [{"ID": one, **json.loads(self.ask(f"/instances/{one}/simplified-tags"))} for one in found]


@contextmanager
def hospital(folder: Path, log: Path) -> Iterator[dict[str, str]]:
    """Run the hospital; gives its addresses by name."""
    command = [sys.executable, "deploy/hospital.py", "--folder", str(folder), "--free-ports"]
    with log.open("w") as file:
        begun = time.monotonic()
        process = subprocess.Popen(command, cwd=PROJECT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        while "Stop:" not in log.read_text():
            if process.poll() is not None or time.monotonic() - begun > PATIENCE:
                raise SystemExit(log.read_text())
            time.sleep(0.2)
        print(f"$ make hospital   (ready after {time.monotonic() - begun:.1f} s)")
        print(log.read_text())
        lines = re.findall(r"^  (\S.*?)  +(\S.*)$", log.read_text(), re.MULTILINE)
        yield {name: value.split("   ")[0] for name, value in lines}
    finally:
        process.send_signal(signal.SIGINT)
        print(f"Ctrl-C: ended with status {process.wait(120)}")


def images(data: Path) -> list[bytes]:
    """Ten real images: eight JPEG files as DX, and the two chest radiographs among the DICOM files, as of today."""
    files = []
    jpegs = sorted((data / "originals").rglob("*.jpeg"))
    for number, path in enumerate([*jpegs[:4], *jpegs[-4:]], 900):
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        files.append(chest_image(number, pixels, PatientName=f"SHOWN^JANE{number}"))
    for name in ("cr_chest_jpeg_baseline", "cr_chest_mono1_15bit_j2k"):
        image = pydicom.dcmread(data / "dicom" / f"{name}.dcm")
        image.StudyDate, image.PatientName = time.strftime("%Y%m%d"), "SHOWN^DICOM"
        written = BytesIO()
        image.save_as(written)
        files.append(written.getvalue())
    return files


def send(files: list[bytes], folder: Path, port: str) -> None:
    """Send files with storescu, those of one transfer syntax at once."""
    program = shutil.which("storescu")
    groups: dict[str, list[str]] = {}
    for number, data in enumerate(files):
        path = folder / f"{number}.dcm"
        path.write_bytes(data)
        syntax = str(pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID)
        groups.setdefault(SYNTAX_OPTIONS.get(syntax, ""), []).append(str(path))
    for option, paths in groups.items():
        command = [str(program), "-aet", "STORESCU", "-aec", "ORTHANC", *filter(None, [option]), "127.0.0.1", port]
        done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
        shown = " ".join(["storescu", *command[1:]])
        print(f"$ {shown} ({len(paths)} files): status {done.returncode}{done.stderr[-500:]}")


def metrics(address: str) -> dict[str, float]:
    """Values of a server's metrics by name and labels."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def wait_for_all(address: str, count: int) -> None:
    """Wait until so many images have an outcome and every result is delivered."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = metrics(address)
        done = sum(found.get(f'cxrmodel_store_jobs{{state="{state}"}}', 0) for state in OUTCOMES)
        open_ = sum(
            found.get(f'cxrmodel_store_deliveries{{state="{s}"}}', 0) for s in ("waiting", "retrying", "leased")
        )
        if done >= count and not open_:
            return
        time.sleep(0.1)
    raise SystemExit("not every image was read in time")


def show(archive: Archive, out: Path) -> None:
    """Print the objects of every study, check the results, and keep a report and a capture."""
    studies: dict[str, list[dict[str, Any]]] = {}
    for tags in archive.instances():
        studies.setdefault(tags["StudyInstanceUID"], []).append(tags)
    reports, faults = [], 0
    for number, (_, objects) in enumerate(sorted(studies.items()), 1):
        kinds = sorted(f"{tags['Modality']} ({tags.get('SeriesDescription') or 'image'})" for tags in objects)
        print(f"study {number:2}: {len(objects)} objects: {', '.join(kinds)}")
        for tags in objects:
            if tags.get("Manufacturer") != "cxrmodel" and tags["Modality"] != "SR":
                continue
            path = out / f"study-{number}-{tags['Modality']}.dcm"
            path.write_bytes(archive.ask(f"/instances/{tags['ID']}/file"))
            said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
            errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
            faults += len(errors)
            if tags["Modality"] == "SR":
                reports.append(path)
    print(f"dciodvfy: {faults} errors in all results")
    print(f"$ dsrdump {reports[0].name}")
    print(subprocess.run(["dsrdump", str(reports[0])], capture_output=True, text=True, check=False).stdout)
    for path in sorted(out.glob("study-*.dcm")):
        data = pydicom.dcmread(path)
        if "PixelData" in data:
            cv2.imwrite(str(path.with_suffix(".png")), cv2.cvtColor(data.pixel_array, cv2.COLOR_RGB2BGR))
            print(f"picture of the secondary capture: {path.with_suffix('.png')}")


def search(places: list[str], files: list[bytes]) -> None:
    """Look for the identities of the images in logs and metrics."""
    text = "\n".join(places)
    identities = set()
    for data in files:
        tags = pydicom.dcmread(BytesIO(data), stop_before_pixels=True)
        for keyword in ("PatientName", "PatientID", "AccessionNumber", "SOPInstanceUID", "StudyInstanceUID"):
            value = str(tags.get(keyword, ""))
            identities |= {value} if len(value) > 2 else set()
    found = sorted(value for value in identities if value in text)
    print(f"identities searched in logs and metrics: {len(identities)}; found: {len(found)}")


def main() -> None:
    """Show everything once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for results and pictures")
    out = parser.parse_args().out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    files = images(Path(os.environ["CXR_DATA"]))
    with hospital(out / "hospital", out / "start.log") as addresses:
        app, worker = addresses["metrics"].split(" and ")
        begun = time.monotonic()
        send(files, out, addresses["archive, DICOM"].rpartition(":")[2])
        wait_for_all(app, len(files))
        print(f"ten images read and their results stored {time.monotonic() - begun:.1f} s after the first was sent")
        password = (out / "hospital" / "secrets" / "archive").read_text()
        show(Archive(addresses["archive (Orthanc)"], password), out)
        shown = [f"{name} {value:g}" for address in (app, worker) for name, value in metrics(address).items() if value]
        kept = [line for line in shown if line.startswith("cxrmodel") and "_bucket" not in line]
        print("\n".join(kept))
        search([path.read_text() for path in (out / "hospital" / "logs").glob("*.log")] + shown, files)


if __name__ == "__main__":
    main()
