"""A command in a network of its own, where everything that it sends is seen.

All addresses of the network lead to its loopback device, so whatever a program sends, native code included, passes
there. The machine has a name of its own that only a name server could know.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
COMMANDS = (("link", "set", "lo", "up"), ("route", "add", "local", "default", "dev", "lo"))
COMMANDS_V6 = (("-6", "route", "add", "local", "default", "dev", "lo"),)
NAME_SERVICES = (53, 137, 853, 5353, 5355)
MARK = ("192.0.2.77", 77)
"""Where the last packet of a capture goes."""


def why_impossible() -> str:
    """What the machine lacks for a network of its own, or nothing."""
    for program in ("unshare", "ip"):
        if shutil.which(program) is None:
            return f"needs the program {program}: install util-linux and iproute2"
    done = subprocess.run([*_apart(), "true"], capture_output=True, text=True)
    return f"needs a network namespace: {done.stderr.strip()}" if done.returncode else ""


def run_alone(
    command: Sequence[str | Path], folder: Path, home: Path, variables: Mapping[str, str] | None = None
) -> tuple[subprocess.CompletedProcess, list[list]]:
    """Run a command in a network of its own.

    Parameters
    ----------
    command : sequence of str or Path
        A Python program's arguments, from ``-m`` or ``-c`` on.
    folder, home : Path
        Current folder and home of the command.
    variables : mapping
        Added to its environment, which holds no switch of any library.

    Returns
    -------
    CompletedProcess, list of [str, str, int]
        How the command ended; and protocol, address and port of all it sent, but to this machine.
    """
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "CXR_DATA", "CHROMIUM")}
    report = home / "sent.json"
    done = subprocess.run(
        [*_apart(), sys.executable, __file__, report, sys.executable, *command],
        cwd=folder,
        env={**kept, "HOME": str(home), "PYTHONPATH": str(PROJECT), "TF_CPP_MIN_LOG_LEVEL": "3", **(variables or {})},
        capture_output=True,
        text=True,
    )
    sent = json.loads(report.read_text(encoding="utf-8"))
    report.unlink()
    return done, sent


def _apart() -> list[str]:
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *rights, "--net", "--uts"]


class Capture:
    """All packets of the loopback device to other machines or to name services, each kind once."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 28)  # SO_RCVBUFFORCE: nothing may be missed
        self._socket.bind(("lo", 0))
        self._found: set[tuple[str, str, int]] = set()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def end(self) -> list[tuple[str, str, int]]:
        """What was sent until now."""
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", MARK)
        self._thread.join()
        _, missed = struct.unpack("II", self._socket.getsockopt(263, 6, 8))  # SOL_PACKET, PACKET_STATISTICS
        return sorted(self._found) if not missed else [("missed", "", missed)]

    def _read(self) -> None:
        while True:
            kind, address, port = _target(self._socket.recv(96))
            if (address, port) == MARK:
                return
            if not ip_address(address).is_loopback or (kind in ("udp", "tcp") and port in NAME_SERVICES):
                self._found.add((kind, address, port))


def _target(packet: bytes) -> tuple[str, str, int]:
    """Protocol, address and port that an IP packet goes to."""
    version = packet[0] >> 4
    protocol, address = (packet[9], packet[16:20]) if version == 4 else (packet[6], packet[24:40])
    head = packet[(packet[0] & 15) * 4 if version == 4 else 40 :]
    named = {6: "tcp", 17: "udp"}.get(protocol)
    port = int.from_bytes(head[2:4], "big") if named else 0
    return named or f"protocol {protocol}", str(ip_address(address)), port


def main(report: str, *command: str) -> int:
    """Prepare the network, run the command in it, and write what it sent."""
    socket.sethostname("alone.invalid")
    for arguments in COMMANDS:
        subprocess.run(["ip", *arguments], check=True)
    for arguments in COMMANDS_V6:  # some machines have no IPv6
        subprocess.run(["ip", *arguments], check=False, capture_output=True)
    capture = Capture()
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        Path(report).write_text(json.dumps(capture.end()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
