use super::*;
use crate::block::BlockKind;
use proptest::prelude::*;

fn texts(latex: &str) -> Vec<String> {
    read(latex).blocks.into_iter().map(|block| block.text).collect()
}

#[test]
fn prose_stays_with_math_and_references_as_words() {
    let paper = r"\documentclass{article}\newcommand{\x}{no}
\begin{document}
\title{On \emph{rivers}}
\section*{Water} \label{sec:water}
We measure $a_1 = 50\%$ at 30\,\% % a comment
of sites~\cite[p.~3]{smith, jones} as \textbf{Fig.~\ref{fig:a}} shows\footnote{By \textit{hand}.}.
It is ``new'' --- or not.
\begin{equation} a = b \end{equation}
where $b$ holds.

\begin{figure}[t] \centering \includegraphics[width=1in]{a.png}
\caption[short]{The \emph{first} river.} \end{figure}
\begin{itemize} \item One. \item Two. \end{itemize}
\begin{verbatim}
not prose \section{no}
\end{verbatim}
\href{https://x}{The end} \def\y#1{no}.
\end{document} after";
    let blocks: Vec<_> = read(paper).blocks.into_iter().map(|block| (block.kind, block.text)).collect();
    let expected = [
        (BlockKind::Heading, "On rivers"),
        (BlockKind::Heading, "Water"),
        (
            BlockKind::Paragraph,
            "We measure $a_1 = 50\\%$ at 30 % of sites [smith,jones] as Fig. [fig:a] shows. It is \"new\" — or not. \
             $$a = b$$ where $b$ holds.",
        ),
        (BlockKind::Note, "By hand."),
        (BlockKind::Caption, "The first river."),
        (BlockKind::ListItem, "One."),
        (BlockKind::ListItem, "Two."),
        (BlockKind::Paragraph, "The end ."),
    ];
    assert_eq!(blocks, expected.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn accents_verbatim_and_pieces_without_a_document() {
    assert_eq!(
        texts(r#"Poincar\'e, na\"{\i}ve, \c{c}a, \ss{} and \verb|a_b| cost \$5."#),
        ["Poincaré, naïve, ça, ß and a_b cost $5."]
    );
    assert_eq!(texts("One.\n\nTwo.\\\\[2pt]Still two."), ["One.", "Two. Still two."]);
}

#[test]
fn what_is_never_closed_loses_nothing_before_it() {
    for open in
        ["\\begin{figure} a", "\\cite{a", "$a", "\\emph{a", "\\verb|a", "\\", "{", "\\begin{", "\\[ a"]
    {
        assert!(texts(&format!("Kept. {open}"))[0].starts_with("Kept."), "{open}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(\\\\|\\{|\\}|\\[|\\]|\\$|%|\n|begin|end|caption|figure|item|é|a| ){0,60}") {
        read(&text);
    }
}
