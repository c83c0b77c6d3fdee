"""Numbers as short as a narrow table needs them, and as a report shows them."""

from math import floor, isnan, log10

__all__ = ["figure", "interval", "percent", "short"]


def short(value):
    """Return a number with three figures.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.numbers import short
    >>> [short(x) for x in (0.8731, 1, 0.00123, 20.71, 234.6, -0.02)]
    ['.873', '1.00', '.001', '20.7', '235', '-.020']
    """
    for limit, decimals in ((0.9995, 3), (9.995, 2), (99.95, 1)):
        if abs(value) < limit:
            text = f"{abs(value):.{decimals}f}".removeprefix("0")
            return f"-{text}" if value < 0 else text
    return f"{value:.0f}"


def interval(estimate, scale=1):
    """Return the interval of an estimate, as ``low-high``.

    Parameters
    ----------
    estimate : Estimate
    scale : float, default=1
        What to multiply by.

    Returns
    -------
    str
    """
    low, high = (short(end * scale) for end in estimate.interval)
    return f"{low}-{high}"


def figure(value):
    """Return a number from 0 on with three figures, thousands in full.

    Parameters
    ----------
    value : float
        nan for what there is none of.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.numbers import figure
    >>> [figure(x) for x in (0.39271, 9876.5, 120.4, 1, 0, 0.0000123)]
    ['0.393', '9,876', '120', '1.00', '0', '0.0000123']
    """
    if isnan(value):
        return "\N{EN DASH}"
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - floor(log10(value)))}f}"


def percent(share):
    """Return a share in percent, with three figures.

    Parameters
    ----------
    share : float

    Returns
    -------
    str

    Examples
    --------
    >>> from sklimb.report.numbers import percent
    >>> percent(1 / 101)
    '0.990 %'
    """
    return f"{figure(100 * share)} %"
