"""Small pictures of outliers, fetched again from their sources: an output itself holds no pixel of an image."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cxrmodel.archive.manifest import Manifest
from cxrmodel.archive.report.measures import Outlier
from cxrmodel.archive.sources.registry import open_source
from cxrmodel.errors import CxrError
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from cxrmodel.report.thumbnail import thumbnail


@dataclass(frozen=True)
class Picture:
    """A thumbnail as a data URL, or why there is none."""

    url: str = ""
    reason: Message | None = None


def fetch_pictures(manifest: Manifest, outliers: Iterable[Outlier]) -> Mapping[int, Picture]:
    """Fetch images and make them small.

    Parameters
    ----------
    manifest : Manifest
    outliers : iterable of Outlier

    Returns
    -------
    dict of int to Picture
        By number of the image. An image that is gone or no longer the same has none.
    """
    wanted = {outlier.item: outlier for outlier in outliers}
    sources = {}
    pictures = {}
    for block in sorted({manifest.block_of(item) for item in wanted}):
        for task in manifest.tasks(block, wanted.keys()):
            try:
                if task.source not in sources:
                    sources[task.source] = open_source(manifest.run.sources[task.source])
                data = sources[task.source].fetch(task.item).data
                if hashlib.sha256(data).hexdigest() != wanted[task.number].sha256:
                    pictures[task.number] = Picture(reason=Message("archive.report.changed"))
                    continue
                pictures[task.number] = Picture(thumbnail(read_radiograph(data, "image").pixels))
            except CxrError as error:
                pictures[task.number] = Picture(reason=error.message)
            except OSError:
                pictures[task.number] = Picture(reason=Message("archive.report.gone"))
    return pictures
