"""Pairs of drafts with their right alignment, in Markdown, LaTeX and Word; what pandoc reads of the Word ones.

    python make_pairs.py

Each pair is made of sentences and of what is done to them: changed, added, deleted, moved, divided, joined. That is its
alignment. `pairs.json` holds it beside both drafts as text. Those of Word are `pair-*.docx`, one document with tracked
changes each: `python-docx` makes them, `plain` is written by hand, and `libreoffice` is LibreOffice's own writing of a
document of python-docx. `hard-*.docx` have changes where readers lose them: in tables within tables, notes, text boxes,
fields over several paragraphs and within each other, content controls, links, moved paragraphs. `documents` holds what pandoc reads of all of them,
but of the text box, which it leaves out.
Needs python-docx, pypandoc_binary and, for `libreoffice`, soffice.
"""

import io
import json
import random
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

import docx
from docx.oxml import parse_xml

import make
from make import W, changed, paragraph, plain, run

HERE = Path(__file__).parent
NOUNS = """harbour orchard lantern quarry meadow theatre bakery canal glacier museum tunnel garden workshop library chapel
market viaduct lighthouse vineyard station brewery courtyard observatory windmill nursery ferry archive foundry terrace pavilion
castle brook hospital quay bazaar dairy stable signal tower plaza kiosk depot hangar barn granary""".split()
VERBS = "closed opened flooded burned expanded moved collapsed reopened shrank lost changed attracted sheltered rented supplied".split()
TAILS = """after a storm in March|before the war began|because nobody paid for repairs|with help from two neighbours|during the long
drought|while the council hesitated|since fewer tourists arrived|despite several warnings|under a new owner|for the second time that
year|without any public notice|near the old border|at the request of the mayor|on a quiet Sunday|over ten difficult years""".replace("\n", " ").split("|")
SWAPS = {"The": "This", "old": "former", "small": "modest", "nearly": "almost", "its": "all its"}


class Sentences:
    """Sentences of which no two are alike."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.nouns = self.draw.sample(NOUNS, len(NOUNS))

    def clause(self):
        noun, other = self.nouns.pop(), self.nouns.pop()
        return f"{self.draw.choice(['old', 'small'])} {noun} {self.draw.choice(VERBS)} nearly its whole {other} {self.draw.choice(TAILS)}"

    def one(self):
        return f"The {self.clause()}."


def pair(seed):
    """Both drafts as blocks of sentences, and what became of each sentence that did not stay."""
    make_one = Sentences(seed)
    draw = make_one.draw
    old, new, said = [], [], []
    title = f"On the {draw.choice(['coast', 'valley', 'island', 'plain'])} {seed}"
    blocks = []
    for _ in range(4):
        before, after = [], []
        kept = make_one.one()
        before.append(kept)
        after.append(kept)
        kind = draw.choice(["modified", "added", "deleted", "split", "joined"])
        if kind == "modified":
            sentence = make_one.one()
            swap = draw.choice([word for word in SWAPS if f" {word} " in f" {sentence}"])
            edited = re.sub(rf"\b{swap}\b", SWAPS[swap], sentence, count=1)
            before.append(sentence)
            after.append(edited)
            said.append(("modified", sentence, edited))
        elif kind == "added":
            sentence = make_one.one()
            after.append(sentence)
            said.append(("added", "", sentence))
        elif kind == "deleted":
            sentence = make_one.one()
            before.append(sentence)
            said.append(("deleted", sentence, ""))
        else:
            first, second = make_one.clause(), make_one.clause()
            whole = f"The {first}, and the {second}."
            parts = f"The {first}. The {second}."
            one, other = (whole, parts) if kind == "split" else (parts, whole)
            before.append(one)
            after.append(other)
            said.append((kind, one, other))
        last = make_one.one()
        before.append(last)
        after.append(last)
        blocks.append((before, after))
    # A sentence moves from the first block to the end of the last one.
    moved = make_one.one()
    blocks[0][0].insert(1, moved)
    blocks[-1][1].append(moved)
    said.append(("moved", moved, moved))
    old = [" ".join(before) for before, _ in blocks]
    new = [" ".join(after) for _, after in blocks]
    return title, old, new, said


def markdown(title, blocks):
    return f"# {title}\n\n" + "\n\n".join(re.sub(r"\. ", ".\n", block) for block in blocks) + "\n"


def latex(title, blocks):
    body = "\n\n".join(block.replace("nearly", "\\emph{nearly}") for block in blocks)
    return f"\\documentclass{{article}}\n\\begin{{document}}\n\\section{{{title}}}\n% A remark that is no text.\n{body}\n\\end{{document}}\n"


def pieces(before, after):
    """What stays, goes and comes, sentence by sentence; words in a sentence that has a counterpart."""
    import difflib

    def cut(text):
        return re.findall(r"\S+\s*", text)

    old, new = cut(before), cut(after)
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        if tag == "equal":
            yield "", "".join(old[a:b])
            continue
        if a < b:
            yield "del", "".join(old[a:b])
        if c < d:
            yield "ins", "".join(new[c:d])


def tracked(before, after, numbers):
    """The runs of a paragraph with tracked changes."""
    made = ""
    for kind, text in pieces(before, after):
        inner = run(text, "delText" if kind == "del" else "t")
        made += changed(kind, inner, next(numbers)) if kind else inner
    return made


def by_hand(title, old, new):
    numbers = iter(range(1, 10_000))
    heading = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{run(title)}</w:p>'
    return plain(heading + "".join(paragraph(tracked(a, b, numbers)) for a, b in zip(old, new)))


def by_library(title, old, new):
    numbers = iter(range(1, 10_000))
    document = docx.Document()
    document.add_heading(title, 1)
    for a, b in zip(old, new):
        element = document.add_paragraph()._p
        for child in list(parse_xml(f'<w:body xmlns:w="{W}">{tracked(a, b, numbers)}</w:body>')):
            element.append(child)
    made = io.BytesIO()
    document.save(made)
    return lean(made.getvalue())


def lean(content):
    """Without the thumbnail and the styles that nothing uses: the same text in a tenth of the bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/thumbnail.jpeg" or name.startswith("customXml/"):
                continue
            if name in ("_rels/.rels", "word/_rels/document.xml.rels"):
                data = re.sub(rb"<Relationship [^>]*(thumbnail|customXml)[^>]*/>", b"", data)
            if name == "word/styles.xml":
                kept = re.compile(rb'<w:style [^>]*w:styleId="(?!Normal|Heading1|Title|ListBullet|DefaultParagraphFont)[^"]*".*?</w:style>', re.S)
                data = re.sub(rb"<w:latentStyles.*?</w:latentStyles>", b"", kept.sub(b"", data), flags=re.S)
            file.writestr(zipfile.ZipInfo(name, (2024, 7, 26, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def by_libreoffice(title, old, new):
    """LibreOffice's own writing of a document of python-docx."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "in.docx").write_bytes(by_library(title, old, new))
        command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "docx:MS Word 2007 XML", "--outdir", str(folder / "out"), str(folder / "in.docx")]
        subprocess.run(command, check=True, capture_output=True)
        return lean((folder / "out" / "in.docx").read_bytes())


def cell(*inner):
    return f"<w:tc>{''.join(inner)}</w:tc>"


def row(*cells, change=""):
    return f"<w:tr>{f'<w:trPr>{change}</w:trPr>' if change else ''}{''.join(cells)}</w:tr>"


def table(*rows):
    return f"<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid>{''.join(rows)}</w:tbl>"


def field(kind, text=""):
    inner = f'<w:instrText xml:space="preserve">{text}</w:instrText>' if text else f'<w:fldChar w:fldCharType="{kind}"/>'
    return f"<w:r>{inner}</w:r>"


def ins(text, number):
    return changed("ins", run(text), number)


def gone(text, number):
    return changed("del", run(text, "delText"), number)


def marker(kind, number, name="m"):
    return f'<w:{kind} {make.BY.format(id=number, who="A")} w:name="{name}"/>' if kind.endswith("Start") else f'<w:{kind} w:id="{number}"/>'


def hard():
    inner = table(row(cell(paragraph(run("Inner ") + ins("new ", 1) + gone("old ", 2) + run("cell."))), cell(paragraph(run("Right.")))))
    last = paragraph(run("The end."))
    yield "nested-table", plain(table(row(cell(paragraph(run("Before.")), inner, paragraph(run("After.") + ins(" Again.", 3))), cell(paragraph(gone("Gone.", 4))))) + last)
    inserted_row = row(cell(paragraph(ins("One.", 5))), cell(paragraph(ins("Two.", 6))), change=changed("ins", "", 7))
    deleted_row = row(cell(paragraph(gone("Three.", 8))), cell(paragraph(gone("Four.", 9))), change=changed("del", "", 10))
    yield "table-rows", plain(table(row(cell(paragraph(run("Head."))), cell(paragraph(run("Side.")))), inserted_row, deleted_row) + last)
    notes = "".join(f'<w:footnote w:id="{number}">{paragraph(text)}</w:footnote>' for number, text in [
        (2, run("First ") + ins("real ", 11) + run("note.")), (3, gone("Second note.", 12)), (4, ins("Third note.", 13))])

    def reference(number):
        return f'<w:r><w:footnoteReference w:id="{number}"/></w:r>'

    yield "footnotes", plain(paragraph(run("It is") + reference(2) + run(" so.")) + paragraph(run("Nobody knew.") + changed("del", reference(3), 14)) + paragraph(run("All did.") + changed("ins", reference(4), 15)) + last, notes)
    text = run("A paragraph that moves.")
    source = f"<w:p><w:pPr><w:rPr>{changed('moveFrom', '', 16)}</w:rPr></w:pPr>{marker('moveFromRangeStart', 17)}{changed('moveFrom', text, 18)}{marker('moveFromRangeEnd', 17)}</w:p>"
    target = f"<w:p><w:pPr><w:rPr>{changed('moveTo', '', 19)}</w:rPr></w:pPr>{marker('moveToRangeStart', 20)}{changed('moveTo', text, 21)}{marker('moveToRangeEnd', 20)}</w:p>"
    yield "moved-paragraph", plain(paragraph(run("First of all.")) + source + paragraph(run("It stays.")) + target + last)
    fields = paragraph(run("See ") + field("begin") + field("", " REF a ") + field("separate") + run("Figure ") + ins("2", 22) + gone("1", 23) + field("end") + run(" here."))
    spanning = paragraph(field("begin") + field("", " TOC ") + field("separate") + run("Chapter one")) + paragraph(run("Chapter ") + gone("two", 24) + ins("three", 25)) + paragraph(field("end") + run("Text."))
    yield "fields", plain(fields + spanning + last)
    nested = paragraph(run("Page ") + field("begin") + field("", " IF ") + field("begin") + field("", " PAGE ") + field("separate") + run("7") + field("end") + field("separate") + run("seven") + field("end") + run("."))
    # What a simple field (w:fldSimple) shows is left out by pandoc, so there is none.
    yield "nested-fields", plain(nested + paragraph(run("Here it ") + ins("was", 26) + gone("is", 27) + run(".")) + last)
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph(run('In a ') + ins('content ', 28) + run('control.'))}</w:sdtContent></w:sdt>"
    inline = paragraph(run("Here ") + f"<w:sdt><w:sdtContent>{run('too') + gone(' much', 29)}</w:sdtContent></w:sdt>" + run("."))
    yield "content-controls", plain(control + inline + last)
    link = paragraph(changed("ins", f'<w:hyperlink w:anchor="a">{run("linked")}</w:hyperlink>', 30) + run(" text ") + f'<w:hyperlink w:anchor="b">{gone("old ", 31) + ins("new ", 32) + run("link")}</w:hyperlink>' + run("."))
    yield "links", plain(link + last)
    # Without the blank at its end pandoc would put one between what is joined again; Word does not.
    split = f"<w:p><w:pPr><w:rPr>{changed('ins', '', 33)}</w:rPr></w:pPr>{run('One came first. ')}</w:p>" + paragraph(run("Then another."))
    merged = f"<w:p><w:pPr><w:rPr>{changed('del', '', 34)}</w:rPr></w:pPr>{run('These two ')}</w:p>" + paragraph(run("are one."))
    yield "paragraph-marks", plain(split + merged + last)
    inside = f'<w:txbxContent>{paragraph(run("In a ") + ins("text ", 35) + run("box."))}</w:txbxContent>'
    names = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml"'
    drawn = f'<mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx>{inside}</wps:txbx></wps:wsp></w:drawing></mc:Choice>'
    earlier = f"<mc:Fallback><w:pict><v:shape><v:textbox>{inside}</v:textbox></v:shape></w:pict></mc:Fallback>"
    yield "text-box", plain(paragraph(run("Around it.") + f"<w:r><mc:AlternateContent {names}>{drawn}{earlier}</mc:AlternateContent></w:r>") + last)
    special = paragraph("<w:r><w:t>A</w:t><w:tab/><w:t>B</w:t><w:br/><w:t>C</w:t><w:noBreakHyphen/><w:t>D</w:t><w:softHyphen/><w:t>E</w:t></w:r>" + changed("ins", "<w:r><w:t>F</w:t><w:tab/><w:t>G</w:t></w:r>", 36))
    yield "special-characters", plain(special + last)
    formatted = paragraph('<w:r><w:rPr><w:b/><w:rPrChange w:id="37" w:author="A"><w:rPr><w:i/></w:rPr></w:rPrChange></w:rPr><w:t xml:space="preserve">Bold </w:t></w:r>' + changed("ins", '<w:r><w:rPr><w:i/></w:rPr><w:t>now</w:t></w:r>', 38) + run("."))
    yield "formatting", plain(formatted + last)


def main():
    pairs = []
    documents = {}
    for seed in range(27):
        title, old, new, said = pair(seed)
        kind = ["markdown", "latex", "plain", "python-docx", "libreoffice"][seed % 5] if seed >= 12 else ["markdown", "latex"][seed % 2]
        own = {"name": f"pair-{seed}", "kind": kind, "revisions": said}
        if kind in ("markdown", "latex"):
            write = markdown if kind == "markdown" else latex
            own |= {"old": write(title, old), "new": write(title, new)}
        else:
            write = {"plain": by_hand, "python-docx": by_library, "libreoffice": by_libreoffice}[kind]
            documents[own["name"]] = write(title, old, new)
        pairs.append(own)
    documents |= {f"hard-{name}": content for name, content in hard()}
    case = {}
    for name, content in documents.items():
        path = HERE / f"{name}.docx"
        path.write_bytes(content)
        case[name] = {"rejected": make.read(path, "reject"), "accepted": make.read(path, "accept")}
    # A hyphen that doesn't break is a hyphen, and one that is shown only where a line ends is none.
    for own in case.values():
        for version, texts in own.items():
            own[version] = [text.replace("\u2011", "-").replace("\u00ad", "") for text in texts]
    # Pandoc leaves text boxes out.
    case["hard-text-box"] = {"rejected": ["In a box.", "Around it.", "The end."], "accepted": ["In a text box.", "Around it.", "The end."]}
    (HERE / "pairs.json").write_text(json.dumps({"pandoc": make.pypandoc.get_pandoc_version(), "pairs": pairs, "documents": case}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
