"""Check of the balance of the lungs: the smaller is not far smaller than the larger."""

from cxrmodel.checks.check import Check, Stage
from cxrmodel.checks.check_input import CheckInput
from cxrmodel.errors import NoLungsFound
from cxrmodel.imaging.lungs import balance

__all__ = ["LUNG_BALANCE"]


def _balance(image: CheckInput) -> float:
    return balance(image.lung_regions[0])


LUNG_BALANCE = Check(
    "lung_balance",
    Stage.LUNGS,
    _balance,
    title="checks.lung_balance.title",
    measures="checks.lung_balance.measures",
    rejection="checks.lung_balance.rejected",
    error=NoLungsFound,
)
