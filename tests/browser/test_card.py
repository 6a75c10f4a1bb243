"""The result card in a real browser: its numbers are the command line's, at any prevalence, also of repaired images."""

import base64
import json
import time
from dataclasses import asdict

import cv2
import numpy as np
import pytest

from cxrmodel.cli.main import main
from cxrmodel.explain.shares import EvidenceShares
from cxrmodel.messages import Message
from cxrmodel.metrics.formatting import percentages, share_percent
from cxrmodel.prevalence import prevalence_words
from cxrmodel.report.wording import DISCLAIMER
from tests.browser.conftest import Watched

pytestmark = pytest.mark.browser

DROP = """([files]) => window.cxrRoom.add(files.map(([name, coded]) =>
  new File([Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0))], name)))"""
SELECT = "(name) => window.cxrRoom.select([...window.cxrRoom.rows.values()].find((row) => row.name === name).id)"
STATES = "() => [...window.cxrRoom.rows.values()].map((row) => row.status)"
SIZE = "(element) => parseFloat(getComputedStyle(element).fontSize)"
CARD = '[data-part="card"]'


@pytest.fixture(scope="module")
def room(serve, browser):
    """A tab on the Read page, which keeps its images from test to test."""
    with serve() as address:
        context = browser.new_context(
            viewport={"width": 1400, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        watched = Watched(context)
        watched.tab.goto(f"{address}/read")
        watched.tab.locator(".st-key-room").wait_for()
        until(watched.tab, "() => window.cxrRoom?.version > 0")
        yield watched
        context.close()


@pytest.fixture(scope="module")
def real(data_root):
    """Levels of real images: a clear one of each class, one that a threshold is near to, and an adult."""
    train = data_root / "chest_xray" / "test"
    paths = {
        "normal": sorted((train / "NORMAL").iterdir())[3],
        "pneumonia": sorted((train / "PNEUMONIA").iterdir())[3],
        "near": sorted((train / "PNEUMONIA").iterdir())[0],
        "adult": sorted((data_root / "adult_rsna" / "opacity").iterdir())[0],
    }
    return {name: cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for name, path in paths.items()}


@pytest.fixture
def command_line(tmp_path, capsys):
    """A function that gives the object of ``read --json`` for the bytes of a PNG, or a list of objects for several."""

    def read(data: bytes | list[bytes], *options: str) -> dict | list[dict]:
        files = [data] if isinstance(data, bytes) else data
        paths = [tmp_path / f"{number}.png" for number in range(len(files))]
        for path, content in zip(paths, files, strict=True):
            path.write_bytes(content)
        capsys.readouterr()
        main(["read", "--json", *options, *map(str, paths)])
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return lines[0] if isinstance(data, bytes) else lines

    return read


def until(tab, condition: str, given=None) -> None:
    """Wait for something; the page's policy lets Playwright evaluate no condition by itself."""
    end = time.monotonic() + 90
    while not tab.evaluate(condition, given):
        assert time.monotonic() < end, f"never: {condition}"
        time.sleep(0.05)


def png(levels: np.ndarray) -> bytes:
    """As a file."""
    return cv2.imencode(".png", np.ascontiguousarray(levels))[1].tobytes()


def drop(tab, files: dict[str, bytes]) -> None:
    """Give files to the page, and wait until they are read."""
    tab.evaluate(DROP, [[[name, base64.b64encode(data).decode()] for name, data in files.items()]])
    until(
        tab,
        "(names) => names.every((name) => [...window.cxrRoom.rows.values()].some((row) => row.name === name))",
        [*files],
    )
    until(tab, f"() => ({STATES})().every((status) => !['waiting', 'reading'].includes(status))")


def choose(tab, name: str, state: str = "read"):
    """Select an image, and give its card once it is whole."""
    tab.evaluate(SELECT, name)
    return whole(tab, name, state)


def whole(tab, name: str, state: str = "read"):
    """The card of an image, once all of it is there."""
    key = tab.evaluate("(name) => [...window.cxrRoom.rows.values()].find((row) => row.name === name).id", name)
    card = tab.locator(f'{CARD}[data-id="{key}"][data-state="{state}"][data-whole="true"]')
    card.wait_for()
    return card


def assert_numbers(card, line: dict) -> None:
    """Every number on the card is that of a line of the command line."""
    points = dict(zip(("high_sensitivity", "balanced", "high_specificity"), edges(line), strict=True))
    shown = percentages(line["probability"], points)
    assert card.locator("[data-value=probability]").inner_text() == shown.probability
    assert card.locator("[data-part=finding]").inner_text().lower() == line["finding"]
    assert str(prevalence_words(line["prevalence"])) in card.locator(".number .title").inner_text()
    label = card.locator(".scale").get_attribute("aria-label")
    assert all(text in label for text in (shown.probability, *shown.thresholds.values()))
    details = card.locator("details[data-part=details]").text_content()
    assert all(text in details for text in shown.thresholds.values())
    if line["evidence_shares"]:
        shares = asdict(EvidenceShares(**line["evidence_shares"]).rounded())
        for name, share in shares.items():
            assert share_percent(share) in card.locator(f"[data-share={name}]").first.inner_text()
        assert sum(round(100 * shares[name]) for name in ("right", "left", "outside")) == 100


def edges(line: dict) -> tuple[float, float, float]:
    """The three thresholds of a line."""
    return line["uncertain_from"], line["threshold"], line["uncertain_to"]


def test_numbers_are_those_of_the_command_line(room, real, command_line, project):
    """At several prevalences, on real and on synthetic images; the evidence follows as well, and the finding stays."""
    tab = room.tab
    demo = sorted((project / "assets" / "demo").glob("*.png"))[::3]
    files = {f"{name}.png": png(real[name]) for name in ("normal", "pneumonia", "near")}
    files |= {path.name: path.read_bytes() for path in demo}
    drop(tab, files)
    findings = {}
    for prevalence in (0.5, 0.03, 0.2, 0.999):
        tab.evaluate("(value) => window.cxrRoom.setPrevalence(value)", prevalence)
        for name, line in zip(files, command_line([*files.values()], "--prevalence", str(prevalence)), strict=True):
            assert_numbers(choose(tab, name), line)
            assert findings.setdefault(name, line["finding"]) == line["finding"]
    tab.evaluate("() => window.cxrRoom.setPrevalence(0.5)")
    slider = choose(tab, "near.png").locator("[data-part=prevalence]")
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "49\u00a0%"
    assert_numbers(whole(tab, "near.png"), command_line(files["near.png"], "--prevalence", "0.49"))
    tab.locator("[data-do=even]").click()
    assert slider.get_attribute("aria-valuetext") == str(Message("report.fact.even_odds", prevalence="50\u00a0%"))
    assert room.troubles == []


def test_no_stale_number_under_a_slow_server(room, command_line, real):
    """While the server answers nothing, the slider and the list move every number at once; nothing comes back later."""
    tab, held, slow, data = room.tab, [], [True], png(real["pneumonia"][:, 2:])
    drop(tab, {"first.png": png(real["normal"][:, 2:]), "late.png": data})  # the card of the first one is fetched
    choose(tab, "near.png")
    for path in ("prevalence", "card/*", "select"):
        tab.route(f"**/room/{path}", lambda route: held.append(route) if slow else route.continue_())
    slider = tab.locator("[data-part=prevalence]")
    for _ in range(5):
        slider.press("ArrowLeft")
    line = command_line(png(real["near"]), "--prevalence", "0.45")
    assert_numbers(whole(tab, "near.png"), line)
    tab.evaluate(SELECT, "late.png")
    late = command_line(data, "--prevalence", "0.45")
    card = tab.locator(f'{CARD}[data-whole="false"]')
    shown = percentages(late["probability"], {"balanced": late["threshold"]}).probability
    assert card.locator("[data-value=probability]").inner_text() == shown
    assert str(prevalence_words(0.45)) in card.locator(".number .title").inner_text()
    assert_numbers(choose(tab, "near.png"), line)
    slow.clear()
    for route in held:
        route.continue_()
    until(tab, "async () => (await (await window.cxrRoom.requests.get('rows?after=0')).json()).prevalence === 0.45")
    assert_numbers(choose(tab, "late.png"), late)
    assert_numbers(choose(tab, "near.png"), line)
    tab.unroute_all()
    tab.evaluate("() => window.cxrRoom.setPrevalence(0.5)")
    assert room.troubles == []


def test_rejected_images_are_seen_and_repaired(room, real, command_line):
    """A rotated image is shown with its reason; a click reads it as the upright one. Likewise inverted and cropped."""
    tab = room.tab
    upright = real["normal"]
    rotated, dark = png(np.rot90(upright)), png(255 - real["pneumonia"])
    drop(tab, {"rotated.png": rotated, "inverted.png": dark})
    refused = choose(tab, "rotated.png", "refused")
    assert refused.locator("[data-part=reason]").inner_text() == str(Message("checks.rotation.rejected"))
    assert refused.locator(".checks li").first.inner_text().startswith(str(Message("checks.rotation.title")))
    assert refused.locator("[data-value=probability]").count() == 0
    tab.locator("[data-part=stage][aria-busy=false]").wait_for()
    refused.locator("button.first[data-step=rotate_right]").click()
    repaired = whole(tab, "rotated.png")
    assert_numbers(repaired, command_line(rotated, "--repair", "rotate_right"))
    assert_numbers(repaired, command_line(png(upright)))
    assert repaired.locator("[data-part=note]").all_inner_texts() == [str(Message("imaging.repair.rotate_right"))]

    inverted = choose(tab, "inverted.png")
    assert str(Message("checks.inverted_greyscale.warning")) in inverted.inner_text()
    inverted.locator("details[data-part=repair] summary").click()
    assert inverted.locator("[data-step=invert]").count() == 0  # it was corrected; the user would see no change
    inverted.locator("[data-step=rotate_180]").click()
    twice = whole(tab, "inverted.png", "refused")
    assert twice.locator("[data-part=repaired]").inner_text() == str(Message("imaging.repair.rotate_180"))
    twice.locator("[data-step=invert]").click()
    until(tab, "() => [...window.cxrRoom.rows.values()].some((row) => row.repairs.join() === 'rotate_180,invert')")
    whole(tab, "inverted.png", "refused").locator("[data-step=rotate_180]").click()
    set_right = whole(tab, "inverted.png")
    assert_numbers(set_right, command_line(dark, "--repair", "invert"))
    assert_numbers(set_right, command_line(png(real["pneumonia"])))

    set_right.locator("[data-step=crop]").click()
    tab.locator("[data-part=take]").click()
    until(tab, "() => [...window.cxrRoom.rows.values()].some((row) => row.outcome && row.repairs.length === 2)")
    steps = tab.evaluate("() => [...window.cxrRoom.rows.values()].find((row) => row.name === 'inverted.png').repairs")
    assert [step.partition(":")[0] for step in steps] == ["crop", "invert"]
    assert_numbers(whole(tab, "inverted.png"), command_line(dark, "--repair", ",".join(steps)))
    whole(tab, "inverted.png").locator("[data-step=original]").click()
    until(tab, "() => [...window.cxrRoom.rows.values()].every((row) => row.repairs.length < 2)")
    assert whole(tab, "inverted.png").locator("[data-part=note]").count() == 0
    assert room.troubles == []


def test_copied_text_is_the_card(room, real, command_line):
    """At the prevalence of the page, with its disclaimer and what was done to the image."""
    tab = room.tab
    drop(tab, {"mirrored {probability}.png": png(real["pneumonia"][:, ::-1])})
    tab.evaluate("() => window.cxrRoom.setPrevalence(0.2)")
    card = choose(tab, "mirrored {probability}.png")
    assert card.locator("[data-share=right]").inner_text().startswith(f"{Message('card.share.right')}?")
    card.locator("[data-do=copy]").click()
    card.get_by_text(str(Message("card.copied"))).wait_for()
    text = tab.evaluate("() => navigator.clipboard.readText()")
    line = command_line(png(real["pneumonia"][:, ::-1]), "--prevalence", "0.2")
    points = dict(zip(("high_sensitivity", "balanced", "high_specificity"), edges(line), strict=True))
    shown = percentages(line["probability"], points)
    words = {"positive": "pneumonia", "prevalence": prevalence_words(0.2)}
    assert str(Message("card.text.number", probability=shown.probability, **words)) in text.splitlines()
    assert text.startswith(str(Message("card.text.title", disclaimer=DISCLAIMER)))
    assert "mirrored {probability}.png" in text
    assert "{" not in text.replace("{probability}.png", "")
    assert all(reason in text for reason in line["reasons"])
    assert shown.thresholds["high_specificity"] in text
    assert line["model"] in text
    tab.evaluate("() => window.cxrRoom.setPrevalence(0.5)")
    assert room.troubles == []


def test_an_unlike_image_says_so_first(room, real, command_line):
    """With the error rates of such images, and its number stands back."""
    tab = room.tab
    large = choose(tab, "normal.png").locator("[data-value=probability]").evaluate(SIZE)
    data = png(real["adult"])
    drop(tab, {"adult.png": data})
    card, line = choose(tab, "adult.png"), command_line(data)
    first = card.locator(":scope > *").first.inner_text()
    assert line["reasons"][0] in first
    assert line["reasons"][1] in first
    assert line["codes"][0] == "checks.unlike.clearly"
    assert card.locator("[data-value=probability]").evaluate(SIZE) < large / 2
    assert_numbers(card, line)
    assert room.troubles == []
