"""The reference pages of interface and metrics say what the program does."""

import re

import pytest

from cxrmodel.messages import catalogue
from cxrmodel.monitoring.metrics import DELIVERIES, OUTCOMES, SOURCES, STAGES, Metrics
from cxrmodel.monitoring.store_state import StoreMetrics
from cxrmodel.store.records import DeliveryState, JobState
from cxrmodel.web.api.problems import Problem


def rows(text: str, heading: str) -> list[list[str]]:
    """Cells of the table under a line that begins so."""
    table = text.split(heading, 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.fixture(scope="module")
def page(project):
    """A function that gives a reference page."""
    return lambda name: (project / "docs" / "reference" / name).read_text(encoding="utf-8")


def test_addresses_and_parameters_are_those_of_the_description(page, interface):
    """All of them, with their methods."""
    described, text = interface.api.openapi()["paths"], page("http-api.md")
    found = {(row[0].strip("`"), row[1].lower()) for row in rows(text, "| address | method | answer |")}
    assert found == {(path, method) for path, methods in described.items() for method in methods}
    parameters = {entry["name"] for entry in described["/api/v1/readings"]["post"]["parameters"]}
    assert {row[0].strip("`") for row in rows(text, "| parameter | meaning |")} == parameters


def test_every_status_and_its_codes_are_documented(page, interface):
    """With codes that exist, and the keys of a problem."""
    responses = interface.api.openapi()["paths"]["/api/v1/readings"]["post"]["responses"]
    table = rows(page("http-api.md"), "| status | code | meaning |")
    assert {row[0] for row in table} == set(responses)
    codes = {code for row in table for code in re.findall(r"`([\w.]+)`", row[1])}
    assert codes <= set(catalogue().texts)
    own = {code for code in catalogue().texts if code.startswith("api.")}
    assert own - codes == {"api.client_gone", "api.weak_token", "api.not_here", "api.port_taken"}
    (sentence,) = re.findall(r"RFC 9457\) with ([^.]*)\.", page("http-api.md"))
    assert set(re.findall(r"`(\w+)`", sentence)) == set(Problem.model_fields)


def test_metrics_are_those_of_the_registry(page):
    """Names, types and labels; and the values of labels that are words of the program."""
    metrics = Metrics(["pacs"], StoreMetrics(lambda: None))
    metrics.stage("worker", "read", 1.0)
    documented = {
        row[0].strip("`"): row[1:3] for row in rows(page("metrics.md"), "| metric | type | labels | meaning |")
    }
    families = {family.name: family for family in metrics.registry.collect() if family.name.startswith("cxrmodel_")}
    assert set(documented) == set(families)
    assert {name: kind for name, (kind, _) in documented.items()} == {n: f.type for n, f in families.items()}
    for name, labels in {
        "cxrmodel_images": ["source", "outcome"],
        "cxrmodel_stage_seconds": ["source", "stage"],
        "cxrmodel_deliveries": ["target", "outcome"],
        "cxrmodel_requests": ["route", "status"],
        "cxrmodel_store_jobs": ["state"],
        "cxrmodel_store_deliveries": ["state"],
        "cxrmodel_store_refusals": ["code"],
    }.items():
        assert re.findall(r"`(\w+)`", documented[name][1]) == labels
    words = {*OUTCOMES, *SOURCES, *STAGES, *DELIVERIES, *JobState, *DeliveryState}
    assert [word for word in words if f"`{word}`" not in page("metrics.md")] == []
