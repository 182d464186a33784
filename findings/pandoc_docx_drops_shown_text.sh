#!/usr/bin/env bash
# Packages: PyPI pypandoc_binary 1.17 (pandoc 3.9). Needs python3 with venv.
#
# Behaviour: pandoc reads a docx whose pages show "It was Monday here.", a text box "In a box." and the paragraphs
# "One." and "Two.", which were one, "One.Two.", before a tracked division. It leaves out what a simple field
# (w:fldSimple) shows, which is kept where the same field is written as w:fldChar, and leaves out the text box. With
# the division rejected it puts a blank between the two, which was never there.
#
# Output seen:
#   simple field: It was here.
#   complex field: It was Monday here.
#   text box: Around it.
#   division rejected: One. Two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet pypandoc_binary==1.17
cat >look.py <<'SCRIPT'
import zipfile

import pypandoc

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
KIND = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def text(body, changes="accept"):
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="{KIND}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" Type="{OFFICE}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
    }
    with zipfile.ZipFile("made.docx", "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    plain = pypandoc.convert_file("made.docx", "plain", extra_args=[f"--track-changes={changes}", "--wrap=none"])
    return " | ".join(line for line in plain.splitlines() if line)


def run(text):
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def mark(kind):
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


simple = f'<w:fldSimple w:instr=" DATE ">{run("Monday")}</w:fldSimple>'
code = '<w:r><w:instrText xml:space="preserve"> DATE </w:instrText></w:r>'
whole = mark("begin") + code + mark("separate") + run("Monday") + mark("end")
box = f'<w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:textbox><w:txbxContent><w:p>{run("In a box.")}</w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>'
divided = '<w:p><w:pPr><w:rPr><w:ins w:id="1" w:author="A" w:date="2026-01-01T00:00:00Z"/></w:rPr></w:pPr>'
seen = {
    "simple field": text(f"<w:p>{run('It was ')}{simple}{run(' here.')}</w:p>"),
    "complex field": text(f"<w:p>{run('It was ')}{whole}{run(' here.')}</w:p>"),
    "text box": text(f"<w:p>{run('Around it.')}{box}</w:p>"),
    "division rejected": text(f"{divided}{run('One.')}</w:p><w:p>{run('Two.')}</w:p>", "reject"),
}
for name, found in seen.items():
    print(f"{name}: {found}")
expected = {
    "simple field": "It was here.",
    "complex field": "It was Monday here.",
    "text box": "Around it.",
    "division rejected": "One. Two.",
}
assert seen == expected, seen
SCRIPT
environment/bin/python look.py
