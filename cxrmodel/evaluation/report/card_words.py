"""The fixed words of the model card. They hold no measured figure."""

__all__ = [
    "CAVEATS",
    "DATA",
    "ETHICS",
    "GUIDELINES",
    "INTENDED_USE",
    "KINDS",
    "NOT_MEASURED",
    "OPENING",
    "OUT_OF_SCOPE",
    "PROBLEMS",
]

OPENING = """
Written by `python -m cxrmodel evaluate` from the evaluation of the shipped weights; not to be edited by hand.
**Not for diagnosis; research use only.**
"""

KINDS = {
    "densenet121": "DenseNet-121, a convolutional network, trained here; a U-Net finds the lung fields before it",
    "cnn": "plain convolutional network, trained here; a U-Net finds the lung fields before it",
}

NOT_MEASURED = "Not measured for these weights."

INTENDED_USE = """
- **For** research and teaching: to study how such a model reads images, how far its probability can be trusted, and
  where it fails.
- **By** people who can judge a chest radiograph themselves, and by researchers.
- **On** frontal antero-posterior chest radiographs of children aged {ages}, one image at a time.
- **Beside** a reader's own judgement, never in its place. The finding has a third answer, uncertain, for images that the
  model cannot tell.
"""

OUT_OF_SCOPE = """
- Any decision about a patient. It is no medical device and was cleared by no authority.
- Adults, infants and any age but {ages}, lateral images, images of other hospitals until it was evaluated on them
  (`python -m cxrmodel evaluate --data DIR` does that).
- Any disease but pneumonia: an image without pneumonia is not a healthy image.
- Telling bacterial from viral pneumonia, its severity, or its place.
- Triage, screening, or leaving images unread because the model calls them normal.
"""

DATA = """
- **Source**: {trained_on}. Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images for Classification,
  Mendeley Data, [doi:10.17632/rscbjbr9sj.2](https://doi.org/10.17632/rscbjbr9sj.2), CC BY 4.0; the archive's own split
  into training and test images.
- **Participants**: children of one hospital, the Guangzhou Women and Children's Medical Center, imaged in routine care.
  Poor and unreadable images were removed by the archive's authors. Age of each child, sex, severity, comorbidity, device
  and dates of examination are not in the archive, so no figure can be given by them.
- **Reference standard**: the archive's labels, normal or pneumonia, given by two physicians from the image; a third
  checked the test images. They are readings of images, not laboratory findings. Bacterial or viral follows from the file
  names.
- **Patients** are told apart by file names; images of one patient never stand on both sides of a split.
- **Preparation**: each image is reduced to one small size, its lung fields are found, and the crop around them is read.
  Training and reading share this code.
- **Missing data**: none; an image has a label or is not in the archive.
- **Sample size**: what the archive holds; it was not calculated beforehand.
"""

CAVEATS = """
- Both training and test images come from one hospital, at one time. How the model does elsewhere is unknown until it is
  measured there.
- What goes with a disease is easily learnt in its place. On this archive the size of a file and its grey levels alone
  tell much of the label. Cropping to the lungs and replacing their surroundings in training lessens this and does not
  end it.
- The test images hold another share of pneumonia than the training images, and the archive's test folder differs from its
  training folder in more than chance: compare the held-out patients on the Evaluation page.
- Intervals tell the chance of which patients were in the test set, and nothing of other hospitals, of another training,
  or of errors in the labels.
- A probability holds at the prevalence that stands beside it, for images like those it was trained on.
- Heat shows what the network used, not where disease is.
- Nobody has yet studied whether readers do better with this program than without it.
"""

ETHICS = """
- **Whose images**: the archive was published with the approval of the hospitals' review boards, without names. No image
  of it is part of this program; the weights and the figures derive from it.
- **Fairness**: sex, ethnicity and social position of the children are not in the archive. Whether the model serves
  groups differently cannot be known from it.
- **Harm**: a missed pneumonia may delay treatment; a false alarm may bring antibiotics or radiation that a child does
  not need. Both are counted above, at three thresholds.
- **Automation bias**: a number invites trust. The program shows thresholds, prevalence, uncertainty and heat beside it,
  and refuses what it cannot read.
- **Privacy**: images stay in the memory of the session that read them. Nothing is sent anywhere.
- **Patients and public** took no part in making it. There was no registered protocol.
"""

PROBLEMS = """
Tell whoever runs this program for you, or open an issue where you got it. Give the version that stands at the top of
this card, what you did, what you expected and what came instead, and the reference number if there was one. **Never
send a patient's image or name.** A wrong reading is worth reporting too: say the finding, the probability and what the
image truly showed.
"""

GUIDELINES = """
What TRIPOD+AI (2024), the CLAIM update (2024) and STARD-AI (2025) ask for, and where it stands. The app's *Evaluation*
page has every curve.

| Asked for | Where |
| --- | --- |
| Purpose, users, setting | Intended use; Out of scope |
| Source of data, participants, eligibility, dates | Data; dates and ages of single children are not in the archive |
| Reference standard and its readers | Data |
| Flow of participants with every exclusion | Data |
| Split, and what was chosen on which part | Data |
| Preparation of images | Data |
| Model, inputs, outputs, version, availability | Model; code, weights and scores are part of the program |
| Training, hyperparameters, choice of the model | Evaluation page, What it was made from; docs/training.md |
| Discrimination, with intervals | Metrics |
| Calibration, with intervals | Metrics; Evaluation page, Calibration |
| Clinical utility | Evaluation page, Decision (net benefit) |
| Cross tabulation of index test and reference | Metrics |
| Comparison with simpler models and with others | Metrics |
| Robustness, subgroups, fairness | Where it fails; Ethical considerations |
| Failure analysis | Where it fails; Evaluation page, Where it fails |
| Explanations and how they were tested | Where it fails, Heatmaps |
| External validation | Where it fails, Adults; none on children of another hospital |
| Limits | Caveats |
| Ethics, funding, registration, protocol | Ethical considerations; no funding, no registration, no protocol |
| Patient and public involvement | Ethical considerations; none |
"""
