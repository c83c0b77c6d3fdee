"""What ``sklimb diagnose --out`` writes."""

import json
from dataclasses import asdict
from math import isfinite

import numpy as np

from sklimb._files import replacing
from sklimb.report.diagnosis_page import diagnosis_page
from sklimb.report.versions import versions

__all__ = ["write"]


def write(folder, diagnosis, dataset, command, model):
    """Write ``diagnosis.json`` and ``diagnosis.html``.

    Parameters
    ----------
    folder : Path
    diagnosis : Diagnosis
    dataset : Dataset
    command : str
        The command line.
    model : str
        As given by ``--model``.

    Returns
    -------
    list of Path
        The files.
    """
    numbers = json.dumps(
        _numbers(diagnosis, dataset, command, model), indent=2, allow_nan=False
    )
    texts = {
        "diagnosis.json": numbers + "\n",
        # Last: it takes longest, and the numbers are safe if it fails.
        "diagnosis.html": None,
    }
    paths = []
    for name, text in texts.items():
        text = diagnosis_page(diagnosis, dataset, command) if text is None else text
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
        paths.append(folder / name)
    return paths


def _numbers(diagnosis, dataset, command, model):
    return {
        "data": dataset.name,
        "rows": diagnosis.n_rows,
        "rows_fitted": diagnosis.n_fitted,
        "model": model,
        "auc": plain(diagnosis.auc),
        "findings": [plain(asdict(finding)) for finding in diagnosis.findings],
        "notes": [*dataset.notes, *diagnosis.notes],
        "results": {
            name: {"sentence": found.sentence, "rows": plain(found._rows())}
            for name, found in diagnosis.results.items()
        },
        "command": command,
        "versions": versions(),
    }


def plain(value):
    """Return a value as JSON has it; numbers that are not finite are None.

    Parameters
    ----------
    value : object

    Returns
    -------
    object
    """
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
