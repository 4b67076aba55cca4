"""CSV that stays true and that a spreadsheet does not run.

Tokens such as `=`, `+` and `@` are common. A cell that starts with one is a formula to a spreadsheet (OWASP, "CSV
Injection"), so a text that starts so, or with an apostrophe, gets one apostrophe in front: taking one leading
apostrophe off again gives back every text exactly. Columns of numbers are left alone.
"""

import io
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

# The last four are the full-width forms, which some spreadsheets read as the plain ones.
_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CONTROLS = ("\t", "\r", "\n", "'")


def guard(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if text.lstrip().startswith(_STARTS) or text.startswith(_CONTROLS) else text


def unguard(cell: str) -> str:
    """The text a guarded cell stands for."""
    return cell.removeprefix("'")


def _guarded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    encoded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    words = pa.array([guard(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([words.take(encoded.indices)])


def csv_parts(parts: Iterable[pa.Table]) -> Iterator[bytes]:
    """Tables of one schema as UTF-8 CSV with one header; texts are guarded and quoted, missing numbers are empty."""
    for index, part in enumerate(parts):
        table = part
        for number, field in enumerate(part.schema):
            if pa.types.is_string(field.type):
                table = table.set_column(number, field.name, _guarded(part.column(number)))
        out = io.BytesIO()
        pcsv.write_csv(table, out, pcsv.WriteOptions(include_header=index == 0))
        yield out.getvalue()


def write_csv(table: pa.Table) -> bytes:
    """One table as `csv_parts`."""
    return b"".join(csv_parts([table]))
