"""Workbooks and Parquet files as openpyxl and pyarrow write them.

Writes beside this file: sheet.xlsx, sheets.xlsx, essay.xlsx and cells.xlsx; plain.parquet, gzip.parquet, nested.parquet
and scalars.parquet, and zstd.parquet, which is not read. Run: python make.py
"""

import datetime
import decimal
import pathlib

import numpy
import openpyxl
import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
HEADER = ["id", "original", "revised", "label", "group"]
SENTENCES = ["Sentence Index", "Sentence Content", "Aligned Index", "Revision Purpose Level 0", "Revision Operation Level 0"]
# The sheets of an essay's two drafts, as ArgRewrite has them: one sentence became two, one is gone, one is new.
ESSAY = {
    "Old Draft": [
        SENTENCES,
        [1, "It stays.", 1, None, None],
        [2, "He go home, and she stays.", "2,3", "Conventions/Grammar/Spelling", "Modify"],
        [3, "It is gone.", "DELETE", "Claims/Ideas", "Delete"],
        [4, "It is late.", 4, "Word Usage/Clarity", "Modify"],
    ],
    "New Draft": [
        SENTENCES,
        [1, "It stays.", 1, None, None],
        [2, "He goes home.", 2, "Conventions/Grammar/Spelling", "Modify"],
        [3, "She stays.", 2, "Conventions/Grammar/Spelling", "Modify"],
        [4, "It was late.", 4, "Precision", "Modify"],
        [5, "It is new.", "ADD", "Evidence", "Add"],
    ],
}
ROWS = [
    [7, "He go home.", "He goes home.", 1, "a"],
    [8, None, "A new sentence.", 2, "a"],
    [9, "In 2020", 2021, 1.5, 3],
    [10, "two\nlines; \u201cquoted\u201d", "one line", 10, True],
]
DAY = datetime.datetime(2026, 11, 30, tzinfo=datetime.timezone.utc).replace(tzinfo=None)


def workbook(name, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.created = book.properties.modified = DAY
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(HERE / name)


def main():
    # A blank row stands between two rows.
    rows = [HEADER, *ROWS[:2], [], *ROWS[2:]]
    workbook("sheet.xlsx", {"Notes": [["Read me first"]], "Pairs": rows, "Empty": []})
    workbook("essay.xlsx", ESSAY)
    workbook("sheets.xlsx", {"Draft 1": [HEADER, ROWS[0]], "Draft 2": [HEADER, ROWS[1]]})

    # openpyxl writes no values of formulas.
    cells = [
        ["original", "revised", "label", "broken", "formula"],
        ["a", "b", DAY, "#N/A", '=A2&"z"'],
        ["c", "d", DAY.replace(hour=3, minute=4), 1, 2],
        ["e", "f", datetime.time(3, 4), 1, 2],
    ]
    workbook("cells.xlsx", {"Cells": cells})

    plain = pyarrow.table(
        {
            "id": [7, 8, 9],
            "original": ["He go home.", None, "In 2020"],
            "revised": ["He goes home.", "A new sentence.", ""],
            "label": pyarrow.array([1.0, 2.0, 10.0], pyarrow.float64()),
            "score": [0.5, float("nan"), None],
        }
    )
    pyarrow.parquet.write_table(plain, HERE / "plain.parquet", compression="snappy")
    pyarrow.parquet.write_table(plain, HERE / "gzip.parquet", compression="gzip", row_group_size=2)
    pyarrow.parquet.write_table(plain, HERE / "zstd.parquet", compression="zstd")
    nested = pyarrow.table(
        {
            "data": [
                {"original": "He go home.", "revised": "He goes home."},
                {"original": "It is.", "revised": "It was."},
            ],
            "votes": [["fluency", "fluency", "clarity"], ["meaning", None, "meaning"]],
            "made": [DAY, DAY],
        }
    )
    pyarrow.parquet.write_table(nested, HERE / "nested.parquet", compression="none")
    tenth = decimal.Decimal("1.0")
    scalars = pyarrow.table(
        {
            "original": ["a", "b"],
            "revised": ["b", "c"],
            "decimal": pyarrow.array([tenth, tenth], pyarrow.decimal128(10, 1)),
            "half": pyarrow.array(numpy.array([1, 1], numpy.float16)),
            "single": pyarrow.array([0.1, 0.1], pyarrow.float32()),
            "text": pyarrow.array([b"d", b"e"], pyarrow.binary()),
            "bytes": pyarrow.array([b"d", b"e\xff"], pyarrow.binary()),
        }
    )
    pyarrow.parquet.write_table(scalars, HERE / "scalars.parquet", compression="none")


if __name__ == "__main__":
    main()
