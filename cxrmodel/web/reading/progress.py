"""The batch of files that is being read: its progress, and its place in the server's queue."""

import streamlit as st

from cxrmodel.scheduling import Notify
from cxrmodel.web import session
from cxrmodel.web.text import named, text


def progress() -> Notify | None:
    """Draw the progress of the batch.

    Returns
    -------
    callable or None
        Draws it again, with the place in the queue; None where no file waits.
    """
    batch = session.batch()
    if batch is None or not batch.waiting:
        return None
    bar, done, total = st.empty(), len(batch.entries), batch.total
    values = {"number": done + 1, "total": total, "name": named(batch.waiting[0][0])}

    def draw(place: int) -> None:
        words = text("web.read.waiting", place=place, **values) if place else text("web.read.progress", **values)
        bar.progress(done / total, text=words)

    draw(0)
    return draw
