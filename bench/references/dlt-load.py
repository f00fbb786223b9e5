"""Merges users.csv, groups.csv and memberships.csv of a directory into PostgreSQL with dlt.

Usage: dlt-load.py files|arrow DIRECTORY; the database's URL is in DATABASE_URL.

files: the fastest of the ways that were tried. The files are handed on as they are, so that dlt sees no row and can
neither check nor change one, and the merge is MERGE on the primary key.
arrow: the fastest way in which dlt sees the rows, as Arrow tables, with the merge strategy that is its default.
"""

import os
import sys

import dlt
import pyarrow
import pyarrow.csv

KEYS = {"users": ["login"], "groups": ["code"], "memberships": ["login", "code"]}


def tables(path, header):
    types = {column: pyarrow.string() for column in header}
    convert = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    with pyarrow.csv.open_csv(path, convert_options=convert, parse_options=parse) as reader:
        for batch in reader:
            yield pyarrow.Table.from_batches([batch])


def resource(mode, directory, name):
    path = os.path.join(directory, f"{name}.csv")
    with open(path, encoding="utf-8") as file:
        header = file.readline().strip().split(",")

    def files():
        yield dlt.mark.with_file_import(path, "csv")

    def rows():
        yield from tables(path, header)

    return dlt.resource(
        files if mode == "files" else rows,
        name=name,
        primary_key=KEYS[name],
        columns={column: {"data_type": "text", "nullable": False} for column in header},
        write_disposition={
            "disposition": "merge",
            "strategy": "upsert" if mode == "files" else "delete-insert",
        },
    )


def main():
    destination = dlt.destinations.postgres(os.environ["DATABASE_URL"])
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench")
    mode, directory = sys.argv[1:]
    resources = [resource(mode, directory, name) for name in KEYS]
    pipeline.run(resources, loader_file_format="csv")


main()
