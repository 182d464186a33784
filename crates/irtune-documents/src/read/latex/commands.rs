//! What LaTeX's commands and environments mean for prose.

use crate::block::BlockKind;

/// What is done with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Its argument is a block of its own.
    Block(BlockKind),
    /// It stands in the text as `[argument]`, as one word.
    Reference,
    /// Its argument stands in the text as it is typed.
    Literal,
    /// It makes a command, which is no text.
    Definition,
    /// This many arguments are no text, and the last one is.
    After(usize),
    /// It and its arguments are no text.
    Nothing,
    /// It is a blank.
    Blank,
    /// It ends a paragraph.
    Break,
    /// It begins an item of a list.
    Item,
    /// It is this text.
    Text(&'static str),
    /// Its arguments are text.
    Transparent,
}

pub(super) fn meaning(command: &str) -> Meaning {
    match command.trim_end_matches('*') {
        "part" | "chapter" | "section" | "subsection" | "subsubsection" | "paragraph" | "subparagraph"
        | "title" => Meaning::Block(BlockKind::Heading),
        "footnote" | "footnotetext" | "thanks" | "endnote" => Meaning::Block(BlockKind::Note),
        "caption" | "captionof" => Meaning::Block(BlockKind::Caption),
        "ref" | "eqref" | "pageref" | "autoref" | "cref" | "Cref" | "nameref" => Meaning::Reference,
        "url" | "path" | "nolinkurl" => Meaning::Literal,
        "newcommand"
        | "renewcommand"
        | "providecommand"
        | "def"
        | "let"
        | "newenvironment"
        | "DeclareMathOperator" => Meaning::Definition,
        "href" | "textcolor" | "colorbox" | "foreignlanguage" | "raisebox" | "scalebox" | "parbox"
        | "rotatebox" | "hyperlink" | "hypertarget" | "texorpdfstring" => Meaning::After(1),
        "resizebox" | "multirow" | "multicolumn" | "fcolorbox" => Meaning::After(2),
        command if command.to_lowercase().contains("cite") => Meaning::Reference,
        "label" | "index" | "vspace" | "hspace" | "input" | "include" | "includegraphics"
        | "bibliography" | "bibliographystyle" | "pagestyle" | "thispagestyle" | "setlength"
        | "addtolength" | "usepackage" | "documentclass" | "graphicspath" | "color" | "definecolor"
        | "date" | "author" | "affiliation" | "email" | "setcounter" | "addcontentsline" | "hyphenation"
        | "pdfbookmark" | "hypersetup" | "addbibresource" | "newtheorem" | "theoremstyle" | "todo"
        | "nocite" | "rule" | "phantom" | "vphantom" | "hphantom" | "fontsize" => Meaning::Nothing,
        " " | "\n" | "," | ";" | ":" | "!" | "quad" | "qquad" | "enspace" | "thinspace" | "hfill"
        | "space" | "\\" | "newline" | "linebreak" => Meaning::Blank,
        "par" | "bigskip" | "medskip" | "smallskip" | "newpage" | "clearpage" | "pagebreak" => Meaning::Break,
        "item" => Meaning::Item,
        "%" => Meaning::Text("%"),
        "&" => Meaning::Text("&"),
        "$" => Meaning::Text("$"),
        "#" => Meaning::Text("#"),
        "_" => Meaning::Text("_"),
        "{" => Meaning::Text("{"),
        "}" => Meaning::Text("}"),
        "ldots" | "dots" | "textellipsis" => Meaning::Text("…"),
        "textendash" => Meaning::Text("–"),
        "textemdash" => Meaning::Text("—"),
        "textquoteleft" => Meaning::Text("‘"),
        "textquoteright" => Meaning::Text("’"),
        "textquotedblleft" => Meaning::Text("“"),
        "textquotedblright" => Meaning::Text("”"),
        "textbackslash" => Meaning::Text("\\"),
        "textasciitilde" => Meaning::Text("~"),
        "LaTeX" => Meaning::Text("LaTeX"),
        "TeX" => Meaning::Text("TeX"),
        "ss" => Meaning::Text("ß"),
        "ae" => Meaning::Text("æ"),
        "AE" => Meaning::Text("Æ"),
        "oe" => Meaning::Text("œ"),
        "OE" => Meaning::Text("Œ"),
        "aa" => Meaning::Text("å"),
        "AA" => Meaning::Text("Å"),
        "o" => Meaning::Text("ø"),
        "O" => Meaning::Text("Ø"),
        "l" => Meaning::Text("ł"),
        "L" => Meaning::Text("Ł"),
        "i" => Meaning::Text("ı"),
        "j" => Meaning::Text("ȷ"),
        "S" => Meaning::Text("§"),
        "P" => Meaning::Text("¶"),
        "copyright" => Meaning::Text("©"),
        "pounds" => Meaning::Text("£"),
        "euro" => Meaning::Text("€"),
        _ => Meaning::Transparent,
    }
}

/// What an environment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    /// Prose.
    Prose,
    /// A displayed formula, which belongs to the sentence around it.
    Math,
    /// Captions, and nothing else that is prose.
    Float,
    /// Text as it is typed: nothing in it is a command, and none is prose.
    Verbatim,
    /// No prose.
    Nothing,
}

pub(super) fn environment(name: &str) -> Environment {
    match name.trim_end_matches('*') {
        "equation" | "align" | "alignat" | "gather" | "multline" | "eqnarray" | "flalign" | "math"
        | "displaymath" => Environment::Math,
        "figure" | "table" | "wrapfigure" | "wraptable" | "sidewaysfigure" | "sidewaystable"
        | "algorithm" | "longtable" => Environment::Float,
        "verbatim" | "Verbatim" | "lstlisting" | "minted" | "comment" => Environment::Verbatim,
        "tabular" | "tabularx" | "tabulary" | "array" | "tikzpicture" | "picture" | "thebibliography"
        | "algorithmic" | "filecontents" | "CCSXML" => Environment::Nothing,
        _ => Environment::Prose,
    }
}
