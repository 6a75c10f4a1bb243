"""How images come in: dropped files and synthetic demo images, read with visible progress."""

from collections.abc import Iterable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cxrmodel.demo import DemoImage, demo_images
from cxrmodel.errors import DataError
from cxrmodel.reading import Reader
from cxrmodel.web import session as images
from cxrmodel.web.text import plain

__all__ = ["intake"]

_ROUND = "rounds of dropped files"
_OUTCOME = "outcome of the latest round"
_MOST_LISTED = 5


def intake(reader: Reader) -> None:
    """Draw the drop zone and the demo images, read what is given, and say what became of it.

    Parameters
    ----------
    reader : Reader
    """
    drop, demo = st.columns([3, 2], gap="large")
    with drop:
        # A new key empties the drop zone once its files are read: the list of images is then the only one.
        uploads = st.file_uploader(
            "Drop chest X-ray files here, one or many",
            accept_multiple_files=True,
            key=f"drop zone {st.session_state.get(_ROUND, 0)}",
            help="Frontal images as DICOM, PNG, JPEG, TIFF or WebP. Judged by their content, not by their name.",
        )
    with demo:
        taken = _demo_image()
    if taken is not None:
        _read(reader, [(f"{taken.title}, of no patient", taken.path.read_bytes())], 1)
        st.rerun()
    if uploads:
        _read(reader, ((upload.name, upload.getvalue()) for upload in uploads), len(uploads))
        _release(uploads)
        st.rerun()
    _say_outcome()


def _demo_image() -> DemoImage | None:
    """Draw the choice of demo images; the image to be read now, if any."""
    try:
        by_title = {image.title: image for image in demo_images()}
    except DataError as error:
        st.caption(plain(str(error)))
        return None
    title = st.selectbox(
        "No image at hand? Take a synthetic one, of no patient",
        list(by_title),
        help="Drawn by a statistical model of images. They show how the program works, not how good it is.",
    )
    return by_title[title] if st.button("Read the synthetic image", icon=":material/science:") else None


def _read(reader: Reader, files: Iterable[tuple[str, bytes]], total: int) -> None:
    bar = st.progress(0.0, text=f"Reading image 1 of {total}")

    def working(number: int, name: str) -> None:
        bar.progress((number - 1) / total, text=f"Reading image {number} of {total}: {plain(name)}")

    taken = images.take(reader, files, working)
    st.session_state[_OUTCOME] = taken
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _release(uploads: list[UploadedFile]) -> None:
    """Free the server's copies of uploaded files, which Streamlit would keep until the session ends."""
    run = get_script_run_ctx()
    for upload in uploads:
        run.uploaded_file_mgr.remove_file(run.session_id, upload.file_id)


def _say_outcome() -> None:
    """Say once how many of the files just given were read, and why the others were not."""
    outcome = st.session_state.pop(_OUTCOME, [])
    read = sum(entry.status == "read" for entry in outcome)
    repeated = len(outcome) - len({entry.key for entry in outcome})
    twice = f" Given more than once and listed once: {repeated}." if repeated else ""
    if len(outcome) > 1 and read == len(outcome):
        st.caption(f"All {read} images read.{twice}")
    elif len(outcome) > 1:
        unread = [f"- {plain(entry.name)}: {plain(entry.message)}" for entry in outcome if entry.status != "read"]
        more = f"\n- and {len(unread) - _MOST_LISTED} more, in the table below" if len(unread) > _MOST_LISTED else ""
        st.warning(
            f"{read} of {len(outcome)} files read.{twice} Not read:\n" + "\n".join(unread[:_MOST_LISTED]) + more,
            icon=":material/block:",
        )
    if images.forgotten():
        st.info(
            f"This session keeps the latest {images.MOST_IMAGES} images, or {images.MOST_MEGABYTES} MB of them; "
            f"{images.forgotten()} earlier ones were forgotten. Drop them again to see them.",
            icon=":material/inventory_2:",
        )
