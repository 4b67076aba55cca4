"""What can be taken away from an open head: tables as CSV and Parquet, and where a picture comes from."""

from services.export.csv_text import csv_parts, guard, unguard, write_csv
from services.export.provenance import facts, file_name
from services.export.tables import (
    MOST_CSV_ROWS,
    MOST_PARQUET_ROWS,
    TooLargeError,
    attention_table,
    attention_tables,
    coordinates_table,
    kinds_table,
    measures_table,
    parts_table,
    tokens_table,
    write_parquet,
)

__all__ = [
    "MOST_CSV_ROWS",
    "MOST_PARQUET_ROWS",
    "TooLargeError",
    "attention_table",
    "attention_tables",
    "coordinates_table",
    "csv_parts",
    "facts",
    "file_name",
    "guard",
    "kinds_table",
    "measures_table",
    "parts_table",
    "tokens_table",
    "unguard",
    "write_csv",
    "write_parquet",
]
