"""The report as one HTML page: no script, no network, no name of a file."""

import io
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from cxrmodel import outputs
from cxrmodel.archive.manifest import Manifest
from cxrmodel.archive.output import Output
from cxrmodel.archive.pages import render
from cxrmodel.archive.report.measures import BINS, LEAST, OTHERS, UNKNOWN, Measures, measure
from cxrmodel.archive.report.thumbnails import Picture, fetch_pictures
from cxrmodel.errors import OutputRefused
from cxrmodel.evaluation.report.charts import LIGHT
from cxrmodel.messages import Message
from cxrmodel.prevalence import prevalence_words
from cxrmodel.report.wording import DISCLAIMER


def write_report(folder: Path, path: Path, *, thumbnails: bool = False, overwrite: bool = False) -> None:
    """Write the report on an output.

    Parameters
    ----------
    folder : Path
        Of the output.
    path : Path
        Of the page; it ends in .html.
    thumbnails : bool
        Whether outliers are fetched again and shown.
    overwrite : bool

    Raises
    ------
    OutputRefused
        When the page is not named as HTML, or exists and is not to be replaced.
    OutputFailed, DataError, MissingExtra
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputRefused("documents.not_html", file=str(path))
    outputs.refuse_existing(path, overwrite=overwrite)
    manifest, measures = Manifest(Output(folder)), measure(folder)
    outliers = [outlier for kind in measures.outliers.values() for outlier in kind]
    pictures = fetch_pictures(manifest, outliers) if thumbnails else {}
    outputs.write(path, report_text(manifest, measures, pictures), overwrite=overwrite)


def report_text(manifest: Manifest, measures: Measures, pictures: Mapping[int, Picture]) -> str:
    """Write the page.

    Parameters
    ----------
    manifest : Manifest
    measures : Measures
        Of its rows.
    pictures : mapping of int to Picture
        Of outliers; empty for a page without any.
    """
    return render(
        "report.html.j2",
        run=manifest.run,
        counts=manifest.counts(),
        measures=measures,
        pictures=pictures,
        histogram=_svg(_histogram(measures)) if measures.thresholds else "",
        groups={Message(f"archive.report.by.{name}"): groups for name, groups in measures.groups.items()},
        outliers={Message(f"archive.report.outliers.{kind}"): found for kind, found in measures.outliers.items()},
        least=LEAST,
        others=OTHERS,
        unknown=UNKNOWN,
        prevalence=prevalence_words(manifest.run.prevalence),
        disclaimer=DISCLAIMER,
    )


def _histogram(measures: Measures) -> Figure:
    figure = Figure(figsize=(8, 3.2), layout="constrained", facecolor="none")
    axes = figure.subplots()
    axes.set_facecolor("none")
    axes.tick_params(colors=LIGHT.text)
    axes.spines[:].set_color(LIGHT.grid)
    edges = [number / BINS for number in range(BINS + 1)]
    axes.stairs(measures.histogram, edges, fill=True, color=LIGHT.lines[0])
    assert measures.thresholds
    for threshold, dash in zip(measures.thresholds, ("--", "-."), strict=True):
        axes.axvline(threshold, color=LIGHT.lines[1], linestyle=dash)
    axes.set_xlim(0, 1)
    axes.set_xlabel(str(Message("archive.report.probability")), color=LIGHT.text)
    axes.set_ylabel(str(Message("archive.report.images")), color=LIGHT.text)
    return figure


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
