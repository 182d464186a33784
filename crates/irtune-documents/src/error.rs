//! What can be wrong with a draft.

/// A draft can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Bytes that are no text.
    #[error("{name}: byte {at} is not UTF-8; save the draft as UTF-8 text")]
    Encoding {
        /// The draft.
        name: String,
        /// The first such byte, from 0.
        at: usize,
    },
    /// Not a zip file, as Word documents are.
    #[error("{name}: not a Word document: {source}")]
    Archive {
        /// The draft.
        name: String,
        /// What the zip reader says.
        source: zip::result::ZipError,
    },
    /// An encrypted document, or one of the Word versions before 2007.
    #[error(
        "{name}: an old or encrypted Word document; open it in Word and save it as .docx without a password"
    )]
    Compound {
        /// The draft.
        name: String,
    },
    /// A part that is too large to be text that somebody wrote.
    #[error("{name}: {part} is larger than {limit} bytes once unpacked")]
    Size {
        /// The draft.
        name: String,
        /// The part.
        part: String,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// A part that can't be unpacked.
    #[error("{name}: {part} can't be unpacked: {source}")]
    Unpack {
        /// The draft.
        name: String,
        /// The part.
        part: String,
        /// Why.
        source: std::io::Error,
    },
    /// A part that isn't XML.
    #[error("{name}: {part}, byte {at}: {source}")]
    Xml {
        /// The draft.
        name: String,
        /// The part.
        part: String,
        /// Where, in bytes from its beginning.
        at: u64,
        /// What the XML reader says.
        source: quick_xml::Error,
    },
}
