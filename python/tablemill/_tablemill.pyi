import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Protocol, TypedDict, final

__all__ = [
    "ERROR_KINDS",
    "BadOptionError",
    "CorruptError",
    "EncryptedError",
    "Ingest",
    "IoError",
    "LimitExceededError",
    "MismatchError",
    "Schema",
    "SqlError",
    "Table",
    "TablemillError",
    "UnsupportedError",
    "__version__",
    "inspect",
    "read",
]
__version__: str

class _BinaryFile(Protocol):
    def read(self, size: int, /) -> bytes: ...

_Source = str | os.PathLike[str] | bytes | bytearray | memoryview | _BinaryFile
_Type = Literal[
    "csv", "tsv", "txt", "json", "ndjson", "jsonl", "arrow", "feather", "ipc", "parquet", "orc",
    "xls", "xlsx", "xlsm", "xlsb", "ods",
]
_Compression = Literal["infer", "gzip", "gz", "bz2", "bzip2", "xz", "zstd", "zst", "zip", "tar"]
_Dtype = str | type | Any  # names, types, dtypes of numpy and pandas

class _Step(TypedDict, total=False):
    sql: str
    name: str | None

_Steps = str | _Step | list[str | _Step]

class _Limits(TypedDict, total=False):
    # bytes also as text such as "64MiB", times, in seconds, such as "500ms"
    input_bytes: int | str
    inflated_bytes: int | str
    inflation_ratio: int
    ratio_free_bytes: int | str
    part_ratio: int
    nesting: int
    archive_entries: int
    spool_bytes: int | str
    tables: int
    columns: int
    rows: int
    value_bytes: int | str
    sheet_cells: int
    json_depth: int
    issues: int
    memory_bytes: int | str
    time: float | str
    sql_steps: int
    sql_text_bytes: int | str
    sql_memory_bytes: int | str
    sql_time: float | str

@final
class Ingest:
    """The tables of a file and the report of what was found."""

    @property
    def tables(self) -> list[Table]: ...
    @property
    def report(self) -> dict[str, Any]: ...
    @property
    def errors(self) -> dict[str, list[dict[str, Any]]]: ...
    @property
    def warnings(self) -> dict[str, list[dict[str, Any]]]: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Table]: ...
    def __getitem__(self, key: str | int, /) -> Table: ...

@final
class Table:
    """An Arrow table with a name.

    It speaks the Arrow PyCapsule interface: `pyarrow.table(t)`, `polars.DataFrame(t)` and
    `duckdb.sql("select * from t")` take it as it is; pyarrow shares the memory.
    """

    @property
    def name(self) -> str: ...
    @property
    def num_rows(self) -> int: ...
    @property
    def num_columns(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    @property
    def schema(self) -> Schema: ...
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Schema:
    """The names and Arrow types of a table's columns."""

    @property
    def names(self) -> list[str]: ...
    @property
    def types(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __arrow_c_schema__(self) -> object: ...

class TablemillError(Exception):
    """Why a file gave no tables."""

    kind: str
    code: str
    stage: str
    message: str
    table: str | None
    row: int | None
    line: int | None
    column: str | None
    byte_offset: int | None
    hint: str | None
    report: dict[str, Any] | None

class IoError(TablemillError): ...
class BadOptionError(TablemillError): ...
class MismatchError(TablemillError): ...
class UnsupportedError(TablemillError): ...
class CorruptError(TablemillError): ...
class EncryptedError(TablemillError): ...
class LimitExceededError(TablemillError): ...
class SqlError(TablemillError): ...

ERROR_KINDS: dict[str, type[TablemillError]]

def read(
    source: _Source,
    *,
    type: _Type | None = None,
    compression: _Compression | None = None,
    name: str | None = None,
    sql: _Steps | Mapping[str, _Steps] | None = None,
    limits: _Limits | None = None,
    rejects: str | os.PathLike[str] | None = None,
    # the dialect of a text
    sep: str | None = None,
    delimiter: str | None = None,
    delim_whitespace: bool | None = None,
    lineterminator: str | None = None,
    quotechar: str | None = None,
    quoting: int | None = None,
    doublequote: bool | None = None,
    escapechar: str | None = None,
    comment: str | None = None,
    skipinitialspace: bool | None = None,
    encoding: str | None = None,
    encoding_errors: Literal["strict", "replace"] | None = None,
    # the shape: header=None means that there is none, as in pandas
    header: int | Iterable[int] | Literal["infer", "none"] | None = "infer",
    names: Iterable[str] | None = None,
    usecols: Iterable[str | int] | None = None,
    columns: Iterable[str | int] | None = None,
    index_col: object = None,
    prefix: str | None = None,
    mangle_dupe_cols: bool | None = None,
    skiprows: int | Iterable[int] | None = None,
    skip_rows: int | Iterable[int] | None = None,
    skipfooter: int | None = None,
    stacked: bool | None = None,
    escape_outside: bool | None = None,
    nrows: int | None = None,
    num_rows: int | None = None,
    byte_range: tuple[int, int] | None = None,
    skip_blank_lines: bool | None = None,
    on_bad_lines: Literal["error", "warn", "skip"] | None = None,
    # the values
    dtype: _Dtype | Mapping[str | int, _Dtype] | Iterable[_Dtype] | bool | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    true_values: Iterable[str] | None = None,
    false_values: Iterable[str] | None = None,
    na_values: str | Iterable[str] | Mapping[str, str | Iterable[str]] | None = None,
    keep_default_na: bool | None = None,
    na_filter: bool | None = None,
    parse_dates: bool | Iterable[str | int] | None = None,
    dayfirst: bool | None = None,
    # of one format
    orient: str | None = None,
    lines: bool | None = None,
    record_path: str | Iterable[str] | None = None,
    sheet_name: str | int | Iterable[str | int] | None = None,
    range: str | Iterable[str] | None = None,
    table_name: str | Iterable[str] | None = None,
    row_groups: Iterable[int] | None = None,
    stripes: Iterable[int] | None = None,
    # an option nobody knows is a warning in the report
    **unknown: Any,
) -> Ingest:
    """Reads any table-shaped file: unwraps it, tells what it is, parses it, infers the types.

    source: a path, bytes, or a file open in binary mode.
    type, compression: declared; bytes that contradict them are an error. Default: found out.
    name: the file's name, for its extension and the tables' names. Default: the path's.
    sql: steps over the tables.
    limits: bounds by name; times in seconds.
    rejects: a csv file for every row and value of a csv that was repaired, left out or refused,
        and every broken line of an ndjson.

    Raises TablemillError, one subclass for each kind, where there is no faithful table.
    """

def inspect(
    source: _Source,
    *,
    type: _Type | None = None,
    compression: _Compression | None = None,
    name: str | None = None,
    sql: _Steps | Mapping[str, _Steps] | None = None,
    limits: _Limits | None = None,
    rejects: str | os.PathLike[str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The report on a file, also on one that cannot be read: its `is_valid` is then False.

    Takes what `read` takes. Raises for wrong usage, and IoError where there is no file to read.
    """
