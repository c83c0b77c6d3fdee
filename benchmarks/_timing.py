"""What every benchmark needs: the best of several runs, and a plain table."""

from time import perf_counter

__all__ = ["best_of", "print_table"]


def best_of(function, repeats):
    """Return the shortest wall time of several calls, in seconds."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)


def print_table(head, rows):
    """Print rows of text under a head, columns as wide as they need."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells))
