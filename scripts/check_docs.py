#!/usr/bin/python3
"""Runs what the documents show, against a built binary: check_docs.py BINARY [--update]

- The commands of a block ```sh are run, and each must succeed; a request that is refused has failed. A line that begins
  with scripts/run.sh starts the server with its options, in place of the one before. A block ```json that follows
  directly is the answer.
- In a block ```console the commands begin with "$ ". What they write must be the lines that follow.
- An assignment, NAME=VALUE alone on a line, holds in later blocks too.
- In a block ```yaml the scripts of several lines, those behind "|", are run with the OCP_MOCK_ variables that the block
  sets. They find the checkout as ocp-mock-server. Every other $NAME must be set in the block, or be named in the text.
- What installs, builds or measures is not run, nor is a block under the line <!-- not run: WHY -->.

Each document runs in an empty folder with links to the checkout. Of answers all bytes are compared, but for the values
that differ from call to call (VARYING). With --update the answers are written anew; read the diff.

A page in Chinese that has the blocks of the page in English, in their order, is not run again: only comments of commands
may differ. With other blocks it is run like any document, but what is not run must be a block of the page in English. The
two pages link to each other.

Each call of schema/admin.openapi.json must be shown with an answer. In all documents, paths and links must lead to
something that is there, and OCP_MOCK_ names must be options of the server or of the build.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
READ = sorted(str(file.relative_to(ROOT)) for folder in (".", "docs", "docs/examples", "docs/zh-CN", "fixtures")
              for file in (ROOT / folder).glob("*.md"))
ADMIN = "docs/admin.md"
# The others show what a machine measured, or what was made of the catalogue.
RUN = [document for document in READ if document.startswith(("README", "docs/")) and
       document not in ("docs/api.md", "docs/benchmarks.md", "docs/performance.md")]
ENGLISH_OF = {document: document.replace(".zh-CN", "").replace("zh-CN/", "") for document in READ
              if "zh-CN" in document and document != "docs/zh-CN/README.md"}

FENCE = re.compile(r"( *)```(\w*)$")
NOT_RUN_BLOCK = re.compile(r"<!-- not run: .+ -->$")
NOT_RUN_LINE = re.compile(r"(scripts/(?!run\.sh)|cmake|apt-get)\b")
SERVER_LINE = re.compile(r"scripts/run\.sh\b")
ASSIGNMENT = re.compile(r"\w+=\S+$|\w+\(\) \{.*\}$")
YAML_SCRIPT = re.compile(r"^( *)- (?:\w+: )?\|\n((?:\1 +.*\n|\n)+)", re.M)
YAML_VARIABLE = re.compile(r"^ *(OCP_MOCK_\w+): (\S+)$", re.M)
SHELL_NAME = re.compile(r"\$\{?([A-Z]\w*)")
OCP_MOCK_NAME = re.compile(r"\bOCP_MOCK_\w+")
COMMENT = re.compile(r"(^| +)# .*$", re.M)
VARYING = re.compile(r'("(?:timestamp|traceId|duration|durationMicroseconds|time|now)":)(?:"[^"]*"|\d+)|(curl/)[\d.]+')
PATH = re.compile(r"(?<![\w./$:-])(?:\./|ocp-mock-server/)?((?:docs|fixtures|schema|scripts|server|tests)/[\w./-]*\w)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
SECONDS = 60  # for the server to start, and for the commands of one block

# Curl says nothing of its own, and fails when it is refused.
PRELUDE = "curl() { command curl --silent --fail-with-body \"$@\"; }\n"
END = "\x1e"  # stands behind the output of each command of a console block


class Problem(Exception):
    pass


class Block:
    def __init__(self, document, language, first, indent, runs, follows):
        self.document = document
        self.language = language
        self.first = first      # the index of its first line, behind the fence
        self.indent = indent
        self.runs = runs
        self.follows = follows  # the block before, where nothing but blank lines stands between
        self.lines = []

    def place(self, offset=0):
        return f"{self.document}:{self.first + offset + 1}"

    def content(self):
        """What a translation of the block must have."""
        text = "\n".join(self.lines)
        return self.language, self.runs, COMMENT.sub("", text) if self.language in ("sh", "yaml") else text


def blocks_of(document, lines=None):
    lines = lines or (ROOT / document).read_text("utf-8").split("\n")
    blocks, block, runs, follows = [], None, True, None
    for index, line in enumerate(lines):
        fence = FENCE.match(line)
        if block is None and fence:
            block = Block(document, fence[2], index + 1, fence[1], runs, follows)
        elif block is not None and fence and not fence[2]:
            blocks.append(block)
            block, runs, follows = None, True, blocks[-1]
        elif block is not None:
            block.lines.append(line.removeprefix(block.indent))
        elif line.strip():
            runs, follows = not NOT_RUN_BLOCK.match(line.strip()), None
    return blocks


class Session:
    """The shell and the server of one document. Its folder has links to the checkout and to the binary."""

    def __init__(self, binary, folder):
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("OCP_MOCK_")}
        self.environment |= {"NO_PROXY": "127.0.0.1", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.assignments = []
        self.server = None
        self.port = None
        for entry in ROOT.iterdir():
            if entry.name not in ("build", ".git"):
                (folder / entry.name).symlink_to(entry)
        (folder / "build" / "release").mkdir(parents=True)
        (folder / "build" / "release" / "ocp-mock-server").symlink_to(binary)
        (folder / "ocp-mock-server").symlink_to(folder)

    def start(self, options):
        self.stop()
        self.server = subprocess.Popen(["build/release/ocp-mock-server", *options, "--port", "0"], cwd=self.folder, text=True,
                                       env=self.environment | {"OCP_MOCK_LOG_LEVEL": "off"}, stdout=subprocess.PIPE)
        line = self.server.stdout.readline()
        if not line.startswith('{"event":"ready"'):
            raise Problem(f"scripts/run.sh {shlex.join(options)}: the server did not start. {line}")
        self.port = json.loads(line)["port"]

    def stop(self):
        if self.server is None:
            return
        self.server.terminate()
        self.server.communicate(timeout=SECONDS)
        self.server = None

    def run(self, script):
        """Gives the exit status, standard output and standard error. The server is the one on port 8080 for the script."""
        script = PRELUDE + "\n".join(self.assignments + [script])
        script = script.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", timeout=SECONDS)
        return done.returncode, self.as_shown(done.stdout), self.as_shown(done.stderr)

    def as_shown(self, text):
        return text.replace(f"127.0.0.1:{self.port}", "127.0.0.1:8080")


def run_shell_block(session, block):
    """Gives what the commands wrote to standard output."""
    output, script = "", []

    def run():
        nonlocal output
        if not any(line.strip() and not line.startswith("#") for line in script):
            return
        status, written, errors = session.run("set -euo pipefail\n" + "\n".join(script))
        if status != 0:
            raise Problem(f"line {block.first + 1}: exit status {status}\n{written}{errors}")
        output += written

    for line in block.lines:
        if SERVER_LINE.match(line):
            run()
            script = []
            session.start(shlex.split(line, comments=True)[1:])
        elif not NOT_RUN_LINE.match(line):
            script.append(line)
            if ASSIGNMENT.match(line):
                session.assignments.append(line)
    run()
    return output


def run_yaml_block(session, block, text):
    """Runs the scripts of a CI job; text is that of the document."""
    yaml = "\n".join(block.lines) + "\n"
    for name in sorted(set(SHELL_NAME.findall(yaml))):
        if not re.search(rf"\b{name}[=:]", yaml) and f"`{name}`" not in text:
            raise Problem(f"line {block.first + 1}: nothing says what ${name} is")
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in YAML_VARIABLE.findall(yaml))
    for match in YAML_SCRIPT.finditer(yaml):
        status, written, errors = session.run("set -eu\n" + exports + textwrap.dedent(match[2]))
        if status != 0:
            raise Problem(f"line {block.first + 1}: exit status {status}\n{written}{errors}")


def run_console_block(session, block):
    """Gives, of each command, the offset of its line, the command, its exit status and what it wrote."""
    starts = [offset for offset, line in enumerate(block.lines) if line.startswith("$ ")]
    commands = [block.lines[offset][2:] for offset in starts]
    script = "".join(f"{{ {command}\n}} 2>&1\nprintf '{END}%s{END}' $?\n" for command in commands)
    _, written, errors = session.run(script)
    parts = written.split(END)
    if len(parts) != 2 * len(commands) + 1:
        raise Problem(f"line {block.first + 1}: the commands did not run to the end\n{written}{errors}")
    return [(offset, command, int(parts[2 * i + 1]), parts[2 * i])
            for i, (offset, command) in enumerate(zip(starts, commands))]


def admin_call(command):
    """The method and the path of a command that asks the admin with curl, or nothing."""
    words = shlex.split(command.split(" | ")[0])
    paths = [word.removeprefix("$admin") for word in words if word == "$admin" or word.startswith("$admin/")]
    if words[0] != "curl" or not paths:
        return None
    method = "GET"
    if "-X" in words:
        method = words[words.index("-X") + 1]
    elif "-G" not in words and any(word.startswith(("-d", "--data")) for word in words):
        method = "POST"
    return method, "/__admin" + paths[0].split("?")[0]


def same(shown, written):
    def plain(text):
        return VARYING.sub(r"\1\2", text.rstrip("\n"))
    return plain(shown) == plain(written)


class Checker:
    def __init__(self, binary, update):
        self.binary = binary
        self.update = update
        self.problems = []
        self.calls = set()  # the admin calls that were shown and passed
        options = "".join(subprocess.run([binary, *words], capture_output=True, encoding="utf-8", check=True).stdout
                          for words in (["--help"], ["exec", "--help"]))
        build = (ROOT / "CMakeLists.txt").read_text("utf-8")
        self.names = set(OCP_MOCK_NAME.findall(options + build))

    def run_document(self, document):
        lines = (ROOT / document).read_text("utf-8").split("\n")
        blocks = blocks_of(document, lines)
        changes = []  # first line, line behind the last, new lines

        def compare(block, first, last, written):
            shown = block.lines[first:last]
            if same("\n".join(shown), written):
                return
            if self.update:
                new = [block.indent + line for line in written.rstrip("\n").split("\n")] if written else []
                changes.append((block.first + first, block.first + last, new))
                return
            self.problems.append(f"{block.place(first)}: the answer is another one\n"
                                 f"  shown:   {chr(10).join(shown)}\n  written: {written}")

        with tempfile.TemporaryDirectory() as name:
            session = Session(self.binary, pathlib.Path(name))
            output = {}
            try:
                for block in blocks:
                    if not block.runs:
                        continue
                    if block.language == "sh":
                        output[block] = run_shell_block(session, block)
                    elif block.language == "json" and block.follows in output:
                        compare(block, 0, len(block.lines), output[block.follows])
                    elif block.language == "yaml":
                        run_yaml_block(session, block, "\n".join(lines))
                    elif block.language == "console":
                        answers = run_console_block(session, block)
                        ends = [answer[0] for answer in answers[1:]] + [len(block.lines)]
                        for (offset, command, status, written), end in zip(answers, ends):
                            compare(block, offset + 1, end, written)
                            if document == ADMIN and status == 0:
                                self.calls.add(admin_call(command))
            finally:
                session.stop()
        for first, last, new in reversed(changes):
            lines[first:last] = new
        if changes:
            (ROOT / document).write_text("\n".join(lines), "utf-8")

    def same_blocks(self, document, english):
        """Whether the document has the blocks of the page in English, so that it need not be run."""
        blocks = blocks_of(document)
        of_english = [block.content() for block in blocks_of(english)]
        if [block.content() for block in blocks] == of_english:
            return True
        for block in blocks:
            compared = block.language == "json" and block.follows and block.follows.language == "sh"
            is_run = block.runs and (block.language in ("sh", "console", "yaml") or compared)
            if not is_run and block.content() not in of_english:
                self.problems.append(f"{block.place()}: nothing runs this block, and {english} does not have it")
        return False

    def check_translation(self, document, english):
        for page, other in ((document, english), (english, document)):
            links = {(ROOT / page).parent.joinpath(link).resolve() for link in LINK.findall((ROOT / page).read_text("utf-8"))}
            if ROOT / other not in links:
                self.problems.append(f"{page}: there is no link to {other}")

    def check_calls(self):
        paths = json.loads((ROOT / "schema" / "admin.openapi.json").read_text("utf-8"))["paths"]
        for path, operations in paths.items():
            pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
            for method in sorted(operations.keys() & {"get", "put", "post", "patch", "delete"}):
                if not any(call and call[0] == method.upper() and pattern.fullmatch(call[1]) for call in self.calls):
                    self.problems.append(f"{ADMIN}: {method.upper()} {path} is not shown with an answer, "
                                         "or is not answered with success")

    def check_names(self, document):
        text = (ROOT / document).read_text("utf-8")
        for name in sorted({*OCP_MOCK_NAME.findall(text)} - self.names):
            self.problems.append(f"{document}: {name} is no variable of the server or of the build")
        folder = (ROOT / document).parent
        for path in sorted({match[1] for match in PATH.finditer(text)}):
            # A module of server/ may be named without the endings of its files.
            if not (ROOT / path).exists() and not list(ROOT.glob(path + ".*")):
                self.problems.append(f"{document}: there is no {path}")
        for link in LINK.findall(text):
            file, _, anchor = link.partition("#")
            target = folder / file if file else ROOT / document
            if "://" in link:
                continue
            if not target.exists():
                self.problems.append(f"{document}: the link {link} leads nowhere")
            elif anchor and anchor not in anchors_of(target.read_text("utf-8")):
                self.problems.append(f"{document}: {link}: {target.name} has no such heading")


def anchors_of(text):
    """The anchors of a document's headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--update"]
    if len(arguments) != 1:
        sys.exit("usage: check_docs.py BINARY [--update]")
    checker = Checker(pathlib.Path(arguments[0]).resolve(), "--update" in sys.argv)
    for document in READ:
        checker.check_names(document)
    for document, english in ENGLISH_OF.items():
        checker.check_translation(document, english)
    for document in RUN:
        english = ENGLISH_OF.get(document)
        if english and checker.same_blocks(document, english):
            continue
        try:
            checker.run_document(document)
        except (Problem, subprocess.TimeoutExpired) as problem:
            checker.problems.append(f"{document}: {problem}")
    checker.check_calls()
    for problem in checker.problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(checker.problems))


main()
