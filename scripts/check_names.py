#!/usr/bin/env python3
"""check_names.py: no string in server/ is a name of schema/api/: the API is data, and the C++ below knows none of it.

Looked for are names of several words (createTime, RESTORE_FAIL) and words in capitals (RUNNING), for a single word in
small letters may be English.
"""
import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
# Names that other formats have as well, and those of the products, which messages name.
SHARED = {"HOST", "NONE", "NULL", "OCP", "OceanBase", "PRIMARY", "READONLY"}
# What users read, or write on the command line: the help of options, a --window.
ALLOWED_FILES = {"cli/client_options.cpp", "cli/option_table.cpp"}
ALLOWED = {
    ("control/explain.cpp", "createTime"),
}


def names():
    found = set()
    for file in sorted((TOP / "schema/api").glob("*.json")):
        source = json.loads(file.read_text(encoding="utf-8"))
        for words in source.get("words", {}).values():
            found |= {word if isinstance(word, str) else word["word"] for word in words}
        for name, resource in source.get("resources", {}).items():
            found |= {name, *resource["fields"]}
        for told in ("members", "statuses", "operations"):
            words = source.get("tasks", {}).get(told, {}).values()
            found |= {word for word in words if isinstance(word, str)}
        for endpoint in source.get("endpoints", []):
            found |= {parameter["name"] for parameter in endpoint.get("parameters", [])}
            found |= set(endpoint.get("placeholders", {}))
    return found - SHARED


def strings(text):
    """The string literals of C++ code, without comments."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\((.*?)\)\1"|"((?:[^"\\\n]|\\.)*)"', re.S)
    for match in pattern.finditer(text):
        if match.group(0).startswith("/"):
            continue
        yield text.count("\n", 0, match.start()) + 1, match.group(2) if match.group(2) is not None else match.group(3)


def main():
    if len(sys.argv) > 1:
        print(__doc__.strip() if sys.argv[1] in ("-h", "--help") else "usage: check_names.py")
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    wanted = [re.escape(name) for name in sorted(names()) if re.search(r"[a-z][A-Z]|_|^[A-Z]{3,}$", name)]
    word = re.compile(r"(?<![\w/])(" + "|".join(wanted) + r")(?!\w)")
    failed = 0
    for file in sorted((TOP / "server").rglob("*")):
        if file.suffix not in (".cpp", ".h"):
            continue
        path = file.relative_to(TOP / "server").as_posix()
        for line, text in strings(file.read_text(encoding="utf-8")):
            match = word.search(text)
            if match and path not in ALLOWED_FILES and (path, text) not in ALLOWED:
                print(f"server/{path}:{line}: the string {text!r} has {match.group(1)}, a name of schema/api/")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
