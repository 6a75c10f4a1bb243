"""Made-up sections of an evaluation, with figures that differ from one another so that a mix-up shows."""

from collections.abc import Iterable

from pydantic import BaseModel

from cxrmodel.evaluation.audits.schema import (
    AdultFindings,
    AdultPanel,
    Adults,
    Audits,
    BoxAttribution,
    CalibrationAudit,
    CalibrationFigures,
    CheckAudit,
    CheckSet,
    EvidenceAgreement,
    Inversion,
    LungMasking,
    Perturbation,
    PrevalenceFigures,
    ScoreShift,
    Shortcut,
    SourceFigures,
    Split,
    Subgroup,
)
from cxrmodel.evaluation.explanations.schema import (
    ExplainedImages,
    ExplanationAudit,
    ExplanationSettings,
    MethodResult,
    Randomisation,
)
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.metrics.performance import OperatingPoint, Performance
from cxrmodel.metrics.rates import Confusion
from cxrmodel.training.recipe import Recipe
from cxrmodel.training.record import CalibrationChoice, CandidateScore, Fold, FoldTraining, KindScore


def estimate(value: float, width: float = 0.02, n: int = 60) -> Estimate:
    """A figure with an interval."""
    return Estimate(value, round(value - width, 6), round(min(value + width, 1.0), 6), n)


def figures(split: Split, prevalence: float, ece: float, brier: float) -> CalibrationFigures:
    """Calibration of a split."""
    return CalibrationFigures(
        split=split,
        prevalence=prevalence,
        log_loss=estimate(ece + brier, 0.01),
        ece=estimate(ece, 0.01),
        corrected_ece=estimate(ece - 0.007, 0.01),
        brier=estimate(brier, 0.01),
    )


def candidate(name: str, loss: float, excess: float) -> CandidateScore:
    """A way to calibrate, measured on two kinds."""
    kinds = (("intact", loss - 0.0132), ("blur", loss + 0.0132))
    return CandidateScore(
        name=name,
        log_loss=loss,
        excess=excess,
        standard_error=0.0057,
        kinds=tuple(KindScore(kind=kind, log_loss=value, standard_error=0.0061) for kind, value in kinds),
    )


RECIPE = Recipe(model="densenet121", stages=((96, 2),))
CHOICE = CalibrationChoice(
    candidates=(candidate("raw", 0.1513, 0.0), candidate("temperature", 0.1724, 0.0211)),
    chosen="raw",
    scores=171,
    images=91,
    patients=83,
    trainings=tuple(FoldTraining(fold=Fold(number=number, of=2), recipe=RECIPE) for number in (1, 2)),
)


CALIBRATION = CalibrationAudit(
    bins=15,
    temperature=1.1,
    intercept=0.2,
    prevalence=0.74,
    choice=CHOICE,
    splits=(figures("held_out", 0.74, 0.0313, 0.0423), figures("test", 0.67, 0.0293, 0.0403)),
    evidence=EvidenceAgreement(
        prevalence=0.74, apart=0.2, differ=estimate(0.0413, 0.01), other_side=estimate(0.0213, 0.01)
    ),
    by_prevalence=(
        PrevalenceFigures(
            prevalence=0.25,
            ece=estimate(0.0113, 0.01),
            corrected_ece=estimate(0.0103, 0.01),
            brier=estimate(0.0323, 0.01),
        ),
    ),
    by_source=(SourceFigures(negative="test", positive="held_out", corrected_ece=estimate(0.0233, 0.01)),),
    shift=(ScoreShift(label=0, held_out_median=-5.25, test_median=-4.75, test_above_held_out=estimate(0.603)),),
)
AUDITS = Audits(
    unreadable=0,
    auc=estimate(0.977),
    shortcuts=(
        Shortcut(name="file_size", auc=estimate(0.611), curve=((0.0, 0.0, 1.0), (0.4, 0.6, 0.75), (1.0, 1.0, 0.66667))),
        Shortcut(name="grey_levels", auc=estimate(0.622), curve=((0.0, 0.0, 1.0), (1.0, 1.0, 0.66667))),
    ),
    masks="annotated",
    auc_with_masks=estimate(0.976),
    lungs=(
        LungMasking(name="removed_mean_grey", kind="removed", seen_in_training=True, auc=estimate(0.633)),
        LungMasking(name="only_on_black", kind="only", seen_in_training=False, auc=estimate(0.944)),
        LungMasking(
            name="exchanged_within_class",
            kind="exchange",
            seen_in_training=False,
            auc=estimate(0.855, n=58),
            auc_of_surroundings=estimate(0.566, n=58),
        ),
    ),
    perturbations=(
        Perturbation(
            name="noise",
            changed=60,
            without_lungs=2,
            auc=Estimate(0.877, None, None, 60),
            auc_change=estimate(-0.031),
            mean_probability_change=0.047,
        ),
        Perturbation(
            name="rotated_left",
            changed=60,
            without_lungs=0,
            auc=Estimate(0.888, None, None, 60),
            auc_change=estimate(-0.0004, 0.0003),
            mean_probability_change=0.005,
        ),
    ),
    subgroups=(Subgroup(name="smallest", positives=17, auc=estimate(0.899, n=31), megapixels=(0.3, 0.7)),),
    adults=Adults(
        images=169,
        unreadable=0,
        rejected=7,
        panels=(AdultPanel(name="normal", positives=65, auc=estimate(0.711, n=99)),),
        findings=(
            AdultFindings(group="normal", images=34, findings={"pneumonia": 21, "uncertain": 10, "normal": 3}),
            AdultFindings(
                group="abnormal_no_opacity", images=0, findings={"pneumonia": 0, "uncertain": 0, "normal": 0}
            ),
        ),
        boxes=BoxAttribution(
            images=61,
            empty=0,
            share=estimate(0.322, n=61),
            peak_in_box=estimate(0.433, n=61),
            expected_by_area=0.177,
            expected_in_lungs=0.288,
        ),
    ),
    calibration=CALIBRATION,
    not_measured=(),
)


def performance(auc: float) -> Performance:
    """Performance with the AUC alone."""
    names = ("accuracy", "balanced_accuracy", "sensitivity", "specificity", "ppv", "f1")
    at = {
        point: OperatingPoint(
            threshold=threshold,
            confusion=Confusion(tn=18, fp=2, fn=4, tp=36),
            rates={name: estimate(auc - 0.05 - 0.001 * place) for place, name in enumerate(names)},
        )
        for point, threshold in (("high_sensitivity", 0.2), ("balanced", 0.45), ("high_specificity", 0.8))
    }
    overall = {"auc": auc, "average_precision": auc + 0.003, "brier": 0.061 - auc / 100, "ece": 0.041 - auc / 100}
    return Performance({name: estimate(round(value, 6)) for name, value in overall.items()}, at)


CHECKS = CheckAudit(
    sets=(
        CheckSet(
            name="hand",
            images=40,
            read=2,
            warned=1,
            rejected=38,
            measured=("clipping", "lung_area"),
            rejected_by={"lung_area": 38},
            warned_by={"clipping": 1},
        ),
        CheckSet(
            name="scene",
            images=24,
            read=0,
            warned=0,
            rejected=24,
            measured=("projection",),
            rejected_by={"projection": 24},
            warned_by={},
        ),
    ),
    inversion=Inversion(images=10, compared=9, max_difference=0.0),
    all_images=performance(0.951),
    read_images=performance(0.952),
)
EXPLANATIONS = ExplanationAudit(
    images=ExplainedImages(seed=0, test=60, sample=tuple(f"{i}.jpeg" for i in range(50)), positive=40),
    settings=ExplanationSettings(
        cells=14,
        steps=16,
        noise_grey_levels=2.0,
        fine_layer="fine",
        scorecam_layer="score",
        occlusion=(11, 48),
        scorecam_channels=16,
        smoothgrad_copies=16,
        passes={"stability": 1600},
        draws=3,
        range_images=32,
        stages=("output",),
    ),
    methods=(
        MethodResult(
            name="gradcam",
            images=50,
            empty=0,
            deletion_auc=estimate(0.412, n=40),
            insertion_auc=estimate(0.813, n=40),
            random_deletion_auc=0.6,
            random_insertion_auc=0.6,
            in_lungs=estimate(0.714, n=50),
            in_lungs_positive=estimate(0.733, n=40),
            stability=estimate(0.915, n=30),
            map_range=0.7,
            range_images=32,
            seconds=0.1,
            randomisation=Randomisation(
                images=9, spearman=(0.1,), ssim=(0.2,), shuffled_labels=None, depends_on_model=True
            ),
        ),
    ),
    agreement=((1.0,),),
    similar_from=0.5,
    shuffled=None,
    adults=None,
)
SECTIONS = {"audits": AUDITS, "checks": CHECKS, "explanations": EXPLANATIONS}


def figures_in(part: object) -> list[float]:
    """Every value and bound of every estimate in a section."""
    if isinstance(part, Estimate):
        return [number for number in (part.value, part.low, part.high) if number is not None]
    if isinstance(part, BaseModel | Performance | OperatingPoint):
        part = vars(part).values()
    if isinstance(part, dict):
        part = part.values()
    inner = part if isinstance(part, Iterable) and not isinstance(part, str) else ()
    return [number for item in inner for number in figures_in(item)]
