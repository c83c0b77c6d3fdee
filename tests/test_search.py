"""ImbalanceSearchCV gives what GridSearchCV and RandomizedSearchCV give."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline as ImblearnPipeline
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from sklimb import (
    CalibratedLogitsClassifierCV,
    ClassWeightedClassifier,
    ImbalanceAwareClassifier,
    ImbalanceSearchCV,
    OptimalThresholdClassifierCV,
    PriorCorrectedClassifier,
    ResampledClassifier,
)
from tests.data import imbalanced

pytestmark = pytest.mark.filterwarnings("ignore::sklimb.exceptions.FewPositivesWarning")

X, y = imbalanced(400, prevalence_logit=-1.5)
LABELS = np.array(["no", "yes"])[y]
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(y))
GROUPS, CV, C = np.arange(len(y)) // 8, 3, [0.01, 1.0]


def logistic(**parameters):
    return LogisticRegression(**parameters)


def aware(**parameters):
    return ImbalanceAwareClassifier(LogisticRegression(), **{"cv": CV} | parameters)


def scaled(last, pipeline=Pipeline):
    return pipeline([("scale", StandardScaler()), ("clf", last)])


def assert_same_results(ours, theirs):
    """Compare all but times."""
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        if name == "params":
            assert list(map(str, ours[name])) == list(map(str, expected))
        elif name.startswith("param_"):
            assert list(map(str, ours[name])) == list(map(str, expected))
            assert (ours[name].mask == expected.mask).all()
        elif not name.endswith("_time"):
            np.testing.assert_allclose(ours[name], expected, atol=1e-12, err_msg=name)


def assert_same_best(ours, theirs, X=X):
    for name in ("best_index_", "best_score_", "n_splits_", "multimetric_"):
        assert hasattr(ours, name) == hasattr(theirs, name), name
        found, expected = (getattr(search, name, None) for search in (ours, theirs))
        assert found == expected or np.isnan([found, expected]).all(), name
    assert hasattr(ours, "best_params_") == hasattr(theirs, "best_params_")
    if hasattr(theirs, "best_params_"):
        assert str(ours.best_params_) == str(theirs.best_params_)
    assert hasattr(ours, "best_estimator_") == hasattr(theirs, "best_estimator_")
    if hasattr(theirs, "best_estimator_"):
        assert (ours.classes_ == theirs.classes_).all()
        assert (ours.predict(X) == theirs.predict(X)).all()


def both(estimator, grid, data=(X, y), fit=None, ours=None, **settings):
    """Return our search and scikit-learn's, after they were seen to be the same."""
    settings = {"cv": CV} | settings
    found = ImbalanceSearchCV(estimator, grid, **settings).fit(*data, **(fit or {}))
    expected = GridSearchCV(estimator, grid, **settings).fit(*data, **(fit or {}))
    assert_same_results(found.cv_results_, expected.cv_results_)
    assert_same_best(found, expected, data[0])
    return found, expected


WEIGHTS = [None, "balanced"]
# Estimators and their grids.
ESTIMATORS = {
    "plain": (logistic(), {"C": C, "class_weight": WEIGHTS}),
    "class weights": (
        ClassWeightedClassifier(logistic()),
        {"class_weight": [0.3, "balanced"], "estimator__C": C},
    ),
    "resampled": (
        ResampledClassifier(logistic(), random_state=0),
        {"sampler": ["over", "under"], "sampling_prior": [0.3, "uniform"]},
    ),
    "corrected": (
        PriorCorrectedClassifier(ClassWeightedClassifier(logistic())),
        {"target_prior": [0.1, 0.5], "estimator__class_weight": [0.3, 0.5]},
    ),
    "calibrated": (
        CalibratedLogitsClassifierCV(logistic(), cv=CV),
        {"method": ["temperature", "bias_corrected_temperature"]},
    ),
    "tuned": (
        OptimalThresholdClassifierCV(logistic(), cv=CV),
        {"scoring": ["f1", "balanced_accuracy"], "estimator__C": C},
    ),
    "flat, thresholds and priors": (
        aware(),
        {
            "class_weight": WEIGHTS,
            "threshold": [0.2, 0.5, "tune", None],
            "target_prior": ["empirical", 0.5],
        },
    ),
    "flat, costs": (
        aware(threshold="bayes"),
        {"cost_matrix": [[[0, 1], [5, 0]], [[0, 1], [2, 0]]], "class_weight": WEIGHTS},
    ),
    "flat, calibration": (
        aware(calibration="temperature"),
        {"calibration": [None, "temperature"], "threshold": [0.3, "tune"]},
    ),
    "transformer's parameters": (
        scaled(aware()),
        {"scale__with_mean": [True, False], "clf__threshold": [0.2, 0.5]},
    ),
    "transformers as values": (
        scaled(aware(threshold=0.3)),
        {"scale": ["passthrough", MinMaxScaler(), PCA(2)], "clf__sampler": [None]},
    ),
    "classifiers as values": (
        scaled(logistic()),
        {"clf": [aware(threshold=0.3), GaussianNB(), logistic(C=0.01)]},
    ),
    "classifiers inside as values": (
        aware(threshold=0.3),
        {"estimator": [GaussianNB(), logistic()], "class_weight": WEIGHTS},
    ),
    "imblearn's Pipeline": (
        ImblearnPipeline(
            [
                ("scale", StandardScaler()),
                ("over", RandomOverSampler(random_state=0)),
                ("clf", ClassWeightedClassifier(logistic())),
            ]
        ),
        {"over__sampling_strategy": [0.5, 1.0], "clf__class_weight": [0.4, 0.6]},
    ),
    "Pipeline in a Pipeline": (
        scaled(make_pipeline(PCA(2), aware(threshold=0.3))),
        {"clf__imbalanceawareclassifier__threshold": [0.2, 0.4]},
    ),
    "Pipeline inside": (
        aware().set_params(estimator=scaled(logistic())),
        {"estimator__clf__C": C, "threshold": [0.2, 0.4]},
    ),
    "frozen": (
        aware().set_params(estimator=FrozenEstimator(logistic().fit(X, y))),
        {"threshold": [0.2, 0.4], "target_prior": [0.1, 0.5]},
    ),
    "list of grids": (
        aware(),
        [{"threshold": [0.2, 0.4]}, {"class_weight": [0.3], "threshold": [0.3]}],
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_results_are_those_of_grid_search(name):
    both(*ESTIMATORS[name], scoring="balanced_accuracy", return_train_score=True)


def by_two(estimator, X, y):
    proba = estimator.predict_proba(X)[:, 1]
    return {"f1": f1_score(y, proba > 0.3), "mean": proba.mean()}


def cheapest(results):
    return int(np.argmax(results["mean_test_f1"]) * 0 + 1)


SCORINGS = {
    "default": {},
    "list": {"scoring": ["f1", "roc_auc"], "refit": "f1"},
    "dict": {
        "scoring": {"a": "average_precision", "b": make_scorer(f1_score)},
        "refit": False,
    },
    "callable": {"scoring": lambda e, X, y: e.predict_proba(X)[y == 1, 1].mean()},
    "callable of several": {"scoring": by_two, "refit": "mean"},
    "refit by a callable": {"scoring": ["f1", "roc_auc"], "refit": cheapest},
    "no refit": {"scoring": "f1", "refit": False},
    "no refit of several": {"scoring": by_two, "refit": False},
    "log-loss": {"scoring": "neg_log_loss"},
}


@pytest.mark.parametrize("name", SCORINGS)
@pytest.mark.parametrize("estimator", [aware(), scaled(aware())], ids=["", "Pipeline"])
def test_scorings_and_refits_are_those_of_grid_search(name, estimator):
    prefix = "clf__" if isinstance(estimator, Pipeline) else ""
    grid = {f"{prefix}threshold": [0.2, 0.5], f"{prefix}class_weight": WEIGHTS}
    both(estimator, grid, return_train_score=True, **SCORINGS[name])


SPLITTERS = {
    "default": None,
    "splitter": StratifiedKFold(4, shuffle=True, random_state=1),
    "unstratified": KFold(3),
    "iterable": list(KFold(2).split(X)),
    "overlapping": StratifiedShuffleSplit(3, test_size=0.4, random_state=0),
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_folds_are_those_of_grid_search(name):
    both(aware(), {"threshold": [0.2, 0.5]}, cv=SPLITTERS[name])


def test_folds_of_a_generator_are_read_once():
    ours = ImbalanceSearchCV(aware(), {"threshold": [0.2, 0.5]}, cv=KFold(3).split(X))
    theirs = GridSearchCV(aware(), {"threshold": [0.2, 0.5]}, cv=KFold(3).split(X))
    assert_same_results(ours.fit(X, y).cv_results_, theirs.fit(X, y).cv_results_)


def test_a_share_holds_out_rows_once():
    search = ImbalanceSearchCV(aware(), {"threshold": [0.2]}, cv=0.25, random_state=0)
    split = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    other = clone(search).set_params(cv=split)
    assert_same_results(search.fit(X, y).cv_results_, other.fit(X, y).cv_results_)
    assert search.n_splits_ == 1


RAND = {"C": loguniform(1e-3, 10), "class_weight": WEIGHTS}


@pytest.mark.parametrize("space", [RAND, [RAND, {"C": [1.0, 2.0]}], {"C": [1.0, 2.0]}])
def test_drawn_candidates_are_those_of_randomized_search(space):
    settings = {"n_iter": 2, "random_state": 3, "cv": CV}
    ours = ImbalanceSearchCV(logistic(), space, **settings).fit(X, y)
    theirs = RandomizedSearchCV(logistic(), space, **settings).fit(X, y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    assert_same_best(ours, theirs)


# Data and how they are given.
def frame(X):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(X, columns=["a", "b", "c"])


GIVEN = {
    "texts as labels": (X, LABELS),
    "lists": (X.tolist(), y.tolist()),
    "sparse": (sp.csr_matrix(X), y),
    "column": (X.astype("float32"), y),
}


@pytest.mark.parametrize("name", GIVEN)
def test_data_may_be_given_as_to_grid_search(name):
    last = aware(threshold=0.3)
    pipeline = scaled(last).set_params(scale__with_mean=False)
    both(last, {"class_weight": WEIGHTS}, GIVEN[name])
    both(pipeline, {"clf__class_weight": WEIGHTS}, GIVEN[name])


def test_columns_keep_their_names():
    ours, theirs = both(scaled(aware()), {"clf__threshold": [0.2]}, (frame(X), y))
    assert ours.n_features_in_ == theirs.n_features_in_ == 3
    assert (ours.feature_names_in_ == theirs.feature_names_in_).all()


def test_groups_reach_the_splitter():
    both(
        aware(),
        {"threshold": [0.2, 0.5]},
        fit={"groups": GROUPS},
        cv=GroupKFold(3),
    )


@pytest.mark.parametrize("weights", [WEIGHT, WEIGHT.round()])
def test_row_weights_count_as_in_grid_search(weights):
    grid = {"threshold": [0.2, "tune"], "class_weight": WEIGHTS}
    both(aware(), grid, fit={"sample_weight": weights})
    both(logistic(), {"C": C}, fit={"sample_weight": weights})


@pytest.mark.parametrize("last", [logistic(), aware(threshold=0.3)])
def test_row_weights_in_a_pipeline_are_its_last_steps(last):
    grid = {"scale__with_std": [True, False], "clf__class_weight": [None, "balanced"]}
    _, theirs = both(scaled(last), grid, fit={"clf__sample_weight": WEIGHT})
    short = ImbalanceSearchCV(scaled(last), grid, cv=CV)
    short.fit(X, y, sample_weight=WEIGHT)
    assert (short.predict(X) == theirs.predict(X)).all()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_metadata_are_routed(routing):
    scorer = make_scorer(f1_score).set_score_request(sample_weight=True)
    inner = logistic().set_fit_request(sample_weight=True)
    fit = {"sample_weight": WEIGHT, "groups": GROUPS}
    settings = {"scoring": scorer, "cv": GroupKFold(3), "fit": fit}
    both(inner, {"C": C}, **settings)
    outer = aware(threshold=0.3).set_params(estimator=inner)
    outer.set_fit_request(sample_weight=True)
    both(outer, {"class_weight": WEIGHTS}, **settings)
    pipeline = scaled(outer)
    pipeline["scale"].set_fit_request(sample_weight=False)
    both(pipeline, {"clf__threshold": [0.2, 0.5]}, **settings)


def test_weights_that_a_transformer_requested_reach_it(routing):
    scorer = make_scorer(f1_score).set_score_request(sample_weight=False)
    inner = logistic().set_fit_request(sample_weight=True)
    for last in (inner, ClassWeightedClassifier(inner, class_weight=0.4)):
        last = clone(last).set_fit_request(sample_weight=True)
        pipeline = scaled(last)
        pipeline["scale"].set_fit_request(sample_weight=True)
        grid = {"scale__with_std": [True, False]}
        ours, theirs = both(
            pipeline, grid, fit={"sample_weight": WEIGHT}, scoring=scorer
        )
        means = [s.best_estimator_["scale"].mean_ for s in (ours, theirs)]
        np.testing.assert_allclose(*means)


class Moody(ClassifierMixin, BaseEstimator):
    """Fails where it is told to."""

    def __init__(self, fails="never", level=0.0):
        self.fails = fails
        self.level = level

    def fit(self, X, y):
        few = len(y) < len(LABELS) * 0.67 and y.sum() % 2
        if self.fails == "always" or (self.fails == "at odds" and few):
            raise ValueError("in no mood")
        self.classes_ = np.unique(y)
        self.mean_ = np.mean(X)
        return self

    def predict(self, X):
        if self.fails == "predicting":
            raise ValueError("in no mood to predict")
        return (np.asarray(X)[:, 0] > self.level).astype(int)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the")
@pytest.mark.filterwarnings("ignore:Scoring failed")
@pytest.mark.parametrize("error_score", [np.nan, -1.0])
@pytest.mark.parametrize(
    "scoring", ["accuracy", ["accuracy", "f1"], lambda e, X, y: {"a": e.score(X, y)}]
)
def test_failed_fits_score_as_in_grid_search(error_score, scoring):
    fails = ["never", "at odds", "always"]
    # scikit-learn itself stumbles where one of several scores by a callable fails.
    fails += [] if callable(scoring) else ["predicting"]
    both(
        Moody(),
        {"fails": fails},
        scoring=scoring,
        error_score=error_score,
        refit=False,
        return_train_score=True,
    )


@pytest.mark.filterwarnings("ignore:One or more of the")
@pytest.mark.filterwarnings("ignore:Scoring failed")
def test_transformers_that_fail_on_new_rows_score_as_in_grid_search():
    words = np.array([["a"], ["b"]] * 200, dtype=object)
    words[0] = "only in the first fold"
    both(
        Pipeline([("encode", OneHotEncoder()), ("clf", aware(threshold=0.3))]),
        {"clf__class_weight": WEIGHTS},
        (words, y),
        refit=False,
        cv=KFold(3),
    )
