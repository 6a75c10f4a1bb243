"""Uploads stay in memory."""

from starlette.formparsers import MultiPartParser


def keep_uploads_in_memory() -> None:
    """Receive uploads of every size in memory; above 1 MiB they would be written to the temporary folder.

    The server receives no more than ``server.maxUploadSize`` of one upload.
    """
    MultiPartParser.spool_max_size = 0  # of a SpooledTemporaryFile: it never rolls over to the disk
