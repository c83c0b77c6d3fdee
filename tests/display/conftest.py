import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    plt.close("all")


@pytest.fixture
def axes():
    """Axes of a figure that was there before."""
    return plt.subplots(figsize=(5, 3.6), layout="constrained")[1]
