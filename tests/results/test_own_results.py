"""No result of this program is ever read as a radiograph."""

from io import BytesIO

import pydicom
import pytest

from cxrmodel.errors import NotAnImage
from cxrmodel.imaging.dicom.own_results import is_own_result
from cxrmodel.imaging.radiograph import read_radiograph

FOREIGN_UID = "1.2.826.0.1.3680043.8.498.1"


def code_of_refusal(data: bytes) -> str:
    with pytest.raises(NotAnImage) as refused:
        read_radiograph(data, "image")
    return refused.value.message.code


def changed(data: bytes, **elements) -> bytes:
    """A DICOM file with other elements, as an archive may change them."""
    dataset, out = pydicom.dcmread(BytesIO(data)), BytesIO()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["sr", "sc"])
@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"SOPInstanceUID": FOREIGN_UID, "SeriesInstanceUID": FOREIGN_UID, "DeviceUID": FOREIGN_UID},
        {"Manufacturer": "ARCHIVE", "SOPInstanceUID": FOREIGN_UID, "SeriesInstanceUID": FOREIGN_UID},
        {"Manufacturer": "", "DeviceUID": "", "SeriesInstanceUID": FOREIGN_UID},
        {"Manufacturer": "", "DeviceUID": "", "SOPInstanceUID": FOREIGN_UID},
    ],
    ids=["as made", "other UIDs", "device alone", "instance alone", "series alone"],
)
def test_a_result_is_refused_by_whatever_mark_is_left(results, kind, elements):
    assert code_of_refusal(changed(results()[kind].data, **elements)) == "imaging.dicom.object.own_result"


def test_without_any_mark_a_report_is_still_no_image(results):
    bare = {"Manufacturer": "", "DeviceUID": "", "SOPInstanceUID": FOREIGN_UID, "SeriesInstanceUID": FOREIGN_UID}
    assert code_of_refusal(changed(results()["sr"].data, **bare)) == "imaging.dicom.object.report"


def test_the_answer_of_a_query_is_enough_to_know_a_result(results):
    """Its UID alone, or the device alone, padded as archives pad."""
    assert all(is_own_result([result.uid]) for result in results().values())
    assert is_own_result([f"{results()['sc'].uid}\0"])
    assert is_own_result([FOREIGN_UID], "CXRMODEL ")
    assert not is_own_result([FOREIGN_UID, "", "2.25.1"], "cxrmodel-like")


def test_an_image_of_another_device_is_read(file):
    assert read_radiograph(file(Manufacturer="cxrmaker", SOPInstanceUID="2.25.1"), "image").file_format == "DICOM"
