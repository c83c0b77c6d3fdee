"""Numbers as short as a narrow table needs them."""

__all__ = ["interval", "short"]


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
