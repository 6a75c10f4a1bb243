"""Evaluation: how good the model is, with intervals, and what follows from a threshold."""

from cxrmodel.web.evaluation.page import evaluation
from cxrmodel.web.shell import frame

with frame("evaluation") as reader:
    evaluation(reader)
