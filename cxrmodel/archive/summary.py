"""The summary page of an archive's output: what was asked, and what became of it."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from cxrmodel import outputs
from cxrmodel.archive.manifest import Counts, Manifest
from cxrmodel.archive.pages import render
from cxrmodel.messages import Message
from cxrmodel.prevalence import prevalence_words
from cxrmodel.report.wording import DISCLAIMER


def write_summary(manifest: Manifest, counts: Counts) -> None:
    """Write the page, over an earlier one.

    Parameters
    ----------
    manifest : Manifest
    counts : Counts
        Of it.

    Raises
    ------
    OutputFailed
    """
    run, findings, codes, changed = manifest.run, Counter[str](), Counter[str](), 0
    for _, rows in manifest.rows(["status", "finding", "codes", "changed"]):
        findings.update(_counted(rows["finding"]))
        unread = rows.filter(pc.not_equal(rows["status"], "read"))
        codes.update(_counted(pc.list_flatten(unread["codes"])))
        changed += pc.sum(rows["changed"]).as_py() or 0
    page = render(
        "summary.html.j2",
        run=run,
        counts=counts,
        findings=findings.most_common(),
        codes=codes.most_common(),
        changed=Message("archive.changed", images=changed) if changed else None,
        prevalence=prevalence_words(run.prevalence),
        disclaimer=DISCLAIMER,
    )
    outputs.write(manifest.output.summary, page, overwrite=True)


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    return {
        pair["values"]: pair["counts"] for pair in pc.value_counts(values).to_pylist() if pair["values"] is not None
    }
