"""The ``archive score`` command: readings of whole archives as partitioned Parquet."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cxrmodel.cli.command import Command, Status, say
from cxrmodel.cli.numbers import prevalence, whole_number
from cxrmodel.messages import Message
from cxrmodel.models import DEFAULT_MODEL, MODELS

if TYPE_CHECKING:
    from cxrmodel.archive.tasks import Runner, Settings

_PART_IMAGES = 4096


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a folder, read with its subfolders; a list of paths, LIST.txt; a tar (WebDataset) or Parquet file, or a "
        "folder of these; s3://BUCKET/PREFIX; dicomweb+https://HOST/PATH?Modality=DX; without any, those of OUT are "
        "continued",
    )
    parser.add_argument("--to", type=Path, required=True, metavar="OUT", help="folder of the output, new or begun")
    parser.add_argument(
        "--identity",
        action="store_true",
        help="also keep file names, patient IDs, accession numbers and DICOM UIDs in the rows",
    )
    parser.add_argument("--heatmaps", action="store_true", help="also keep the heatmaps, as compact arrays")
    parser.add_argument("--retry-failed", action="store_true", help="try images again that failed in an earlier run")
    parser.add_argument(
        "--update",
        action="store_true",
        help="list the sources again: score images that are new, and images again that have changed",
    )
    parser.add_argument(
        "--prevalence",
        type=prevalence,
        metavar="SHARE",
        help="share of positive images, 0.2 or 20%%; default: CXR_PREVALENCE, else 0.5",
    )
    parser.add_argument(
        "--part-images",
        type=whole_number(1, 1_000_000),
        metavar="N",
        help=f"images of one Parquet part; default: those of OUT, else {_PART_IMAGES}",
    )
    parser.add_argument(
        "--ray",
        action="store_true",
        help="score on every machine of the Ray cluster at RAY_ADDRESS; without an address one is started here",
    )
    parser.add_argument("--model", choices=MODELS.names, default=DEFAULT_MODEL, help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> Status:
    from cxrmodel.archive.manifest import Run, begun_run
    from cxrmodel.archive.output import Output
    from cxrmodel.archive.score import score_archive
    from cxrmodel.archive.sources.registry import source_names
    from cxrmodel.extras import need
    from cxrmodel.model.spec import load_spec
    from cxrmodel.prevalence import site_prevalence

    if arguments.ray:
        need("ray", "archive")  # before the output is begun
    begun = begun_run(Output(arguments.to))
    sources = source_names(arguments.sources) or (begun.sources if begun else ())
    if not sources:
        raise argparse.ArgumentError(None, str(Message("archive.no_source")))
    run = Run(
        model=arguments.model,
        version=load_spec(arguments.model).version,
        prevalence=site_prevalence() if arguments.prevalence is None else arguments.prevalence,
        identity=arguments.identity,
        heatmaps=arguments.heatmaps,
        part_images=arguments.part_images or (begun.part_images if begun else _PART_IMAGES),
        sources=sources,
    )
    start = _on_this_machine
    if arguments.ray:
        from cxrmodel.archive.cluster.connection import on_cluster

        start = on_cluster
    counts = score_archive(arguments.to, run, start, retry_failed=arguments.retry_failed, update=arguments.update)
    say(
        Message(
            "archive.done",
            output=str(arguments.to),
            asked=counts.asked,
            read=counts.read,
            refused=counts.refused,
            failed=counts.failed,
        )
    )
    return Status.DONE if counts.read == counts.asked else Status.NOT_ALL_READ


@contextmanager
def _on_this_machine(settings: "Settings") -> "Iterator[Runner]":
    from cxrmodel.archive.scoring import Scorer, start_decoders

    start_decoders()
    yield Scorer.load(settings)


COMMAND = Command(
    "score",
    "read every image of an archive into partitioned Parquet",
    _add_arguments,
    _run,
    epilog="A run that was stopped or killed continues when the same command runs again; every image has one row. "
    "Exit status: 0 when every image was read, 3 when any was refused or failed, 2 for wrong usage, 1 when the run "
    "could not begin or end.",
)
