#!/usr/bin/env python3
"""Writes the installation that the server starts with, fixtures/installation.json.

It is one small OCP around the cluster and the tenant of fixtures/logBackupTasks.json, at the time of that answer. The
same bytes come out on every machine and with every Python 3. With --check nothing is written; the exit status is 1 if
the file differs from what would be written.
"""

import argparse
import collections
import json
import pathlib
import sys

sys.dont_write_bytecode = True
from installation import databases, inventory, operations, watching  # noqa: E402
from make_sample import Random  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
INSTALLATION = FIXTURES / "installation.json"


def make_rows():
    captured = json.loads((FIXTURES / "logBackupTasks.json").read_text(encoding="utf-8"))["data"]["contents"]
    rows = collections.defaultdict(list)
    random = Random(431)
    inventory.make_hosts(rows)
    inventory.make_clusters(rows)
    inventory.make_tenants(rows, random)
    inventory.make_stats(rows)
    inventory.make_parameters(rows)
    inventory.make_obproxy(rows)
    databases.make_databases(rows)
    databases.make_statements(rows, random)
    databases.make_reports(rows, random)
    databases.make_metric_groups(rows)
    watching.make_alarms(rows)
    operations.make_data_backups(rows, random)
    operations.make_log_backups(rows)
    operations.make_restores(rows)
    operations.make_backup_summaries(rows, captured)
    operations.make_tasks(rows)
    operations.make_audit_events(rows)
    watching.make_inspections(rows)
    return rows


def json_of(rows):
    """A row a line, keys in alphabetical order."""
    lists = (f'"{name}": [\n' + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
                                           for row in members) + "\n]" for name, members in sorted(rows.items()))
    return ("{" + ",\n".join(lists) + "}\n").encode("utf-8")


def main():
    parser = argparse.ArgumentParser(description="Writes the installation that the server starts with, "
                                                 "fixtures/installation.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file differs")
    check = parser.parse_args().check

    installation = json_of(make_rows())
    if not check:
        INSTALLATION.write_bytes(installation)
    elif not INSTALLATION.is_file() or INSTALLATION.read_bytes() != installation:
        sys.exit("fixtures/installation.json differs from what scripts/make_installation.py writes.")


if __name__ == "__main__":
    main()
