"""A decision rule as code that loads it, and as code that trains it again."""

from sklimb.thresholds import ThresholdRule

__all__ = ["loading_code", "training_code"]

LOADING = """\
import json

from sklimb.thresholds import ThresholdRule

with open("decision_rule.json", encoding="utf-8") as file:
    rule = json.load(file)["decision_rule"]

names = {names}
decide = ThresholdRule.from_dict({{name: rule[name] for name in names}})
labels = decide(proba)  # probabilities at rule["target_prior"]
"""
TRAINING = """\
{imports}
model = ImbalanceAwareClassifier(
    classifier,  # yours, with predict_proba
{parameters}
).fit(X, y)
print(model.decision_rule_)
"""
SMOTE = "from imblearn.over_sampling import SMOTE\n"
OURS = "from sklimb import ImbalanceAwareClassifier\n"


def loading_code():
    """Return Python that makes a rule of ``decision_rule.json``.

    Returns
    -------
    str
        Where ``proba`` stands for probabilities.
    """
    names = list(ThresholdRule([0, 1]).to_dict())
    half = len(names) // 2
    lines = [", ".join(map(_quoted, part)) for part in (names[:half], names[half:])]
    return LOADING.format(names="[\n    " + ",\n    ".join(lines) + ",\n]")


def training_code(strategy, options):
    """Return Python that trains a strategy on other rows.

    Parameters
    ----------
    strategy : Strategy
    options : Options

    Returns
    -------
    str
        Where ``classifier``, ``X`` and ``y`` stand for the user's.
    """
    parameters = strategy.parameters(options) | {
        "pos_label": options.positive,
        "random_state": options.seed,
    }
    lines = [f"    {name}={_code(value)}," for name, value in parameters.items()]
    code = "\n".join(lines)
    imports = [SMOTE] if "SMOTE()" in code else []
    return TRAINING.format(imports="".join([*imports, OURS]), parameters=code)


def _quoted(name):
    return f'"{name}"'


def _code(value):
    # Texts as the formatters write them; labels may hold anything.
    plain = isinstance(value, str) and value.isidentifier()
    return _quoted(value) if plain else repr(value)
