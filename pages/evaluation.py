"""Evaluation: how good the model is, with intervals, and what a threshold makes of it."""

from cxrmodel.web.evaluation.page import evaluation
from cxrmodel.web.shell import frame

with frame("Evaluation") as reader:
    evaluation(reader.spec if reader else None)
