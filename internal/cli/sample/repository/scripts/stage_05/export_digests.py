#!/usr/bin/env python3
"""Stage 05_02 exporter: channel digests with their sources and the judge's scores, one JSON object a line."""
import argparse
import json
import pathlib
import sqlite3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, type=pathlib.Path)
    parser.add_argument("--since", required=True)
    parser.add_argument("--until", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    args = parser.parse_args()
    query = "SELECT record FROM digests WHERE created_at >= ? AND created_at < ? ORDER BY created_at, id"
    with sqlite3.connect(args.database) as db, args.out.open("w", encoding="utf-8") as out:
        for (record,) in db.execute(query, (args.since, args.until)):
            out.write(json.dumps(json.loads(record), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
