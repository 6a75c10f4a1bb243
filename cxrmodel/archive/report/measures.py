"""What the report says of an output, measured in SQL: the rows are never in memory as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrmodel.archive.query import IMAGES, database
from cxrmodel.registry import Registry

if TYPE_CHECKING:
    import duckdb

BINS = 50
"""Of the histogram of probabilities."""
LEAST = 10
"""Images of the smallest group that is shown: few images of a year and device may be recognised."""
MOST_GROUPS = 40
OUTLIERS = 8
"""Of each kind."""
OTHERS, UNKNOWN = "", None
"""Keys of the small groups together, and of the images whose tags do not say."""


@dataclass(frozen=True)
class Grouping:
    """A way to group images by what their tags state.

    Attributes
    ----------
    name : str
        Its title is the text ``archive.report.by.NAME``.
    key : str
        SQL: the name of the group as text; NULL where a tag is missing.
    order : str
        SQL: what groups are sorted by, an aggregate.
    """

    name: str
    key: str
    order: str


_AGE = """CASE WHEN age_years < 1 THEN '< 1' WHEN age_years < 6 THEN '1–5' WHEN age_years < 18 THEN '6–17'
WHEN age_years < 65 THEN '18–64' WHEN age_years >= 65 THEN '65+' END"""

GROUPINGS: Registry[Grouping] = Registry(
    "grouping",
    Grouping("year", "CAST(study_year AS VARCHAR)", "min(study_year)"),
    Grouping("age", _AGE, "min(age_years)"),
    Grouping("sex", "sex", "min(sex)"),
    Grouping("device", "nullif(concat_ws(' ', manufacturer, device), '')", "count(*) DESC"),
    Grouping("view", "view", "count(*) DESC"),
    Grouping("source", "CAST(source AS VARCHAR)", "min(source)"),
)
"""To add one, add it here and its title to the texts."""


@dataclass(frozen=True)
class Group:
    """Images of one group.

    Attributes
    ----------
    key : str or None
        Its name, ``OTHERS`` or ``UNKNOWN``.
    images, read, positive, uncertain : int
        All, those that were read, and of these the findings.
    median : float or None
        Of the probabilities; None where none was read.
    """

    key: str | None
    images: int
    read: int
    positive: int
    uncertain: int
    median: float | None


@dataclass(frozen=True)
class Reason:
    """A code that rows carry: how many, and the sentence of the first of them."""

    code: str
    images: int
    example: str


@dataclass(frozen=True)
class Outlier:
    """One image that stands out."""

    item: int
    sha256: str
    probability: float
    finding: str
    heat_in_lungs: float | None


@dataclass(frozen=True)
class Measures:
    """Everything that the report says.

    Attributes
    ----------
    thresholds : (float, float) or None
        Between which probabilities are uncertain; None where nothing was read.
    histogram : tuple of int
        Images in ``BINS`` bins of equal width over the probabilities 0..1.
    findings : tuple of (str, int)
    refusals, warnings : tuple of Reason
        Of the images that were not read, and of those that were; most frequent first.
    groups : dict of str to tuple of Group
        By the name of a grouping; those without a single tag are left out.
    outliers : dict of str to tuple of Outlier
        By kind: ``highest``, ``unfamiliar``, ``outside``.
    """

    thresholds: tuple[float, float] | None
    histogram: tuple[int, ...]
    findings: tuple[tuple[str, int], ...]
    refusals: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    groups: dict[str, tuple[Group, ...]]
    outliers: dict[str, tuple[Outlier, ...]]


def measure(folder: Path) -> Measures:
    """Measure an output.

    Raises
    ------
    DataError, MissingExtra
    """
    with database(folder) as data:
        low, high = _one(data, f"SELECT min(uncertain_from), min(uncertain_to) FROM {IMAGES}")
        return Measures(
            thresholds=None if low is None else (low, high),
            histogram=_histogram(data),
            findings=tuple(_all(data, f"SELECT finding, count(*) FROM {_READ} GROUP BY ALL ORDER BY 2 DESC, 1")),
            refusals=_reasons(data, "status <> 'read'"),
            warnings=_reasons(data, "status = 'read'"),
            groups={entry.name: groups for entry in GROUPINGS if (groups := _groups(data, entry))},
            outliers=dict(_outliers(data)),
        )


_READ = f"(FROM {IMAGES} WHERE status = 'read')"


def _histogram(data: "duckdb.DuckDBPyConnection") -> tuple[int, ...]:
    sql = f"SELECT CAST(least(floor(probability * {BINS}), {BINS - 1}) AS INTEGER), count(*) FROM {_READ} GROUP BY ALL"
    counts = dict(_all(data, sql))
    return tuple(counts.get(number, 0) for number in range(BINS))


def _reasons(data: "duckdb.DuckDBPyConnection", condition: str) -> tuple[Reason, ...]:
    sql = f"""SELECT code, count(*), arg_min(reason, item) FROM
        (SELECT item, unnest(codes) AS code, unnest(reasons) AS reason FROM {IMAGES} WHERE {condition})
        GROUP BY code ORDER BY 2 DESC, 1"""
    return tuple(Reason(*row) for row in _all(data, sql))


def _groups(data: "duckdb.DuckDBPyConnection", grouping: Grouping) -> tuple[Group, ...]:
    sizes = _all(data, f"SELECT {grouping.key} AS key, count(*) AS n FROM {IMAGES} GROUP BY 1 ORDER BY n DESC, key")
    if all(key is UNKNOWN for key, _ in sizes) or (grouping.name == "source" and len(sizes) == 1):
        return ()
    kept = [key for key, images in sizes if key is not UNKNOWN and images >= LEAST][:MOST_GROUPS]
    sql = f"""SELECT CASE WHEN key IS NULL OR list_contains($kept, key) THEN key ELSE '{OTHERS}' END AS shown, count(*),
        count(*) FILTER (status = 'read'), count(*) FILTER (probability >= uncertain_to),
        count(*) FILTER (probability >= uncertain_from AND probability < uncertain_to), median(probability)
        FROM (SELECT *, {grouping.key} AS key FROM {IMAGES})
        GROUP BY 1 ORDER BY shown IS NULL, shown = '{OTHERS}', {grouping.order}"""
    return tuple(Group(*row) for row in _all(data, sql, {"kept": kept}))


def _outliers(data: "duckdb.DuckDBPyConnection") -> Iterator[tuple[str, tuple[Outlier, ...]]]:
    for kind, condition, order in (
        ("highest", "true", "probability DESC"),
        ("unfamiliar", "len(list_filter(codes, lambda c: c LIKE 'checks.unlike.%')) > 0", "probability DESC"),
        ("outside", "probability >= uncertain_to AND heat_in_lungs IS NOT NULL", "heat_in_lungs"),
    ):
        sql = f"""SELECT item, sha256, probability, finding, heat_in_lungs FROM {_READ} WHERE {condition}
            ORDER BY {order}, item LIMIT {OUTLIERS}"""
        yield kind, tuple(Outlier(*row) for row in _all(data, sql))


def _all(data: "duckdb.DuckDBPyConnection", sql: str, values: dict[str, Any] | None = None) -> list[Any]:
    return data.execute(sql, values or {}).fetchall()


def _one(data: "duckdb.DuckDBPyConnection", sql: str) -> Any:
    return _all(data, sql)[0]
