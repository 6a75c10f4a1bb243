"""What a DICOM file states, for the user who looks at its tags: without identity unless that is asked for."""

from typing import TYPE_CHECKING, Any

from cxrmodel.messages import Message

if TYPE_CHECKING:
    from cxrmodel.imaging.dicom.attributes import Attributes


def tags(attributes: "Attributes | None", identity: bool) -> dict[str, Any]:
    """Give the tags of a file as JSON.

    Parameters
    ----------
    attributes : Attributes or None
        None for a file that is not DICOM.
    identity : bool
        Whether to give those that may identify someone.

    Returns
    -------
    dict
        ``tags``: tag, name and value of each; ``note``: a sentence on what is not among them.
    """
    if attributes is None:
        return {"tags": [], "note": str(Message("viewer.tags_none"))}
    shown = [one for one in attributes.listed if identity or not one.identity]
    values = {"hidden": len(attributes.listed) - len(shown), "private": attributes.private}
    note = Message("viewer.tags_all" if identity else "viewer.tags_without", **values)
    return {"tags": [[one.tag, one.name, one.value] for one in shown], "note": str(note)}
