"""Tasks to measure with, the same ones on every machine, and the files that each server takes them from.

All tasks are of one tenant and, whatever their status, of one length, so that an answer's size says nothing of its
tasks. The files stay in build/bench/data until this file changes.
"""

import datetime
import hashlib
import pathlib
import random
import shutil

from common import BINARY, WORK, progress

FOLDER = WORK / "data"
STATUSES = ["RUNNING", "STARTING", "INPROGRESS", "STOPPING", "STOPPED", "FAILED", "INTERRUPTED", "UNKNOWN"]
YEAR = datetime.datetime(2024, 1, 1)
MICROSECONDS = 366 * 86400 * 10**6
# The first task was created when OCP's own example was: 9 August at 15:58:21.716899.
FIRST = int((datetime.datetime(2024, 8, 9, 15, 58, 21, 716899) - YEAR) / datetime.timedelta(microseconds=1))


def tasks(count):
    """JSON texts."""
    numbers = random.Random(431)
    statuses = [STATUSES[i % len(STATUSES)] for i in range(count)]
    numbers.shuffle(statuses)
    for i, status in enumerate(statuses):
        created = int(numbers.random() * MICROSECONDS) if i else FIRST
        checkpoint = created + int(numbers.random() * 3600 * 10**6)
        delay = 100 + numbers.random() * 899
        ip = f"10.{100 + i % 100}.{100 + i // 100 % 100}.{100 + i // 10000 % 100}"
        uri = "file:///obbackup/cluster-1000005/tenant-1000012/log/" + "x" * (11 - len(status))
        yield (f'{{"agentServerIp":"{ip}","backupDimension":"TENANT","backupMode":"PHYSICAL_BACKUP","backupUri":"{uri}",'
               f'"checkpoint":"{time_text(checkpoint)}","clusterId":1000005,"clusterName":"ob_431",'
               f'"clusterType":"PRIMARY","createTime":"{time_text(created)}","delay":{delay:.4f},"obClusterId":199,'
               f'"obTenantId":1050,"status":"{status}","tenantId":1000012,"tenantName":"ww1144"}}')


def time_text(microseconds):
    return (YEAR + datetime.timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "+08:00"


def folder():
    """The folder of the files, emptied if they were made by another generator."""
    made_by = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    mark = FOLDER / "generator.sha256"
    if not mark.is_file() or mark.read_text() != made_by:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        mark.write_text(made_by)
    return FOLDER


def cached(name, write):
    """The file of this name; write(out) makes it if it is not there."""
    file = folder() / name
    if not file.is_file():
        progress(f"making {file.name}")
        part = file.with_name(file.name + ".part")
        with open(part, "w", encoding="utf-8") as out:
            write(out)
        part.rename(file)
    return file


def ndjson(count):
    return cached(f"tasks-{count}.ndjson", lambda out: out.writelines(f"{task}\n" for task in tasks(count)))


def joined(count, change=lambda task, _: task):
    """The tasks with a comma and a line feed between them."""
    with open(ndjson(count), encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            yield (",\n" if i else "") + change(line.rstrip("\n"), i)


def with_id(task, i):
    return f'{{"id":"{i}",{task[1:]}'


def array(count):
    def write(out):
        out.write("[\n")
        out.writelines(joined(count))
        out.write("\n]\n")
    return cached(f"tasks-{count}.json", write)


def json_server(count):
    """json-server wants a member for each list, and tasks with an id."""
    def write(out):
        out.write('{"logBackupTasks":[\n')
        out.writelines(joined(count, with_id))
        out.write("\n]}\n")
    return cached(f"json-server-{count}.json", write)


def mockoon(count):
    """A Mockoon environment: the tasks are the text of a data bucket, served by a CRUD route."""
    route, response, bucket = (f"00000000-0000-4000-8000-00000000000{i}" for i in (1, 2, 3))
    head = f"""{{"uuid":"00000000-0000-4000-8000-000000000000","lastMigration":33,"name":"tasks","port":3000,
"hostname":"127.0.0.1","endpointPrefix":"","latency":0,"folders":[],"rootChildren":[{{"type":"route","uuid":"{route}"}}],
"proxyMode":false,"proxyHost":"","proxyRemovePrefix":false,"cors":true,"headers":[],"proxyReqHeaders":[],
"proxyResHeaders":[],"callbacks":[],
"tlsOptions":{{"enabled":false,"type":"CERT","pfxPath":"","certPath":"","keyPath":"","caPath":"","passphrase":""}},
"routes":[{{"uuid":"{route}","type":"crud","documentation":"","method":"","endpoint":"logBackupTasks",
"responseMode":null,"streamingMode":null,"streamingInterval":0,"responses":[{{"uuid":"{response}","body":"{{}}",
"latency":0,"statusCode":200,"label":"","headers":[],"bodyType":"DATABUCKET","filePath":"","databucketID":"bkt1",
"sendFileAsBody":false,"rules":[],"rulesOperator":"OR","disableTemplating":true,"fallbackTo404":false,"default":true,
"crudKey":"id","callbacks":[]}}]}}],
"data":[{{"uuid":"{bucket}","id":"bkt1","name":"tasks","documentation":"","value":"["""

    def write(out):
        out.write(head)
        out.writelines(part.replace("\n", "").replace('"', '\\"') for part in joined(count, with_id))
        out.write(']"}]}\n')
    return cached(f"mockoon-{count}.json", write)


def database(count, make):
    """The file that our server keeps the tasks in; make(tasks, file) loads it, anew after each build."""
    source = ndjson(count)
    file = folder() / f"tasks-{count}.db"
    newest = max(BINARY.stat().st_mtime, source.stat().st_mtime)
    if not file.is_file() or file.stat().st_mtime <= newest:
        file.unlink(missing_ok=True)
        progress(f"loading {file.name}")
        make(source, file)
    return file
