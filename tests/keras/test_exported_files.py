"""Exported files: replaced whole, checked when loaded; and what can't be exported."""

import json
import sys
from datetime import date

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    PriorCorrectedClassifier,
)
from sklimb._threshold_layer import FixedThresholdClassifier
from sklimb.keras import KerasClassifier, export, load
from sklimb.keras.decision_file import _own_checksum
from tests.keras.networks import X, frozen, logistic, y
from tests.keras.test_export import ending, flat, network, untrained

MODULE = sys.modules["sklimb.keras.export"]  # the name is also the function's


@pytest.fixture(scope="module")
def simple():
    return flat(frozen, threshold=0.4, target_prior=0.1)


def test_another_export_replaces_both_files_and_leaves_nothing_beside(tmp_path, simple):
    export(simple, tmp_path)
    export(untrained(logistic), tmp_path)
    assert load(tmp_path).threshold_ is None
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "decision.json",
        "model.keras",
    ]


def test_an_interrupted_export_is_found_out(tmp_path, simple, monkeypatch):
    export(simple, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "write_rule", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            export(untrained(logistic), tmp_path)
        with pytest.raises(ZeroDivisionError):
            export(simple, tmp_path / "new")
    with pytest.raises(ValueError, match=r"SHA-256 .* an export was interrupted"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"interrupted, export again"):
        load(tmp_path / "new")


def test_a_saved_model_gives_the_same_probabilities(tmp_path, simple):
    for _ in range(2):  # the second takes the first one's place
        export(simple, tmp_path, format="tf_saved_model")
    loaded = tf.saved_model.load(tmp_path / "saved_model")
    found = loaded.serve(tf.constant(X, tf.float32)).numpy()[:, 0]
    np.testing.assert_allclose(found, simple.predict_proba(X)[:, 1], atol=1e-6)
    rule = json.loads((tmp_path / "decision.json").read_text())
    assert "saved_model/saved_model.pb" in rule["model"]["sha256"]
    with pytest.raises(ValueError, match=r"format 'tf_saved_model', .*tf.saved_model"):
        load(tmp_path)


def cut_off(name, share=0.5):
    def damage(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return damage


def edited(signed=True, **changes):
    """Change fields; None takes one out. With ``signed``, their checksum too."""

    def damage(folder):
        path = folder / "decision.json"
        content = json.loads(path.read_text()) | changes
        content = {k: v for k, v in content.items() if v is not ...}
        if signed:
            content["sha256"] = _own_checksum(content)
        path.write_text(json.dumps(content))

    return damage


WRONG_MODEL = {"format": "keras", "sha256": {"../other.keras": "00"}}
VECTOR = {"prior": [0.8, 0.2], "method": "vector", "scale": [1, -1], "bias": [0, 0]}
DAMAGES = [
    (cut_off("decision.json"), "is no JSON"),
    (cut_off("decision.json", 0), "is no JSON"),
    (cut_off("model.keras"), "model.keras' has the SHA-256"),
    (lambda folder: (folder / "model.keras").unlink(), "model.keras' is missing"),
    (lambda folder: (folder / "decision.json").write_text("[1]"), "no decision file"),
    (lambda folder: (folder / "decision.json").write_text("NaN"), "NaN is no JSON"),
    (edited(signed=False, threshold=0.3), "content has not the `sha256`"),
    (edited(format_version=1), "`format_version`=1; this sklimb reads 2"),
    (edited(format_version=3), "`format_version`=3; this sklimb reads 2"),
    (edited(threshold=...), r"lacks \['threshold'\]"),
    (edited(treshold=0.3), r"has \['treshold'\], which mean nothing"),
    (edited(threshold=1.5), r"`threshold`=1.5 must be a number in \[0, 1\]"),
    (edited(threshold="0.5"), "`threshold`='0.5' must be a number"),
    (edited(threshold=True), "`threshold`=True must be a number"),
    (edited(threshold="always"), "`threshold`='always' must be a number"),
    (edited(threshold=[0.5, 0.5, 0.5]), "a list with one above 0 or 'never' for each"),
    (edited(threshold=[0.5, 0]), r"`threshold`=\[0.5, 0\] must be a number"),
    (edited(threshold=[0.5, True]), r"`threshold`=\[0.5, True\] must be a number"),
    (edited(threshold=["never", "never"]), r"`threshold`=\['never'.* must be a number"),
    (edited(cost_matrix=...), r"lacks \['cost_matrix'\]"),
    (edited(cost_matrix=[[0, 1]]), r"`cost_matrix`=\[\[0, 1\]\] must be a list of"),
    (edited(cost_matrix=[[0, True], [1, 0]]), "`cost_matrix`=.* must be a list of"),
    (edited(cost_matrix=[0, 1]), "`cost_matrix`=.* must be a list of numbers"),
    (edited(reject_cost=...), r"lacks \['reject_cost'\]"),
    (edited(reject_cost=1.5), "`reject_cost`=1.5 must be a number .in "),
    (edited(reject_cost="0.1"), "`reject_cost`='0.1' must be a number"),
    (edited(reject_cost=10**400), "`reject_cost`=1000.* must be a number"),
    (edited(reject_label="?"), r"`reject_label`='\?' must be a label .*where there is"),
    (edited(reject_cost=0.1, reject_label="no"), "`reject_label`='no' must be a label"),
    (edited(reject_cost=0.1, reject_label=["?"]), "`reject_label`=.* must be a label"),
    (edited(classes=["yes", "no"]), "must be two or more sorted labels"),
    (edited(classes=["no", 1]), "must be two or more sorted labels"),
    (edited(pos_label="maybe"), "`pos_label`='maybe' must be one of two `classes`"),
    (edited(target_prior=[0.9, 0.2]), r"`target_prior`=\[0.9, 0.2\] must be shares"),
    (edited(target_prior="uniform"), "`target_prior`='uniform' must be shares"),
    (edited(training_prior=[1, 0]), "`training_prior`=.* must be positive shares"),
    (edited(scoring=3), "`scoring`=3 must be a text"),
    (edited(calibration=VECTOR), "`calibration`=.* must be null, or prior, method"),
    (edited(output={"units": 3}), "`output`=.* must be an object with the number"),
    (edited(model=WRONG_MODEL), "`model`=.* must be a `format` and the `sha256`"),
    (edited(versions={"keras": 3}), "`versions`=.* must be an object of texts"),
    (edited(output={"units": 2}), r"outputs of shape \[\(None, 1\)\], .* 2 units"),
]


@pytest.fixture(scope="module")
def written(simple, tmp_path_factory):
    folder = export(simple, tmp_path_factory.mktemp("written"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("damage", "message"), DAMAGES, ids=[m for _, m in DAMAGES])
def test_files_that_are_not_as_written_are_an_error(tmp_path, written, damage, message):
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    damage(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load(tmp_path)


# What can't be exported


class Own(keras.layers.Layer):
    def call(self, inputs):
        return inputs


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1, "sigmoid")

    def call(self, inputs):
        return self.dense(inputs)


def own_function(x):
    return x


BINARY = "binary_crossentropy"


def unit():
    return keras.layers.Dense(1, "sigmoid")


def of(*layers):
    return lambda: untrained(ending(*layers, loss=BINARY))


def scaled():
    return Pipeline([("scale", StandardScaler()), ("clf", network(epochs=1))]).fit(X, y)


def moved_inside():
    inner = PriorCorrectedClassifier(FrozenEstimator(untrained(frozen)))
    made = CalibratedLogitsClassifierCV(inner, cv=2, random_state=0).fit(X, y)
    made.estimator_.set_target_prior(0.5)
    return made


def of_dates():
    days = np.array(["2020-01-01", "2021-01-01"], "datetime64[D]")
    return untrained(logistic, days[y])


def rejecting_as_a_date():
    inner = FrozenEstimator(untrained(frozen))
    model = FixedThresholdClassifier(
        inner, threshold=None, reject_cost=0.1, reject_label=date(2020, 1, 1)
    )
    return model.fit(X, y)


UNEXPORTABLE = [
    (scaled, ValueError, r"step scale=StandardScaler .* Put the preprocessing into"),
    (
        lambda: LogisticRegression().fit(X, y),
        TypeError,
        "LogisticRegression at its core",
    ),
    (lambda: keras.Sequential([unit()]), TypeError, "Sequential at its core"),
    (lambda: network(), NotFittedError, "not fitted"),
    (lambda: ClassWeightedClassifier(network()), NotFittedError, "not fitted"),
    (
        lambda: TunedThresholdClassifierCV(LogisticRegression()).fit(X, y),
        TypeError,
        "TunedThresholdClassifierCV at its core",
    ),
    (of(Own(), unit()), ValueError, "with Own 'own.*safe mode can't hold"),
    (
        of(keras.layers.Lambda(own_function), unit()),
        ValueError,
        "with Lambda 'lambda.*safe mode can't hold",
    ),
    (
        of(keras.layers.Dense(2, own_function), unit()),
        ValueError,
        "with own_function: code",
    ),
    (
        lambda: network(lambda: OwnModel(), loss=BINARY).initialize(X, y),
        ValueError,
        "network of the class OwnModel",
    ),
    (of(unit(), keras.layers.Flatten()), ValueError, "ends with Flatten .*no logits"),
    (moved_inside, ValueError, r"moved to the target prior \[0.5, 0.5\] after the"),
    (of_dates, TypeError, "of type date; a JSON file holds"),
    (rejecting_as_a_date, TypeError, "`reject_label`=.* is of type date; a JSON file"),
]


@pytest.mark.parametrize(
    ("make", "error", "message"), UNEXPORTABLE, ids=[m for *_, m in UNEXPORTABLE]
)
def test_what_cannot_be_exported_says_so(tmp_path, make, error, message):
    made = make()
    with pytest.raises(error, match=message):
        export(made, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


class Contrary(ClassWeightedClassifier):
    def predict(self, X):
        return 1 - super().predict(X)


class Sharper(ClassWeightedClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X) ** 2


class OwnNetwork(KerasClassifier):
    def predict(self, X):
        return 1 - super().predict(X)


def test_what_predicts_in_its_own_way_is_an_error(tmp_path, monkeypatch):
    inner = FrozenEstimator(untrained(frozen))
    for made in [
        Contrary(inner).fit(X, y),
        Sharper(inner).fit(X, y),
        OwnNetwork(frozen).initialize(X, y),
    ]:
        with pytest.raises(TypeError, match=r"own `predict.*` \(in tests.*Export the"):
            export(made, tmp_path)
    # Such classes of sklimb, which are to come, are no surprise either.
    for cls, message in [(Contrary, "another rule than"), (Sharper, "not known to be")]:
        made = cls(inner).fit(X, y)
        for method in vars(cls).values():
            if callable(method):
                monkeypatch.setattr(method, "__module__", "sklimb.new")
        with pytest.raises(TypeError, match=message):
            export(made, tmp_path)


@pytest.mark.parametrize("path", ["model.keras", "file"])
def test_the_path_is_a_folder(tmp_path, simple, path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file, or named like one"):
        export(simple, tmp_path / path)


def test_formats_that_are_not_there_say_what_to_do(tmp_path, simple, monkeypatch):
    with pytest.raises(ValueError, match=r"`format`='pmml' is not known. Use one of"):
        export(simple, tmp_path, format="pmml")
    monkeypatch.setattr(MODULE, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs tf2onnx and onnx.*pip install"):
        export(simple, tmp_path, format="onnx")
