# `make demo` and `make test` need Python 3.10 to 3.13 and make; each sets up
# what it runs in.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST := -m pytest -n 2
# Debian's names.
BROWSER := chromium chromium-driver

.PHONY: browser demo test test-browser test-oldest gallery lint format clean

demo: $(VENV)/installed
	$(BIN)/sklimb demo

test: $(VENV)/installed
	$(BIN)/python $(PYTEST)

# Headless Chromium and what drives it.
browser: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable ".[test,browser]"
	@command -v chromedriver > /dev/null || { [ "$$(id -u)" = 0 ] \
		&& command -v apt-get > /dev/null && apt-get update --quiet \
		&& apt-get install --yes --no-install-recommends $(BROWSER); } || { \
		echo "No browser. Install the packages $(BROWSER), or what your system"; \
		echo "calls Chromium and its chromedriver, and try again."; exit 1; }

# Reports in a browser.
test-browser: browser
	$(BIN)/python -m pytest tests/report/test_browser.py

# The pictures of docs/gallery.md.
gallery: browser
	$(BIN)/python -m tools.gallery
	$(BIN)/python -m tools.report_pictures

test-oldest: $(VENV)-oldest/installed
	$(VENV)-oldest/bin/python $(PYTEST)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[test,lint,onnx,dask]"
	touch $@

# Every dependency exactly on its lower bound.
$(VENV)-oldest/installed: pyproject.toml tools/lower_bounds.py
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python tools/lower_bounds.py report test > $(VENV)-oldest/floors.txt
	$(VENV)-oldest/bin/python -m pip install --quiet -r $(VENV)-oldest/floors.txt
	$(VENV)-oldest/bin/python -m pip install --quiet --no-deps --editable .
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-oldest build dist *.egg-info
