"""What all displays have in common."""

from sklimb.display._loading import loaded

__all__ = ["Display"]


class Display:
    """A picture of numbers: ``plot`` draws it, ``to_frame`` tells them.

    A subclass gives its numbers by ``_columns()``.
    """

    def to_frame(self):
        """Return the numbers of the picture as a pandas frame, a row for each.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            If pandas can't be imported.
        """
        pandas = loaded("pandas", f"{type(self).__name__}.to_frame")
        return pandas.DataFrame(self._columns())

    def _columns(self):
        """Return a mapping of columns, of one length."""
        raise NotImplementedError
