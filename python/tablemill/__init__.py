"""Any table-shaped file in; typed Arrow tables and a report of what was found out.

>>> ingest = tablemill.read("orders.csv.gz", sep=";")
>>> pyarrow.table(ingest["orders"])
>>> polars.DataFrame(ingest["orders"])
>>> ingest.report["issues"]
"""

from ._tablemill import (
    ERROR_KINDS,
    BadOptionError,
    CorruptError,
    EncryptedError,
    Ingest,
    IoError,
    LimitExceededError,
    MismatchError,
    Schema,
    SqlError,
    Table,
    TablemillError,
    UnsupportedError,
    __version__,
    inspect,
    read,
)

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
