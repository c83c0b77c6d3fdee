"""``--target-prior``: class shares where the model is used, as text."""

import re

from sklimb.report.errors import InputError
from sklimb.report.labels import find_label, listed_labels

__all__ = ["parse_prior", "parse_share"]

# A label may hold commas and equals signs itself.
_PAIR = re.compile(r"\s*(?P<label>.+?)\s*=\s*(?P<share>[^=,]*?)\s*(?:,|$)")
_ROUNDING = 1e-6
OPTION = "--target-prior"


def parse_prior(text, labels, positive=None):
    """Return the class shares that a text stands for.

    Parameters
    ----------
    text : str
        For two classes the share of positives, as :func:`parse_share` takes it;
        for any number of them pairs ``label=share``, separated by commas. One
        missing label takes the rest.
    labels : list
        The target's.
    positive : label, default=None
        Of two classes the positive one.

    Returns
    -------
    dict of label to float
        In the order of ``labels``.

    Raises
    ------
    InputError
        If the text is neither, or the shares are not those of all classes.

    Examples
    --------
    >>> from sklimb.report.priors import parse_prior
    >>> parse_prior("cat=0.25,dog=50%", ["ant", "cat", "dog"])
    {'ant': 0.25, 'cat': 0.25, 'dog': 0.5}
    >>> parse_prior("1:99", ["good", "bad"], positive="bad")
    {'good': 0.99, 'bad': 0.01}
    """
    if "=" in text:
        return _complete(_pairs(text, labels), labels)
    share = parse_share(text, OPTION)
    if len(labels) > 2:
        raise InputError(
            f"--target-prior: {text!r} is the share of one class, and the target has "
            f"{len(labels)}. Give pairs, such as {_example(labels)!r}; one missing "
            "class takes the rest."
        )
    return {label: share if label == positive else 1 - share for label in labels}


def parse_share(text, option):
    """Return the share that a text stands for.

    Parameters
    ----------
    text : str
        A number as ``"0.01"``, a percentage as ``"1%"``, or odds as ``"1:99"``: one
        to ninety-nine others.
    option : str
        Where the text was given, for errors.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If it is none of these, or does not lie between 0 and 1.

    Examples
    --------
    >>> from sklimb.report.priors import parse_share
    >>> [parse_share(text, "--prior") for text in ("0.01", "1 %", "1:99")]
    [0.01, 0.01, 0.01]
    """
    share = _share_or_none(text.strip())
    if share is None or not 0 < share < 1:
        raise InputError(
            f"{option}: {text!r} is not a share between 0 and 1, both excluded. Write "
            "it as 0.01, 1% or 1:99."
        )
    return share


def _share_or_none(text):
    try:
        if text.endswith("%"):
            return float(text[:-1]) / 100
        if ":" in text:
            own, others = (float(part) for part in text.split(":"))
            return own / (own + others) if min(own, others) > 0 else None
        return float(text)
    except ValueError:
        return None


def _pairs(text, labels):
    pairs, end = {}, 0
    for pair in _PAIR.finditer(text):
        if pair.start() != end:
            break
        label, end = find_label(pair["label"], labels, "--target-prior"), pair.end()
        if label in pairs:
            raise InputError(f"--target-prior: {label!r} has two shares. Give one.")
        pairs[label] = parse_share(pair["share"], OPTION)
    if end != len(text):
        raise InputError(
            f"--target-prior: {text[end:]!r} is no pair label=share. Write pairs such "
            f"as {_example(labels)!r}."
        )
    return pairs


def _complete(pairs, labels):
    missing = [label for label in labels if label not in pairs]
    total = sum(pairs.values())
    if len(missing) > 1:
        raise InputError(
            f"--target-prior: {listed_labels(missing)} have no share. Give one for all "
            "classes, or for all but one, which takes the rest."
        )
    if missing and total < 1 - _ROUNDING:
        pairs = {**pairs, missing[0]: 1 - total}
    elif missing or abs(total - 1) > _ROUNDING:
        rest = f", which leaves nothing for {missing[0]!r}" if missing else ""
        raise InputError(
            f"--target-prior: the shares sum to {total:.6g}{rest}. All classes' sum to "
            "1; leave one class out to give it the rest."
        )
    return {label: pairs[label] / sum(pairs.values()) for label in labels}


def _example(labels):
    """Return pairs for all classes but the last, of equal shares."""
    share = f"{1 / len(labels):.2g}"
    return ",".join(f"{label}={share}" for label in labels[:-1][:3])
