"""Dropped files and demo images: how images reach the session, with progress and a summary."""

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cxrmodel.demo import DemoImage, demo_images
from cxrmodel.errors import DataError
from cxrmodel.imaging.formats.registry import format_names
from cxrmodel.web import session
from cxrmodel.web.kept import Entry
from cxrmodel.web.text import named, plain, text

_ROUND = "rounds of dropped files"
_MOST_LISTED = 5


def intake() -> None:
    """Draw the drop zone and the demo images, take new files, and summarise a batch that is done."""
    drop, demo = st.columns([3, 2], gap="large")
    with drop:
        # A new key empties the drop zone once its files are taken: the list of images is then the only one.
        uploads = st.file_uploader(
            text("web.read.drop"),
            accept_multiple_files=True,
            key=f"drop zone {st.session_state.get(_ROUND, 0)}",
            help=text("web.read.drop_help", formats=format_names()),
        )
    with demo:
        picked = _demo_image()
    if picked is not None:
        session.give([(text("web.read.demo_name", title=picked.title), picked.path.read_bytes())])
    if uploads:
        session.give((upload.name, upload.getvalue()) for upload in uploads)
        _release(uploads)
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        st.rerun()
    _summary()


def _demo_image() -> DemoImage | None:
    """Draw the choice of demo images; the image to be read now, if any."""
    try:
        by_title = {image.title: image for image in demo_images()}
    except DataError as error:
        st.caption(plain(error))
        return None
    title = st.selectbox(text("web.read.demo"), list(by_title), help=text("web.read.demo_help"))
    return by_title[title] if st.button(text("web.read.demo_read"), icon=":material/science:") else None


def _release(uploads: list[UploadedFile]) -> None:
    """Free the server's copies of uploaded files, which Streamlit would keep until the session ends."""
    run = get_script_run_ctx()
    if run is not None and isinstance(run.uploaded_file_mgr, MemoryUploadedFileManager):
        for upload in uploads:
            run.uploaded_file_mgr.remove_file(run.session_id, upload.file_id)


def _summary() -> None:
    """Say once how many of the files just given were read, and why the others were not."""
    batch = session.take_batch()
    entries = batch.entries if batch else []
    if len(entries) > 1:
        unread = [entry for entry in entries if entry.status != "read"]
        repeated = len(entries) - len({entry.key for entry in entries})
        twice = [text("web.read.repeated", count=repeated)] if repeated else []
        if unread:
            read = text("web.read.some_read", read=len(entries) - len(unread), files=len(entries))
            st.warning(
                f"{' '.join([read, *twice, text('web.read.unread')])}\n{_unread(unread)}", icon=":material/block:"
            )
        else:
            st.caption(" ".join([text("web.read.all_read", images=len(entries)), *twice]))
    if session.discarded():
        limits = {"images": session.MOST_IMAGES, "megabytes": session.MOST_MEGABYTES}
        st.info(text("web.read.discarded", count=session.discarded(), **limits), icon=":material/inventory_2:")


def _unread(entries: list[Entry]) -> str:
    listed, more = entries[:_MOST_LISTED], len(entries) - _MOST_LISTED
    lines = [text("web.read.unread_file", name=named(entry.name), reason=plain(entry.reason)) for entry in listed]
    return "\n".join([*lines, text("web.read.unread_more", count=more)] if more > 0 else lines)
