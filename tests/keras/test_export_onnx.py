"""An exported ONNX file gives the fitted object's probabilities in its own runtime."""

import json

import numpy as np
import pytest

from sklimb import ImbalanceAwareClassifier
from sklimb.keras import KerasClassifier, export
from tests.keras.networks import logistic

WHY = "the extra onnx is not installed"
onnxruntime = pytest.importorskip("onnxruntime", reason=WHY)
pytest.importorskip("tf2onnx", reason=WHY)

# tf2onnx 1.17 still asks NumPy for names that it removed.
pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.:FutureWarning")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_onnx_gives_the_same_probabilities(tmp_path, n_classes):
    random = np.random.default_rng(0)
    y = np.minimum(random.choice(3, 400, p=[0.7, 0.2, 0.1]), n_classes - 1)
    X = (random.normal(size=(400, 3)) + y[:, None]).astype(np.float32)
    fitted = ImbalanceAwareClassifier(
        KerasClassifier(logistic, random_state=0),
        class_weight="balanced",
        calibration="temperature",
        threshold=None,
    ).fit(X, y)
    folder = export(fitted, tmp_path / "exported", format="onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    name = session.get_inputs()[0].name
    found = session.run(None, {name: X})[0]
    expected = fitted.predict_proba(X)
    if n_classes == 2:
        expected = expected[:, 1:]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    written = json.loads((folder / "decision.json").read_text())
    assert written["model"]["format"] == "onnx"
