"""Golden of Word documents with tracked changes: what pandoc reads of each when they are accepted, and when rejected.

    python make.py

Writes NAME.docx beside this file, and case.json with the texts of the blocks of both drafts by pandoc, notes last. Some
documents are python-docx's, with changes put into its XML; `random-*` are made of every kind of change at random.
Needs python-docx and pypandoc_binary.
"""

import io
import json
import random
import zipfile
from importlib.metadata import version
from pathlib import Path

import docx
import pypandoc
from docx.oxml import parse_xml

HERE = Path(__file__).parent
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BY = 'w:id="{id}" w:author="Reader {who}" w:date="2024-07-26T10:00:00Z"'
TYPES = """<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
<Override PartName="/word/footnotes.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"/>
</Types>"""
RELATIONS = """<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>"""


def run(text, tag="t"):
    return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


def changed(kind, inner, number, who="A"):
    return f"<w:{kind} {BY.format(id=number, who=who)}>{inner}</w:{kind}>"


def paragraph(inner, mark=""):
    properties = f"<w:pPr><w:rPr>{mark}</w:rPr></w:pPr>" if mark else ""
    return f"<w:p>{properties}{inner}</w:p>"


def plain(body, notes=None):
    """A document of the parts that every reader needs, and nothing else."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        def put(name, text):
            file.writestr(zipfile.ZipInfo(name, (2024, 7, 26, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
        put("[Content_Types].xml", TYPES)
        put("_rels/.rels", RELATIONS.format(kind="officeDocument", target="word/document.xml"))
        put("word/document.xml", f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>')
        if notes:
            put("word/_rels/document.xml.rels", RELATIONS.format(kind="footnotes", target="footnotes.xml"))
            put("word/footnotes.xml", f'<?xml version="1.0" encoding="UTF-8"?><w:footnotes xmlns:w="{W}">{notes}</w:footnotes>')
    return made.getvalue()


def by_library():
    """A document of python-docx, with headings, a list and a table, changed in its XML."""
    document = docx.Document()
    document.add_heading("On rivers", 0)
    document.add_heading("Water & stone", 1)
    document.add_paragraph("The river were high. It fell soon.")
    document.add_paragraph("A first point", style="List Bullet")
    document.add_paragraph("A second point", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for at, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"Cell {at}"
    document.add_paragraph("Nobody knew why.")
    ns = f'xmlns:w="{W}"'
    body = document.element.body
    first = body.findall(f"{{{W}}}p")[2]
    for old in first.findall(f"{{{W}}}r"):
        first.remove(old)
    for number, piece in enumerate([
        run("The river "), changed("del", run("were", "delText"), 1), changed("ins", run("was"), 2), run(" high. It fell soon"),
        changed("ins", run(" enough", "t") , 3, "B"), run("."),
    ]):
        element = parse_xml(f"<w:body {ns}>{piece}</w:body>")
        for child in list(element):
            first.append(child)
    row = table.rows[1]._tr
    row.insert(0, parse_xml(f"<w:trPr {ns}>{changed('del', '', 9)}</w:trPr>"))
    for cell in row.findall(f"{{{W}}}tc"):
        inner = cell.find(f"{{{W}}}p")
        own = inner.findall(f"{{{W}}}r")
        wrapped = parse_xml(f"<w:del {ns} {BY.format(id=8, who='A')}/>")
        for one in own:
            for text in one.findall(f"{{{W}}}t"):
                text.tag = f"{{{W}}}delText"
            wrapped.append(one)
        inner.append(wrapped)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


WORDS = "stone river glass paper salt wind light house letter garden".split()


def random_document(seed):
    draw = random.Random(seed)
    numbers = iter(range(1, 1000))

    def words():
        return " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 4))) + draw.choice([" ", ". ", ", "])

    def piece():
        kind = draw.choice(["", "", "", "ins", "del", "both", "move"])
        who = draw.choice("AB")
        if kind == "ins":
            return changed("ins", run(words()), next(numbers), who)
        if kind == "del":
            return changed("del", run(words(), "delText"), next(numbers), who)
        if kind == "both":
            inner = run(words()) + changed("del", run(words(), "delText"), next(numbers), who)
            return changed("ins", inner, next(numbers), who)
        if kind == "move":
            text = words()
            return changed("moveFrom", run(text), next(numbers), who) + run(words()) + changed("moveTo", run(text), next(numbers), who)
        return run(words())

    def paragraphs(count, marks=True):
        made = []
        for at in range(count):
            # The last paragraph's mark stays: nothing could follow it.
            mark = draw.choice(["", "", "", "ins", "del"]) if marks and at + 1 < count else ""
            properties = changed(mark, "", next(numbers)) if mark else ""
            made.append(paragraph("".join(piece() for _ in range(draw.randint(1, 5))), properties))
        return "".join(made)

    table = "<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid><w:tr>" + "".join(f"<w:tc>{paragraphs(2, False)}</w:tc>" for _ in range(2)) + "</w:tr></w:tbl>"
    link = paragraph(f'<w:hyperlink w:anchor="a">{run("linked ")}{piece()}</w:hyperlink>' + run("end."))
    note = f'<w:footnote w:id="2">{paragraph(run("Note: ") + piece())}</w:footnote>'
    marked = paragraph(run("It says so.") + '<w:r><w:footnoteReference w:id="2"/></w:r>')
    return plain(paragraphs(draw.randint(2, 6)) + table + link + marked + paragraphs(2, False), note)


def inline(items, notes):
    text = ""
    for item in items:
        kind, content = item["t"], item.get("c")
        if kind == "Str":
            text += content
        elif kind in ("Space", "SoftBreak", "LineBreak"):
            text += " "
        elif kind in ("Emph", "Strong", "Underline", "Strikeout", "Superscript", "Subscript", "SmallCaps"):
            text += inline(content, notes)
        elif kind in ("Span", "Link"):
            text += inline(content[1], notes)
        elif kind == "Note":
            notes.extend(blocks(content, notes))
        else:
            raise ValueError(kind)
    return text


def blocks(items, notes):
    texts = []
    for item in items:
        kind, content = item["t"], item.get("c")
        if kind in ("Para", "Plain"):
            texts.append(inline(content, notes))
        elif kind == "Header":
            texts.append(inline(content[2], notes))
        elif kind == "BulletList":
            texts += [text for one in content for text in blocks(one, notes)]
        elif kind == "OrderedList":
            texts += [text for one in content[1] for text in blocks(one, notes)]
        elif kind == "BlockQuote":
            texts += blocks(content, notes)
        elif kind == "Div":
            texts += blocks(content[1], notes)
        elif kind == "Table":
            _, _, _, head, bodies, foot = content
            rows = head[1] + [row for body in bodies for row in body[2] + body[3]] + foot[1]
            texts += [text for row in rows for cell in row[1] for text in blocks(cell[4], notes)]
        else:
            raise ValueError(kind)
    return texts


def read(path, changes):
    parsed = json.loads(pypandoc.convert_file(str(path), "json", extra_args=[f"--track-changes={changes}"]))
    notes = []
    title = parsed["meta"].get("title")
    texts = [inline(title["c"], notes)] if title else []
    texts += blocks(parsed["blocks"], notes)
    texts = [" ".join(text.split()) for text in texts + notes]
    return [text for text in texts if text]


def main():
    made = {"python-docx": by_library()}
    made |= {f"random-{seed}": random_document(seed) for seed in range(12)}
    case = {"pandoc": pypandoc.get_pandoc_version(), "python-docx": version("python-docx"), "documents": {}}
    for name, content in made.items():
        path = HERE / f"{name}.docx"
        path.write_bytes(content)
        case["documents"][name] = {"rejected": read(path, "reject"), "accepted": read(path, "accept")}
    (HERE / "case.json").write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
