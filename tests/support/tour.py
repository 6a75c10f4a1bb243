"""Every command of the program, and a visit to every page of the app; each is a program of its own.

Run in a network of its own (`tests.support.isolation`), they show what the program sends.
"""

import json
import re
import sys
import time

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus

from cxrmodel.cli.main import main
from tests.support.server import PATIENCE, Client, running_app, visit

PAGES = ("read", "heatmap", "evaluation", "about")


def run_commands(lines: list[list[str]]) -> list[int]:
    """Exit status of each command."""
    return [main(line) for line in lines]


def tour_app(options: list[str]) -> int:
    """Number of elements that the app draws on all pages, while other sites ask for it too."""
    drawn = 0
    with running_app(options) as address:
        client = Client(address)
        for origin in ("http://evil.example", "http://localhost:3000", "null"):
            try:
                client.connect(headers={"Origin": origin}).close()
            except InvalidStatus:
                client.ask("/", headers={"Origin": origin})
        with client.connect() as socket_:
            messages = visit(socket_, "read")
            read_demo(client, messages)
            for page in PAGES:
                drawn += len(visit(socket_, page))
        client.ask("/")
    return drawn


def read_demo(client: Client, messages: list[ForwardMsg]) -> None:
    """Have a demo image read, as a click on its picture does, and wait for its number."""
    sent = b" ".join(message.SerializeToString() for message in messages)
    headers = {"X-Room": re.search(rb'"token": ?"([\w-]+)"', sent)[1].decode()}
    order = json.dumps({"id": "00000000-0000-4000-8000-000000000000", "index": 0}).encode()
    status, _, _ = client.ask("/room/demo", "POST", order, headers | {"Content-Type": "application/json"})
    assert status < 300, status
    end = time.monotonic() + PATIENCE
    while b'"status":"read"' not in client.ask("/room/rows?after=0", headers=headers)[2].replace(b" ", b""):
        assert time.monotonic() < end
        time.sleep(0.1)


if __name__ == "__main__":
    task, given = sys.argv[1], json.loads(sys.argv[2])
    result = {"commands": run_commands, "app": tour_app}[task](given)
    sys.stderr.write(f"\n{json.dumps(result)}")
