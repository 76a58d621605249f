#!/usr/bin/python3
"""Writes an image without an engine: write_image.py DOCKERFILE ROOT NAME:TAG FILE

The image has one layer, the folder ROOT, and the settings of the last stage of the Dockerfile. The file is an archive in
OCI's layout that has Docker's manifest as well, so that docker load, podman load and skopeo take it. The same input gives
the same bytes; times are SOURCE_DATE_EPOCH.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import sys
import tarfile
import time

EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
UNITS = {"s": 1_000_000_000, "ms": 1_000_000}


def member(name, size=0, mode=0o644, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.mtime = size, mode, kind, EPOCH
    return info


def layer_of(root):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            name, mode = str(path.relative_to(root)), path.lstat().st_mode & 0o7777
            if path.is_symlink():
                raise SystemExit(f"write_image.py: {path} is a link, which no image of this server has")
            if path.is_dir():
                tar.addfile(member(name, mode=mode, kind=tarfile.DIRTYPE))
            else:
                tar.addfile(member(name, path.stat().st_size, mode), io.BytesIO(path.read_bytes()))
    return buffer.getvalue()


def nanoseconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s)", text).groups()
    return int(number) * UNITS[unit]


def config_of(dockerfile):
    """What the last stage sets."""
    config = {"Env": []}
    stage = dockerfile[dockerfile.rindex("\nFROM ") + 1:].split("\n")[1:]
    for line in stage:
        word, _, rest = line.partition(" ")
        if word == "ENV":
            config["Env"].append(rest)
        elif word == "USER":
            config["User"] = rest
        elif word == "EXPOSE":
            config["ExposedPorts"] = {f"{rest}/tcp": {}}
        elif word == "ENTRYPOINT":
            config["Entrypoint"] = json.loads(rest)
        elif word == "HEALTHCHECK":
            options = dict(re.findall(r"--(\w+)=(\S+)", rest))
            config["Healthcheck"] = {"Test": ["CMD", *json.loads(rest[rest.index("["):])],
                                     "Interval": nanoseconds(options["interval"]),
                                     "Timeout": nanoseconds(options["timeout"]), "Retries": int(options["retries"])}
        elif word not in ("", "COPY") and not word.startswith("#"):
            raise SystemExit(f"write_image.py: {word} in the Dockerfile is not known here")
    return config


def main():
    if len(sys.argv) != 5:
        sys.exit("usage: write_image.py DOCKERFILE ROOT NAME:TAG FILE")
    dockerfile, root, name, target = sys.argv[1:]
    blobs = {}

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def encoded(value):
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

    tar = layer_of(pathlib.Path(root))
    layer = blob(gzip.compress(tar, mtime=0), "layer.v1.tar+gzip")
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
    config = blob(encoded({"architecture": "amd64", "os": "linux", "created": created,
                           "config": config_of(pathlib.Path(dockerfile).read_text("utf-8")),
                           "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
                           "history": [{"created": created, "created_by": "scripts/package.sh image"}]}), "config.v1+json")
    manifest = blob(encoded({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                             "config": config, "layers": [layer]}), "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": name.partition(":")[2]}
    manifest["platform"] = {"architecture": "amd64", "os": "linux"}

    def path_of(descriptor):
        return "blobs/sha256/" + descriptor["digest"].partition(":")[2]

    files = {"oci-layout": encoded({"imageLayoutVersion": "1.0.0"}),
             "index.json": encoded({"schemaVersion": 2, "manifests": [manifest]}),
             "manifest.json": encoded([{"Config": path_of(config), "RepoTags": [name], "Layers": [path_of(layer)]}])}
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in ("blobs", "blobs/sha256"):
            archive.addfile(member(path, mode=0o755, kind=tarfile.DIRTYPE))
        for path, data in sorted({**blobs, **files}.items()):
            archive.addfile(member(path, len(data)), io.BytesIO(data))


main()
