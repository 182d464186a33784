#!/usr/bin/env bash
# Packages: PyPI python-docx 1.2.0, docx2txt 0.9, docx2python 3.7.1 and mammoth 1.13.0. Needs python3 with venv.
#
# Behaviour: four readers of docx files, and a document with tracked changes: a word replaced, and a sentence moved
# behind another. With all changes accepted its text is "The model was trained." and "Second. First. ". Only mammoth
# says so. python-docx leaves out what was inserted and what was moved as well as what was deleted, so that its text is
# neither draft. docx2txt and docx2python show a moved sentence in both places.
#
# Output seen:
#   python-docx: The model  trained. | Second.
#   docx2txt: The model was trained. | First. Second. First.
#   docx2python: The model was trained. | First. Second. First.
#   mammoth: The model was trained. | Second. First.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet python-docx==1.2.0 docx2txt==0.9 docx2python==3.7.1 mammoth==1.13.0
cat >look.py <<'SCRIPT'
import docx
import docx2txt
import mammoth
from docx.oxml import parse_xml
from docx2python import docx2python

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
WHO = 'w:author="A" w:date="2026-01-01T00:00:00Z"'


def run(text, element="t"):
    return f'<w:r><w:{element} xml:space="preserve">{text}</w:{element}></w:r>'


def change(kind, number, inner):
    return f'<w:{kind} w:id="{number}" {WHO}>{inner}</w:{kind}>'


def moved(end, number, inner):
    start = f'<w:move{end}RangeStart w:id="{number}" w:name="move" {WHO}/>'
    return start + change(f"move{end}", number + 1, inner) + f'<w:move{end}RangeEnd w:id="{number}"/>'


paragraphs = [
    run("The model ")
    + change("del", 1, run("is", "delText"))
    + change("ins", 2, run("was"))
    + run(" trained."),
    moved("From", 3, run("First. ")) + run("Second. ") + moved("To", 5, run("First. ")),
]
document = docx.Document()
for place, inner in enumerate(paragraphs):
    document.element.body.insert(place, parse_xml(f"<w:p {NAMESPACE}>{inner}</w:p>"))
document.save("drafts.docx")

with open("drafts.docx", "rb") as file:
    by_mammoth = mammoth.extract_raw_text(file).value
read = {
    "python-docx": "\n".join(paragraph.text for paragraph in docx.Document("drafts.docx").paragraphs),
    "docx2txt": docx2txt.process("drafts.docx"),
    "docx2python": docx2python("drafts.docx").text,
    "mammoth": by_mammoth,
}
read = {name: [line.strip() for line in text.split("\n") if line.strip()] for name, text in read.items()}
for name, lines in read.items():
    print(f"{name}: {' | '.join(lines)}")
twice = ["The model was trained.", "First. Second. First."]
seen = {
    "python-docx": ["The model  trained.", "Second."],
    "docx2txt": twice,
    "docx2python": twice,
    "mammoth": ["The model was trained.", "Second. First."],
}
if read != seen:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py
