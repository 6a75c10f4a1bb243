"""Documents agree with the evaluations, and the committed files with the program.

The wording of each document is checked here, and nowhere else.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from cxrmodel.checks.registry import CHECKS
from cxrmodel.checks.report import Rule
from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.documents import DOCUMENTS, Document, card_text, performance_text, trainings_text
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.report.context import images_summary, make_card
from cxrmodel.evaluation.report.render import TEMPLATES, part_between, render
from cxrmodel.evaluation.report.safety import refusals, safety_text
from cxrmodel.evaluation.schema import Dataset, Refusal
from cxrmodel.evaluation.seeds import MEASURES, SeedRun, TrainingForm
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.explain.methods import METHODS
from cxrmodel.messages import Message, catalogue
from cxrmodel.metrics import formatting
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.registry import METRICS, Rate
from cxrmodel.models import MODELS, ModelEntry
from cxrmodel.training.record import shipped_training_record
from tests.support.made_up_sections import CHECKS as CHECKS_MEASURED
from tests.support.made_up_sections import SECTIONS, figures_in

CARD_SECTIONS = [
    "Model",
    "Intended use",
    "Out of scope",
    "Data",
    "Metrics",
    "Where it fails",
    "Caveats",
    "Ethical considerations",
    "How to report a problem",
    "Where reporting guidelines are answered",
]
GUIDELINES = ("TRIPOD+AI", "CLAIM", "STARD-AI")
FIGURE = r"\b0\.\d\d+|\d(?:\.\d+)?[ \u00a0]?%"
"""A share, score or percentage."""


def card_of(evaluations, spec) -> str:
    """The card of evaluations with a spec."""
    return render("model_card.md.j2", **vars(make_card(evaluations, spec, shipped_training_record("cnn"), published())))


@pytest.fixture
def card(make_evaluation, make_spec) -> str:
    """The card of a model with every section, beside a baseline."""
    return card_of([make_evaluation(**SECTIONS), make_evaluation("cnn", 0.5)], make_spec())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_file_is_what_the_program_generates(document):
    """Run ``cxrmodel evaluate --no-read`` after changing a template, a text or an evaluation."""
    assert document.written() == document.text()


@pytest.mark.parametrize("document", [item for item in DOCUMENTS if item.mark], ids=lambda document: document.name)
def test_no_figure_is_typed_by_hand(document):
    """Outside the generated part no measured share is stated; docs/reference/training.md describes recipes."""
    before, _, after = part_between(document.target.read_text(encoding="utf-8"), document.mark, document.name)
    if document.name != "training":
        assert re.findall(FIGURE, before + after) == []


def test_no_template_contains_a_figure():
    """Every figure of a document comes from values."""
    for path in TEMPLATES.glob("*.md.j2"):
        assert re.findall(FIGURE, path.read_text(encoding="utf-8")) == [], path.name


def test_a_document_is_written_only_when_it_changes(tmp_path):
    """Wholly or between its marks."""
    path = tmp_path / "MODEL_CARD.md"
    assert [Document("card", path, lambda: "# Card\n").renew() for _ in range(2)] == [True, False]
    assert path.read_text() == "# Card\n"
    part = tmp_path / "README.md"
    part.write_text("a\n<!-- b:start -->\nold\n<!-- b:end -->\nc\n")
    assert [Document("part", part, lambda: "# Card\n", mark="b").renew() for _ in range(2)] == [True, False]
    assert part.read_text() == "a\n<!-- b:start -->\n# Card\n<!-- b:end -->\nc\n"


class TestModelCard:
    """Wording and figures of the model card."""

    def test_sections_are_complete(self, card):
        """Each once, in order, and none empty."""
        assert re.findall(r"^## (.+)$", card, re.MULTILINE) == CARD_SECTIONS
        for title in CARD_SECTIONS:
            assert len(card.split(f"## {title}\n")[1].split("\n## ")[0].split()) > 20
        assert "Not for diagnosis" in card.split("## Model")[0]
        assert all(guideline in card for guideline in GUIDELINES)

    def test_every_figure_of_a_section_is_there(self, card):
        """Nothing that was measured is left out."""
        for number in figures_in([getattr(SECTIONS["audits"], name) for name in ("shortcuts", "lungs", "subgroups")]):
            assert f"{number:.3f}" in card
        assert f"| {CHECKS_MEASURED.sets[0].title} | 40 | 2 | 1 | 38 |" in card
        assert "| Normal (34) | 21 (61.8\u00a0%) | 10 (29.4\u00a0%) | 3 (8.8\u00a0%) |" in card
        assert f"| Grad-CAM | {formatting.estimate(Estimate(0.412, 0.392, 0.432, 40))} |" in card

    def test_every_figure_can_be_traced(self, make_evaluation, make_spec):
        """To estimates, thresholds, publications or the spec: no other number with three decimals stands in it."""
        evaluation, spec = make_evaluation(), make_spec(temperature=1.234)
        card, performance = make_card([evaluation], spec, None, published()), evaluation.splits["test"].performance
        text = render("model_card.md.j2", **vars(card))
        known = [spec.temperature, spec.intercept, *evaluation.operating_points.values()]
        figures = [row.estimate for row in (*card.areas, *card.groups)]
        figures += [rate for point in performance.at.values() for rate in point.rates.values()]
        diagrams = (card.before, card.after)
        figures += [figure for each in diagrams for figure in (each.ece, each.corrected_ece, each.brier)]
        figures += performance.overall.values()
        known += [bound for figure in figures for bound in numbers(figure)]
        known += [figure.auc_deviation for figure in published() if figure.auc_deviation]
        words = " ".join(map(str, card.verdict))
        traced = {f"{number:.3f}" for number in known} | set(re.findall(r"\d\.\d{3}", words))
        assert set(re.findall(r"(?<![\d.])\d\.\d{3}(?!\d)", text)) <= traced

    def test_missing_sections_are_stated(self, make_evaluation, make_spec):
        """Each has its sentence."""
        text = card_of([make_evaluation()], make_spec())
        assert text.count(catalogue().texts["documents.not_measured"]) == 6

    def test_figures_follow_from_the_scores(self, make_evaluation, make_spec):
        """At the thresholds they are those that scikit-learn computes."""
        evaluation = make_evaluation()
        text, scores = card_of([evaluation], make_spec()), evaluation.splits["test"]
        found = [scores.probabilities >= threshold for threshold in evaluation.operating_points.values()]
        rows = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in text.splitlines()}
        for name, measure in (
            ("sensitivity", recall_score),
            ("mcc", matthews_corrcoef),
            ("f1", f1_score),
            ("ppv", precision_score),
        ):
            stated = [cell.split()[0] for cell in rows[str(METRICS[name].title)]]
            assert stated == [f"{measure(scores.labels, positive):.3f}" for positive in found]
        missed = [str(int((~positive & (scores.labels == 1)).sum())) for positive in found]
        assert rows[catalogue().texts["documents.confusion.fn"]] == missed

    def test_stations_of_the_data_flow_are_listed(self, card):
        """With the counts of the training record."""
        split = shipped_training_record("cnn").split
        assert f"{split.train_images:,} images of {split.train_patients:,} patients" in card
        assert f"{len(split.repeats_dropped)} images" in card

    def test_there_is_none_without_an_evaluation(self, make_spec):
        """There is no model card without figures."""
        with pytest.raises(EvaluationError) as caught:
            card_of([], make_spec())
        assert caught.value.message.code == "documents.no_evaluations"


class TestReadmeFigures:
    """Wording and figures of the README's table."""

    def test_a_column_for_each_model(self, make_evaluation):
        """A figure stands with its interval in the row of its metric."""
        evaluations = [make_evaluation(centre=0.3), make_evaluation("cnn", centre=0.4)]
        sentence, blank, *rows = performance_text(evaluations).splitlines()
        assert sentence.startswith("Official test set: 60 images of 30 patients")
        assert "95\u00a0% confidence intervals" in sentence
        assert blank == ""
        cells = {row[0]: row[1:] for row in ([cell.strip() for cell in line.strip("|").split("|")] for line in rows)}
        assert cells[""] == ["DenseNet-121", "Plain CNN"]
        for metric in METRICS:
            performances = [evaluation.splits["test"].performance for evaluation in evaluations]
            figures = [
                (part.at["balanced"].rates if isinstance(metric, Rate) else part.overall)[metric.name]
                for part in performances
            ]
            assert cells[str(metric.title)] == [formatting.estimate(figure, metric.digits) for figure in figures]

    def test_findings_add_up(self, make_evaluation):
        """Three counts a label, by the outer thresholds, that add up to its images."""
        evaluation = make_evaluation()
        scores, points = evaluation.splits["test"], evaluation.operating_points
        table = performance_text([evaluation])
        for title, label in (("Pneumonia images", 1), ("Normal images", 0)):
            values = scores.probabilities[scores.labels == label]
            high = (values >= points["high_specificity"]).sum()
            low = (values < points["high_sensitivity"]).sum()
            assert f"| {title}: pneumonia / uncertain / normal | {high} / {len(values) - high - low} / {low} |" in table

    @pytest.mark.parametrize(
        ("left_out", "code"), [([], "all_scored"), (["a.png"], "not_scored"), (list("abcdefg"), "more_not_scored")]
    )
    def test_images_without_a_score_are_named(self, make_evaluation, left_out, code):
        """The counts are of scored images; the first five others are named."""
        refused = tuple(Refusal(file=name, code="imaging.empty") for name in left_out)
        evaluation = with_counts(make_evaluation(), images=60 + len(left_out), refused=refused)
        *_, last = images_summary(evaluation, "test")
        assert last.code == f"documents.images.{code}"
        assert last.values.get("names", ()) == tuple(left_out[:5])
        assert "60 images of 30 patients" in performance_text([evaluation])

    @pytest.mark.parametrize(
        ("origin", "kind"), [("folders", "images"), ("archive", "checked_images"), ("table", "checked_images")]
    )
    @pytest.mark.parametrize("left_out", [(), ("image 3",)])
    def test_an_archive_was_scored_with_image_checks(self, make_evaluation, origin, kind, left_out):
        """What has no score there may have been rejected by one of them."""
        refused = tuple(Refusal(file=name, code="imaging.empty") for name in left_out)
        evaluation = with_counts(make_evaluation(), images=60 + len(left_out), refused=refused)
        dataset = Dataset(name="Ward 3", folder=".", named=0, origin=origin)
        own = dict.fromkeys(("agreement", "audits", "checks", "explanations", "provenance"))
        evaluation = evaluation.replace(dataset=dataset, splits={"test": evaluation.splits["test"]}, **own)
        codes = ["some_scored", "not_scored"] if left_out else ["all_scored"]
        assert [message.code for message in images_summary(evaluation, "test")[1:]] == [
            f"documents.{kind}.{code}" for code in codes
        ]

    def test_models_of_other_images_do_not_stand_side_by_side(self, make_evaluation):
        """Different images are an error."""
        other = with_counts(make_evaluation("cnn"), images=61, refused=(Refusal(file="a", code="imaging.empty"),))
        for evaluations, code in (([make_evaluation(), other], "different_images"), ([], "no_evaluations")):
            with pytest.raises(EvaluationError) as caught:
                performance_text(evaluations)
            assert caught.value.message.code == f"documents.{code}"


class TestSafetyTables:
    """Wording of the safety tables."""

    def test_every_refusal_and_every_message_is_there(self):
        """Each refusal by name; each check by title, with the outcomes that it has."""
        text = DOCUMENTS["safety"].text()
        for name in refusals():
            assert f"| {name} |" in text
        for check in CHECKS:
            for outcome in ("warning", "rejected"):
                assert (f"| {Message(check.title)} | {outcome} |" in text) == (check.code(outcome) is not None)

    def test_rates_of_three_collections_stand_beside_each_check(self):
        """They were measured with the shipped checks."""
        table = DOCUMENTS["safety"].text().split("### Checks")[1].split("### Messages")[0]
        rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|")]
        assert len(rows) == 2 + len(CHECKS)
        assert {len(row) for row in rows} == {5 + 3}
        assert all(cell.strip() for row in rows[2:] for cell in row[5:])


class TestTrainingTable:
    """Wording and figures of the table of trainings."""

    def test_a_deviation_is_given_for_several_seeds(self):
        """Three runs and a single one."""

        def run(seed: int, value: float, model: str, size: int) -> SeedRun:
            forms = (TrainingForm(stages=((size, 1),)),)
            measures = dict.fromkeys(MEASURES, value)
            return SeedRun(model=model, trainings=forms, init="none", seed=seed, weights_sha256="a" * 64, **measures)

        runs = [run(seed, value, "cnn", 32) for seed, value in ((0, 0.90), (2, 0.97), (1, 0.92))]
        runs.append(run(0, 0.5, "densenet121", 64))
        assert trainings_text(runs).splitlines()[2:] == [
            f"| Plain CNN | {runs[0].form} | 0, 1, 2 |" + " 0.9300 ± 0.0361 |" * 4,
            f"| DenseNet-121 | {runs[3].form} | 0 |" + " 0.5000 |" * 4,
        ]


class TestNewEntries:
    """A new registry entry is in the documents with no other edit."""

    def test_a_metric(self, make_evaluation, make_spec, monkeypatch):
        """In README table and card."""
        monkeypatch.setitem(catalogue().texts, "metrics.title.toy", "Toy metric")
        with METRICS.extended(Rate("toy", measure=lambda counts: counts.tp * 0 + 0.125)):
            for text in (performance_text([make_evaluation()]), card_of([make_evaluation()], make_spec())):
                assert "| Toy metric | 0.125 (0.125 to 0.125) |" in text

    def test_a_model(self, make_evaluation):
        """In the README table, under its title."""
        with MODELS.extended(ModelEntry(**vars(MODELS["cnn"]) | {"name": "toy", "title": "Toy network"})):
            evaluation = make_evaluation("cnn").replace(model="toy")
            assert "| DenseNet-121 | Toy network |" in performance_text([make_evaluation(), evaluation])

    def test_a_method(self, make_evaluation, make_spec):
        """In the card: with its figures once it is measured, else without."""
        with METHODS.extended(replace(METHODS["gradcam"], name="toy", title="Toy map")):
            text = card_of([make_evaluation(**SECTIONS)], make_spec())
        assert f"| Toy map | {catalogue().texts['documents.not_measured']} |" in text

    def test_a_check(self, make_spec, monkeypatch):
        """In the safety tables, with its thresholds."""
        for name in ("title", "measures"):
            monkeypatch.setitem(catalogue().texts, f"checks.toy.{name}", name)
        rule = Rule(side="above", warning=0.25, rejection=None, source="made up")
        with CHECKS.extended(replace(CHECKS["margins"], name="toy")):
            text = safety_text({"toy": rule}, make_spec(), None)
        assert "| over 0.25 |  | made up |" in text


def with_counts(evaluation, images: int, refused: tuple[Refusal, ...]):
    """The evaluation with refused images in its test set."""
    test = evaluation.splits["test"]
    counts = test.counts.replace(images=images, refused=len(refused))
    return evaluation.replace(splits=evaluation.splits | {"test": test.replace(counts=counts, refused=refused)})


def numbers(figure) -> list[float]:
    """Value and bounds of an estimate."""
    return [part for part in (figure.value, figure.low, figure.high) if part is not None and np.isfinite(part)]


def test_the_shipped_card_is_of_the_shipped_models():
    """The page writes it from the same evaluations."""
    assert card_text([load_evaluation(model) for model in MODELS.names]) == DOCUMENTS["model_card"].text()
