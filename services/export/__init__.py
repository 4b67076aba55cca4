"""What can be taken away from an open head: tables as CSV and Parquet, and where a picture comes from."""

from services.export.csv_text import guard, unguard, write_csv
from services.export.provenance import facts, file_name
from services.export.tables import (
    MOST_CSV_ROWS,
    MOST_PARQUET_ROWS,
    TooLargeError,
    attention_table,
    coordinates_table,
    tokens_table,
    write_parquet,
)

__all__ = [
    "MOST_CSV_ROWS",
    "MOST_PARQUET_ROWS",
    "TooLargeError",
    "attention_table",
    "coordinates_table",
    "facts",
    "file_name",
    "guard",
    "tokens_table",
    "unguard",
    "write_csv",
    "write_parquet",
]
