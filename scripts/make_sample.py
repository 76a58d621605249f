#!/usr/bin/env python3
"""Writes the sample fixture set, fixtures/sample.json.

The same bytes come out on every machine and with every Python 3: the random numbers are made here, and so is the
JSON text. With --check nothing is written; the exit status is 1 if the file differs from what would be written.
"""

import argparse
import datetime
import json
import pathlib
import sys

SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "sample.json"

CLUSTERS = [
    {"id": 1000005, "name": "ob_431", "type": "PRIMARY", "ob_id": 199, "tenants": [
        {"id": 1000012, "name": "ww1144", "ob_id": 1050},
        {"id": 1000017, "name": "order_center", "ob_id": 1004},
    ]},
    {"id": 1000009, "name": "ob_431_standby", "type": "STANDBY", "ob_id": 207, "tenants": [
        {"id": 1000021, "name": "pay_core", "ob_id": 1002},
        {"id": 1000024, "name": "no_backup", "ob_id": 1006},
    ]},
]

# How many tasks of each status a tenant has. The tenant no_backup has none.
TENANTS = (1000012, 1000017, 1000021)
COUNTS = {
    "STARTING":    (2, 2, 1),
    "INPROGRESS":  (3, 2, 2),
    "RUNNING":     (5, 4, 3),
    "STOPPING":    (2, 1, 2),
    "STOPPED":     (5, 3, 3),
    "FAILED":      (3, 3, 2),
    "INTERRUPTED": (3, 3, 2),
    "UNKNOWN":     (2, 1, 1),
}

# Times that the first tasks of a tenant get: the first and the last instant of the month, instants on and just after
# a whole UTC second, and pairs that are the same instant.
CHOSEN_TIMES = {
    1000012: [
        "2024-07-15T08:00:00+08:00",            # the same instant as the next
        "2024-07-15T00:00:00.000Z",
        "2024-07-15T08:00:00.000000001+08:00",  # one nanosecond later
        "2024-07-20T10:30:00.123456+08:00",     # the same instant as the next, letter for letter
        "2024-07-20T10:30:00.123456+08:00",
        "2024-07-01T00:00:00+08:00",            # the first instant of the month
    ],
    1000017: [
        "2024-07-09T03:15:27.5+08:00",          # the same instant as the next, with other digits
        "2024-07-09T03:15:27.500000+08:00",
        "2024-07-11T23:45:00-05:00",            # 12 July at +08:00
    ],
    1000021: [
        "2024-07-22T06:00:59.999999999+08:00",  # the same instant as the next, letter for letter
        "2024-07-22T06:00:59.999999999+08:00",
        "2024-07-31T23:59:59.999999999+08:00",  # the last instant of the month
    ],
}

# Digits of the fraction, and offsets, of the times of the other tasks.
DIGITS = [6] * 32 + [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 7, 7, 8, 9]
OFFSETS = ["+08:00"] * 41 + ["Z", "Z", "Z", "+00:00", "-05:00", "+05:30", "+09:00"]

# Delays that the first tasks of a tenant with a delay get. 100.1 and 100.10 are the same number.
CHOSEN_DELAYS = {
    1000012: ["100.10", "100.1", "100.1899", "0"],
    1000017: ["0.0", "86400", "5.50"],
    1000021: ["0.000001", "3", "1200.00"],
}

URIS = {
    1000012: ["file:///obbackup", "file:///data/nfs/obbackup/ww1144"],
    1000017: ["oss://ob-backup/order_center?host=oss-cn-hangzhou.aliyuncs.com", "file:///obbackup"],
    1000021: ["oss://ob-backup-dr/pay_core?host=oss-cn-shanghai.aliyuncs.com&delete_mode=tagging",
              "file:///data/nfs/obbackup/pay_core"],
}

ERRORS = [
    'archive of "log stream 1001" failed: device error, ret = -4009',
    "cannot write \\\\nas01\\obbackup\\new\\table: access denied",
    "日志归档中断：备份目录空间不足（剩余 0%）",
    "the agent was restarted 🚧 while it copied logs",
    "archive failed\n\tat log stream 1001\n\tat log stream 1002",
    "<Code>AccessDenied</Code> & \"retry\" in 30 s, 重试 3/5 次",
    "round 4 was interrupted: 'clog' is gone, 100% of C:\\clog\\backup\\",
    "租户 𠮷 的归档任务失败 😀\r\n请检查 oss://ob-backup/",
]

NANOSECONDS = 10**9
EPOCH = datetime.datetime(1970, 1, 1)
JULY = int((datetime.datetime(2024, 7, 1) - EPOCH).total_seconds()) - 8 * 3600
MONTH = 31 * 86400


class Random:
    """The splitmix64 generator: a few lines, the same numbers everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        return (mixed ^ (mixed >> 31)) % limit

    def shuffled(self, items):
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items


class Literal(str):
    """A number with the digits that it has in the file."""


def offset_seconds(offset):
    if offset == "Z":
        return 0
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * 3600 + int(offset[4:6]) * 60)


def time_text(instant, digits, offset):
    """Writes an instant, in nanoseconds since 1970, with so many digits of fraction; the rest is cut off."""
    seconds, fraction = divmod(instant, NANOSECONDS)
    text = (EPOCH + datetime.timedelta(seconds=seconds + offset_seconds(offset))).strftime("%Y-%m-%dT%H:%M:%S")
    return text + ("." + f"{fraction:09}"[:digits] if digits else "") + offset


def read_time(text):
    """The instant, the digits of fraction and the offset of a time as time_text writes it."""
    offset = "Z" if text[-1] == "Z" else text[-6:]
    fraction = text[20:-len(offset)]
    local = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    seconds = int((local - EPOCH).total_seconds()) - offset_seconds(offset)
    return seconds * NANOSECONDS + int(fraction.ljust(9, "0") or 0), len(fraction), offset


def make_delay(random):
    if random.below(2):
        return Literal(random.below(600))
    digits = 1 + random.below(4)
    return Literal(f"{random.below(300)}.{random.below(10**digits):0{digits}}")


def make_tasks(random):
    owners = {tenant["id"]: (cluster, tenant) for cluster in CLUSTERS for tenant in cluster["tenants"]}
    plan = random.shuffled((tenant, status) for status, counts in COUNTS.items()
                           for tenant, count in zip(TENANTS, counts) for _ in range(count))
    times = {tenant: list(texts) for tenant, texts in CHOSEN_TIMES.items()}
    delays = {tenant: list(texts) for tenant, texts in CHOSEN_DELAYS.items()}
    digits_left = random.shuffled(DIGITS)
    offsets_left = random.shuffled(OFFSETS)
    errors = 0

    for tenant_id, status in plan:
        cluster, tenant = owners[tenant_id]
        task = {
            "backupDimension": "CLUSTER" if random.below(6) == 0 else "TENANT",
            "backupMode": "PHYSICAL_BACKUP",
            "backupUri": URIS[tenant_id][random.below(2)],
            "clusterId": cluster["id"],
            "clusterName": cluster["name"],
            "clusterType": cluster["type"],
            "obClusterId": cluster["ob_id"],
            "obTenantId": tenant["ob_id"],
            "status": status,
            "tenantId": tenant_id,
            "tenantName": tenant["name"],
        }
        if random.below(10):
            task["agentServerIp"] = f"192.0.2.{11 + random.below(6)}"

        if times[tenant_id]:
            task["createTime"] = times[tenant_id].pop(0)
        else:
            instant = JULY * NANOSECONDS + random.below(MONTH * NANOSECONDS)
            task["createTime"] = time_text(instant, digits_left.pop(), offsets_left.pop())
        created, digits, offset = read_time(task["createTime"])

        progressed = status in ("INPROGRESS", "RUNNING", "STOPPING", "STOPPED") or (
            status == "INTERRUPTED" and random.below(3) > 0)
        checkpoint = created + (1 + random.below(7200)) * NANOSECONDS + random.below(NANOSECONDS)
        if progressed:
            task["checkpoint"] = time_text(checkpoint, digits, offset)
        if progressed and (delays[tenant_id] or random.below(5)):
            task["delay"] = Literal(delays[tenant_id].pop(0)) if delays[tenant_id] else make_delay(random)
        if random.below(7):
            modified = (checkpoint if progressed else created) + random.below(300 * NANOSECONDS)
            task["modifyTime"] = time_text(modified, digits, offset)

        if status == "FAILED" or (status == "INTERRUPTED" and random.below(4) > 0):
            task["errorMsg"] = ERRORS[errors % len(ERRORS)]
            errors += 1
        yield task


def json_text(value):
    """JSON on one line, keys in alphabetical order, literals as they are."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json_text(key)}: {json_text(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    if isinstance(value, Literal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def make_sample():
    clusters = [{"id": cluster["id"], "name": cluster["name"],
                 "tenants": [{"id": tenant["id"], "name": tenant["name"]} for tenant in cluster["tenants"]]}
                for cluster in CLUSTERS]
    members = [("clusters", clusters), ("logBackupTasks", make_tasks(Random(431)))]
    lists = (f'  "{name}": [\n    ' + ",\n    ".join(map(json_text, items)) + "\n  ]" for name, items in members)
    return ("{\n" + ",\n".join(lists) + "\n}\n").encode("utf-8")


def main():
    parser = argparse.ArgumentParser(description="Writes the sample fixture set, fixtures/sample.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file differs")
    check = parser.parse_args().check

    sample = make_sample()
    if not check:
        SAMPLE.write_bytes(sample)
    elif not SAMPLE.is_file() or SAMPLE.read_bytes() != sample:
        sys.exit("fixtures/sample.json differs from what scripts/make_sample.py writes.")


if __name__ == "__main__":
    main()
