"""Photograph a report for docs/gallery.md, on a wide screen and on a phone.

Run ``python -m tools.report_pictures [FOLDER]``; the pictures go to docs/gallery, or
to the folder. Needs selenium, chromium and chromedriver: ``make gallery`` brings them.
"""

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from sklearn.datasets import load_digits

from sklimb.__main__ import main

FOLDER = Path(__file__).parents[1] / "docs" / "gallery"
DIGIT = 8
# Names, and what is seen of the page: width and height in pixels.
VIEWS = {"report": (1100, 1750), "report_narrow": (375, 1750)}
COLOURS = 32  # which text and lines need, in a small file


def write_report(folder):
    """Compare strategies on scikit-learn's digits, and return the report's path."""
    rows = load_digits(as_frame=True).data
    rows["is_8"] = load_digits().target == DIGIT
    rows.to_csv(folder / "digits.csv", index=False)
    arguments = ["--target", "is_8", "--model", "linear", "--target-prior", "1:99"]
    failed = main(
        ["compare", str(folder / "digits.csv"), *arguments, "--out", str(folder)]
    )
    if failed:
        raise SystemExit(failed)
    return folder / "report.html"


def photograph(path, folder):
    """Write pictures of a page into a folder, and return their names."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as browser:
        browser.get(path.as_uri())
        return [
            _photograph(browser, folder / f"{name}.png", *size)
            for name, size in VIEWS.items()
        ]


def _photograph(browser, path, width, height):
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
    picture = Image.open(io.BytesIO(base64.b64decode(taken))).convert("RGB")
    picture.quantize(COLOURS).save(path, optimize=True)
    return path.name


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
        for written in photograph(write_report(Path(made)), folder):
            print(written)
