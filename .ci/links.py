"""Checks the Markdown of the repository: relative links and anchors, the width of lines,
and that every test named in docs/threats.md is there."""

import re
import subprocess
import sys
from pathlib import Path

WIDTH = 100
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)")


def prose(text):
    """Yields number, line and whether the line is outside code blocks."""
    outside = True
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            outside = not outside
            yield number, line, False
        else:
            yield number, line, outside


def anchors(path):
    """The anchors of a file's headings, as GitHub makes them."""
    names = set()
    for _, line, outside in prose(path.read_text()):
        heading = HEADING.match(line) if outside else None
        if heading:
            name = re.sub(r"[^\w\- ]", "", heading.group(1).lower()).replace(" ", "-")
            names.add(name)
    return names


def faults(path):
    for number, line, outside in prose(path.read_text()):
        if not outside:
            continue
        if len(line) > WIDTH and not line.startswith("|") and "](" not in line:
            yield f"{path}:{number}: {len(line)} columns"
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            there = path.parent / name if name else path
            if not there.exists():
                yield f"{path}:{number}: {target} is not there"
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                yield f"{path}:{number}: {target} has no such heading"


def missing_tests(path):
    """Tests that a page names and that no source has."""
    sources = [*Path("src").rglob("*.rs"), *Path("shim-tests").rglob("*.rs")]
    there = set(re.findall(r"\bfn (\w+)", "\n".join(source.read_text() for source in sources)))
    for number, line, outside in prose(path.read_text()):
        if outside and line.startswith("|"):
            for name in re.findall(r"`(\w+_\w+)`", line):
                if name not in there and name.islower():
                    yield f"{path}:{number}: there is no test {name}"


listed = subprocess.run(
    ["git", "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True, text=True, check=True
)
files = [Path(name) for name in listed.stdout.splitlines()]
found = [fault for file in files for fault in faults(file)]
found += missing_tests(Path("docs/threats.md"))
print("\n".join(found or [f"{len(files)} files, every link leads somewhere"]))
sys.exit(bool(found))
