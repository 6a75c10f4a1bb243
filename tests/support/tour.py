"""Every command of the program, and a visit to every page of the app; each is a program of its own.

Run in a network of its own (`tests.support.isolation`), they show what the program sends.
"""

import json
import sys

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import InvalidStatus

from cxrmodel.cli.main import main
from cxrmodel.web.text import text
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
            socket_.send(_press(messages, text("web.read.demo_read")))
            while "%" not in str(messages[-1]):
                messages.append(ForwardMsg.FromString(socket_.recv(PATIENCE)))
            for page in PAGES:
                drawn += len(visit(socket_, page))
        client.ask("/")
    return drawn


def _press(messages: list[ForwardMsg], label: str) -> bytes:
    """What a browser sends when the button of a label is pressed."""
    button = next(m.delta.new_element.button for m in messages if m.delta.new_element.button.label == label)
    press = BackMsg()
    press.rerun_script.page_name = "read"
    press.rerun_script.widget_states.widgets.append(WidgetState(id=button.id, trigger_value=True))
    return press.SerializeToString()


if __name__ == "__main__":
    task, given = sys.argv[1], json.loads(sys.argv[2])
    result = {"commands": run_commands, "app": tour_app}[task](given)
    sys.stderr.write(f"\n{json.dumps(result)}")
