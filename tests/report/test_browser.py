"""Reports in a browser: what their script does, and who can read them."""

import csv
import json
import math
import re
import shutil

import numpy as np
import pytest

from sklimb.metrics import project_confusion_matrix
from tests.report.evil import (
    CLOSING,
    FILE,
    IMAGE,
    SCRIPT,
    write_diagnosis,
    write_reports,
)

selenium = pytest.importorskip("selenium", reason="needs selenium: make test-browser")

from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import NoAlertPresentException  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE, PAPER = 1280, 375, 688  # the last: A4 between its margins


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    write_reports(folder)
    write_diagnosis(folder)
    return folder


@pytest.fixture(scope="module")
def browser():
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("needs chromium and chromedriver: make test-browser")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability(
        "goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"}
    )
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture(params=["two", "several"])
def path(request, folder):
    return folder / request.param / "report.html"


PAGES = ["two/report.html", "several/report.html", "diagnosis/diagnosis.html"]


@pytest.fixture(params=PAGES, ids=lambda name: name.partition("/")[0])
def any_page(request, folder):
    return folder / request.param


def show(browser, path, width=WIDE, media="screen"):
    """Load a report in a window of a width."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1}
    mobile = {"mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size | mobile)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
    for log in ("browser", "performance"):
        browser.get_log(log)  # which empties it
    browser.get(path.as_uri())


def value_of(browser, css):
    return float(browser.find_element(By.CSS_SELECTOR, css).get_attribute("value"))


def numbers_of(browser):
    text = browser.execute_script(
        "return document.getElementById('what-if-numbers').textContent"
    )
    return json.loads(text)


def move(browser, identifier, value):
    """Set a control as a user does, with its event."""
    browser.execute_script(
        "const c = document.getElementById(arguments[0]); c.value = arguments[1];"
        "c.dispatchEvent(new Event('input', {bubbles: true}));",
        identifier,
        value,
    )


def projected(numbers, share, place, strategy):
    """Return the counts in 10,000 rows, by the library."""
    prior = np.array(numbers["prior"])
    prior = prior * (1 - share) / (1 - prior[place])
    prior[place] = share
    counts = np.array(numbers["confusions"][strategy])
    return project_confusion_matrix(counts, prior) / counts.sum() * 10_000


def shown_matrix(browser, n_classes):
    return np.array(
        [
            [value_of(browser, f"[data-cell='{i},{j}']") for j in range(n_classes)]
            for i in range(n_classes)
        ]
    )


def test_a_page_loads_without_errors_and_without_requests(browser, any_page):
    show(browser, any_page)
    assert browser.get_log("browser") == []
    events = [
        json.loads(e["message"])["message"] for e in browser.get_log("performance")
    ]
    requested = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert requested == {any_page.as_uri()}
    assert browser.find_element(By.ID, "main").is_displayed()


def test_at_first_it_shows_what_the_table_has(browser, folder):
    show(browser, folder / "two" / "report.html")
    with open(folder / "two" / "comparison.csv", encoding="utf-8") as file:
        (row,) = [row for row in csv.DictReader(file) if row["use_this"] == "1"]
    for name in ("precision", "recall", "cost"):
        shown = value_of(browser, f"#figure-{name}")
        assert shown == pytest.approx(float(row[name]), rel=1e-12)


@pytest.mark.parametrize("odds", [-5, -2, -1.37, 0])
def test_the_slider_moves_precision_to_the_projected_number(browser, folder, odds):
    show(browser, folder / "two" / "report.html")
    numbers = numbers_of(browser)
    place, share = numbers["place"], 10**odds / (1 + 10**odds)
    for strategy in range(len(numbers["confusions"])):
        Select(browser.find_element(By.ID, "strategy")).select_by_index(strategy)
        move(browser, "odds", odds)
        matrix = projected(numbers, share, place, strategy)
        assert shown_matrix(browser, 2) == pytest.approx(matrix, rel=1e-12)
        alarms = matrix[:, place].sum()
        precision = matrix[place, place] / alarms
        shown = value_of(browser, "#figure-precision")
        assert shown == pytest.approx(precision, rel=1e-12)
        assert value_of(browser, "#figure-alarms") == pytest.approx(alarms, rel=1e-12)
        false, missed = matrix[1 - place, place], matrix[place, 1 - place]
        cost = (false + 7 * missed) / 10_000
        assert value_of(browser, "#figure-cost") == pytest.approx(cost, rel=1e-12)
    words = browser.find_element(By.ID, "summary").text
    digits = max(0, 2 - math.floor(math.log10(precision)))
    assert f"precision {precision:.{digits}f}, " in words


def test_any_class_of_several_can_move(browser, folder):
    show(browser, folder / "several" / "report.html")
    numbers = numbers_of(browser)
    for place in range(3):
        Select(browser.find_element(By.ID, "moved")).select_by_value(str(place))
        move(browser, "share", "1:99")
        matrix = projected(numbers, 0.01, place, numbers["chosen"])
        assert shown_matrix(browser, 3) == pytest.approx(matrix, rel=1e-12)
        precisions = np.diagonal(matrix) / matrix.sum(axis=0)
        for other in range(3):
            shown = value_of(browser, f"[data-precision='{other}']")
            assert shown == pytest.approx(precisions[other], rel=1e-12)
        shown = value_of(browser, "#figure-precision")
        assert shown == pytest.approx(precisions[place], rel=1e-12)


def test_the_slider_moves_by_the_keyboard(browser, folder):
    show(browser, folder / "two" / "report.html")
    slider = browser.find_element(By.ID, "odds")
    move(browser, "odds", -2)
    before = value_of(browser, "#figure-precision")
    browser.find_element(By.ID, "cost-fn").send_keys(Keys.TAB)
    assert browser.switch_to.active_element == slider
    slider.send_keys(Keys.ARROW_RIGHT * 3)
    share = 10**-1.97 / (1 + 10**-1.97)
    numbers = numbers_of(browser)
    place = numbers["place"]
    matrix = projected(numbers, share, place, numbers["chosen"])
    precision = matrix[place, place] / matrix[:, place].sum()
    shown = value_of(browser, "#figure-precision")
    assert shown == pytest.approx(precision, rel=1e-12)
    assert shown > before
    assert slider.get_attribute("aria-valuetext").startswith("1:93.3, ")


@pytest.mark.parametrize(("text", "odds"), [("1:99", -1.9956), ("50 %", 0), (".5", 0)])
def test_a_prevalence_can_be_written(browser, folder, text, odds):
    show(browser, folder / "two" / "report.html")
    move(browser, "share", text)
    assert value_of(browser, "#odds") == pytest.approx(odds, abs=0.006)
    assert not browser.find_element(By.ID, "share-error").is_displayed()


@pytest.mark.parametrize("text", ["", "much", "0", "1", "120%", "1:2:3", "-0.1"])
def test_what_is_no_prevalence_is_said_and_changes_nothing(browser, folder, text):
    show(browser, folder / "two" / "report.html")
    before = value_of(browser, "#figure-precision")
    move(browser, "share", text)
    assert browser.find_element(By.ID, "share-error").is_displayed()
    field = browser.find_element(By.ID, "share")
    assert field.get_attribute("aria-invalid") == "true"
    assert value_of(browser, "#figure-precision") == before
    move(browser, "share", "0.2")
    assert field.get_attribute("aria-invalid") == "false"


@pytest.mark.parametrize("width", [WIDE, PHONE, 320])
def test_a_page_never_scrolls_sideways(browser, any_page, width):
    show(browser, any_page, width)
    needed, there = browser.execute_script(
        "const page = document.scrollingElement;"
        "return [page.scrollWidth, page.clientWidth]"
    )
    assert needed <= there <= width


def test_on_paper_no_table_is_cut_off_and_no_control_is_left(browser, path):
    show(browser, path, PAPER, media="print")
    assert not browser.find_element(By.ID, "what-if").is_displayed()
    tables = browser.find_elements(By.CSS_SELECTOR, "section table, pre")
    shown = [table for table in tables if table.is_displayed()]
    assert len(shown) >= 4
    for table in shown:
        assert table.rect["x"] + table.rect["width"] <= PAPER + 0.5


def test_without_its_script_a_report_has_the_tables_alone(browser, path, tmp_path):
    text = path.read_text(encoding="utf-8")
    without, n_scripts = re.subn(r"<script>.*?</script>", "", text, flags=re.S)
    assert n_scripts == 1
    copy = tmp_path / "report.html"
    copy.write_text(without, encoding="utf-8")
    show(browser, copy)
    assert not browser.find_element(By.ID, "what-if").is_displayed()
    assert browser.find_element(By.ID, "shares-1").is_displayed()


def test_names_that_are_markup_do_nothing_and_are_shown(browser, any_page):
    show(browser, any_page)
    with pytest.raises(NoAlertPresentException):
        browser.switch_to.alert.text  # noqa: B018
    text = browser.find_element(By.TAG_NAME, "body").text
    names = {
        "two": [IMAGE, CLOSING, FILE, f"{SCRIPT} again"],
        "several": [IMAGE, SCRIPT],
        "diagnosis": [FILE, f"{SCRIPT} again"],
    }
    for name in names[any_page.parent.name]:
        assert name in text
    assert browser.find_elements(By.TAG_NAME, "img") == []


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_axe_finds_no_serious_violation(browser, any_page, width):
    axe = pytest.importorskip("axe_core_python.selenium", reason="make test-browser")
    show(browser, any_page, width)
    found = axe.Axe().run(browser)
    serious = [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert len(found["passes"]) > 20
