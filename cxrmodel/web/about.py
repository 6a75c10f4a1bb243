"""What the model is, what it was trained on, and the limits of its use.

Every figure comes from the artefact's own files.
"""

import json
from pathlib import Path

import streamlit as st

from cxrmodel import __version__
from cxrmodel.errors import CxrError
from cxrmodel.evaluation.report.readme import images_sentence
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.lungs import LUNGS_FOLDER
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec
from cxrmodel.report.wording import DISCLAIMER, OPERATING_POINTS, percent, threshold_percent
from cxrmodel.web.evaluation.terms import with_interval
from cxrmodel.web.text import plain

__all__ = ["about"]

_USE = f"""
**{DISCLAIMER}.** The program is for research and teaching. It is no medical device, and no decision about a patient
may rest on it.

- It knows **{{children}}**, frontal antero-posterior images, of **one hospital**. It has not learnt adults,
  infants, lateral images, or other diseases.
- It refuses only what it can tell is no image. It may take pictures that are not chest radiographs, and images of adults, for
  images that it knows, and **give a number** all the same; such a number means nothing.
- It tells images labelled pneumonia from images labelled normal. It says nothing of other findings: an image without
  pneumonia is not a healthy image.
- Its training images were chosen by their authors and poor ones removed. A poor, rotated or cropped image may mislead it.
- Networks can learn what goes with a disease and not the disease itself, such as how an image was taken. Images are
  cropped to the lungs before they are read, which lessens this but does not end it. See the heatmap, and doubt heat
  outside the lungs.
- A probability holds for images like those it was trained on, at the prevalence that stands beside it.
"""

_SOURCES = """
- **Images**: Kermany D. S. et al., *Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep Learning*,
  Cell 172 (2018) 1122-1131; *Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images for Classification*,
  Mendeley Data, [doi:10.17632/rscbjbr9sj.2](https://doi.org/10.17632/rscbjbr9sj.2), CC BY 4.0. The images were reduced
  and cropped for training; none of them is part of this program.
- **Lung masks**: V7 Labs, COVID-19 X-ray dataset annotations, CC BY 4.0. The lung segmenter was trained on them.
- **Demo images**: drawn by a statistical model of the images above. They show no patient.
- **Network**: Huang G. et al., *Densely Connected Convolutional Networks*, CVPR 2017. **Heatmap**: Selvaraju R. R.
  et al., *Grad-CAM*, ICCV 2017. **Calibration**: Guo C. et al., *On Calibration of Modern Neural Networks*, ICML 2017.
"""

_LICENCES = f"""
Chest X-ray reader {__version__} is free software under the MIT licence; the file LICENSE has its text. Images and masks
are under CC BY 4.0, as stated above. The libraries it uses keep their own licences; requirements.txt names the
libraries, and a licence where it is not a permissive one.
"""

_PROBLEMS = """
Tell whoever runs this program for you. Give the model version, what you did, and the reference number if there is one:
the server's log holds the kind of error under that number, and nothing of the image. **Never send a patient's image or
name** with a report.
"""


def about(spec: ModelSpec | None) -> None:
    """Draw the page.

    Parameters
    ----------
    spec : ModelSpec or None
        Of the model that reads; None where it cannot be used.
    """
    parts = {
        "Intended use and limits": _USE.format(children=f"children aged {spec.ages}" if spec else "children alone"),
        "Sources": _SOURCES,
        "Licences": _LICENCES,
        "Reporting a problem": _PROBLEMS,
    }
    if spec is not None:
        parts = {
            "What it is": _model(spec),
            "What it was trained on": _training(spec),
            "How good it is": _quality(spec),
        } | parts
    with st.container(width=880):
        for title, text in parts.items():
            st.subheader(title)
            st.markdown(text)


def _model(spec: ModelSpec) -> str:
    points = ", ".join(
        f"{said} {threshold_percent(spec.operating_points[name])}" for name, said in OPERATING_POINTS.items()
    )
    return (
        f"A convolutional network, **{spec.version}**, sees a chest radiograph at {spec.input_size} x "
        f"{spec.input_size} pixels, cropped to the lung fields that a smaller network finds, as it is and mirrored, "
        "and gives the probability of pneumonia by the mean of both. The heatmap shows, as raw Grad-CAM values, which "
        "places raise the score.\n\n"
        f"The probability was calibrated on {len(spec.held_out_patients)} held-out training patients (temperature "
        f"{spec.temperature:.2f}, intercept {spec.intercept:.2f}) and assumes a prevalence of "
        f"{percent(spec.prevalence)}. The same patients fixed the thresholds of the operating points: {points}."
    )


def _training(spec: ModelSpec) -> str:
    sentences = [f"{spec.trained_on}."]
    if split := _json(MODEL_FOLDER / f"{spec.model}.training.json").get("split"):
        sentences.append(
            f"The network learnt from {split['train_images']} images of {split['train_patients']} patients; "
            f"{split['held_out_images']} images of {len(split['held_out_patients'])} other patients were held out for "
            f"every choice that was made. Repeated files left out: {len(split['repeats_dropped'])}."
        )
    if test := _json(LUNGS_FOLDER / "spec.json").get("test"):
        sentences.append(
            f"The lung segmenter agrees with the annotated masks of {test['images']} test images at a mean Dice of "
            f"{test['dice_mean']:.3f}."
        )
    return " ".join(sentences)


def _quality(spec: ModelSpec) -> str:
    try:
        evaluation = load_evaluation(spec.model, spec=spec)
    except CxrError as error:
        return plain(str(error))
    figures = evaluation.metrics["test"]
    balanced = figures["at"]["balanced"]
    return (
        f"Official test: {images_sentence(evaluation, 'test')} AUC {with_interval(figures['auc'])}. At the balanced "
        f"operating point, sensitivity {with_interval(balanced['recall'])} and specificity "
        f"{with_interval(balanced['specificity'])}. In brackets {100 * evaluation.bootstrap['level']:.0f} % intervals. "
        "The Evaluation page has the rest."
    )


def _json(path: Path) -> dict:
    """The file's content; nothing where it is absent or damaged, as the page then does without its figures."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
