import gzip

import numpy as np
import pandas as pd
import pytest

from sklimb.report import InputError
from sklimb.report.reading import _part, read

TABLE = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["x", "y", None], "target": [0, 1, 0]})


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.csv", lambda path: TABLE.to_csv(path, index=False)),
        ("t.CSV.gz", lambda path: TABLE.to_csv(path, index=False, compression="gzip")),
        ("t.tsv", lambda path: TABLE.to_csv(path, index=False, sep="\t")),
        ("t.parquet", lambda path: TABLE.to_parquet(path)),
        ("t.v2.pq", lambda path: TABLE.to_parquet(path)),
    ],
)
def test_every_table_format_gives_the_same_rows(tmp_path, name, write):
    write(tmp_path / name)
    X, y = read(tmp_path / name, "target")
    assert list(X.columns) == ["a", "b"]
    assert X["a"].tolist() == [1.5, 2.5, 3.5]
    assert X["b"].isna().tolist() == [False, False, True]
    assert y.tolist() == [0, 1, 0]


@pytest.mark.parametrize("features", ["x", "X"])
def test_npz_keeps_the_axes_of_its_rows(tmp_path, features):
    arrays = {features: np.zeros((4, 3, 2)), "label": np.array([0, 1, 0, 1])}
    np.savez(tmp_path / "t.npz", **arrays)
    X, y = read(tmp_path / "t.npz", "label")
    assert X.shape == (4, 3, 2)
    assert y.tolist() == [0, 1, 0, 1]


def test_unknown_is_a_level_and_not_missing(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("job,target\nunknown,0\n,1\nclerk,0\n")
    X, _ = read(path, "target")
    assert X["job"].isna().tolist() == [False, True, False]


def _write_text(text):
    return lambda path: path.write_text(text)


def _write_bytes(content):
    return lambda path: path.write_bytes(content)


def _write_npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def _write_truncated_gzip(path):
    path.write_bytes(gzip.compress(b"a,target\n" + b"1,0\n" * 1000)[:40])


BAD_FILES = [
    ("gone.csv", lambda path: None, "'.*gone.csv' does not exist"),
    ("folder.csv", lambda path: path.mkdir(), "is a folder"),
    ("t.xlsx", _write_text("x"), "'t.xlsx' is of no known format.*.parquet"),
    ("noending", _write_text("x"), "is of no known format"),
    ("t.npz.gz", _write_text("x"), "is of no known format"),
    ("t.csv", _write_text(""), "'t.csv' is empty"),
    ("t.csv", _write_text("a,target\n"), "has no rows below its header"),
    ("t.csv", _write_text("a,b\n1,2\n"), "--target: 't.csv' has no column 'target'"),
    ("t.csv", _write_text("a,taret\n1,2\n"), "Did you mean 'taret'?"),
    ("t.csv", _write_text("a;target\n1;2\n"), "separate them by commas"),
    ("t.csv", _write_text('a,target\n"1,2\n3,4\n'), "can't be read as CSV"),
    ("t.csv", _write_text("a,target\n1,0,2,3\n1,2\n3,4,5,6,7\n"), "read as CSV"),
    ("t.csv", _write_bytes(b"a,target\n\xff\xfe\xfa,1\n"), "CSV in UTF-8.*codec"),
    ("t.csv.gz", _write_text("a,target\n1,0\n"), "can't be read as CSV"),
    ("t.csv.gz", _write_truncated_gzip, "can't be read as CSV"),
    ("t.parquet", _write_text("not parquet at all"), "can't be read as Parquet"),
    ("t.parquet", _write_bytes(b""), "can't be read as Parquet"),
    ("t.npz", _write_text("not a zip"), "can't be read as NPZ"),
    ("t.npz", _write_npz(z=[1.0], target=[1]), "DATA: .* no array 'X' or 'x'"),
    ("t.npz", _write_npz(x=np.eye(2), y=[0, 1]), "no array 'target'.*It has x, y"),
    ("t.npz", _write_npz(x=[1.0], target=[1]), r"'x' of 't.npz' has shape \(1,\)"),
    ("t.npz", _write_npz(x=[["a"]], target=[1]), "expected numbers"),
    ("t.npz", _write_npz(x=np.eye(2), target=[1]), r"shape \(1,\); expected \(2,\)"),
]


@pytest.mark.parametrize(("name", "write", "message"), BAD_FILES)
def test_unusable_files_are_named_with_the_remedy(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, "target")


def test_column_names_of_other_types_become_texts(tmp_path):
    pd.DataFrame({0: [1.5, 2.5], 1: [0, 1]}).to_parquet(tmp_path / "t.parquet")
    X, y = read(tmp_path / "t.parquet", "1")
    assert list(X.columns) == ["0"]
    assert y.tolist() == [0, 1]


def test_columns_that_share_a_name_are_an_error(tmp_path):
    table = pd.DataFrame([[1, 2, 0]], columns=["a", "b", "target"])
    table.rename(columns={"b": "a"}).to_csv(tmp_path / "t.csv", index=False)
    assert list(read(tmp_path / "t.csv", "target")[0].columns) == ["a", "a.1"]
    with pytest.raises(InputError, match=r"several columns called 'a'\. Rename them"):
        _part(table.rename(columns={"b": "a"}), "target", tmp_path / "t.parquet")


class _Dangerous:
    def __reduce__(self):
        return (pytest.fail, ("an object was unpickled",))


def test_nothing_is_unpickled(tmp_path):
    objects = np.array([_Dangerous(), _Dangerous()], dtype=object)
    np.savez(tmp_path / "t.npz", x=objects, target=[0, 1])
    with pytest.raises(InputError, match=r"can't be read as NPZ.*allow_pickle"):
        read(tmp_path / "t.npz", "target")


def test_bare_array_under_the_name_of_npz_is_no_npz(tmp_path):
    with open(tmp_path / "t.npz", "wb") as file:
        np.save(file, np.eye(3))
    with pytest.raises(InputError, match="can't be read as NPZ"):
        read(tmp_path / "t.npz", "target")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    TABLE.to_parquet(tmp_path / "t.parquet")

    def without_pyarrow(path):
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd, "read_parquet", without_pyarrow)
    with pytest.raises(InputError, match=r"pip install 'sklimb\[report\]'"):
        read(tmp_path / "t.parquet", "target")
