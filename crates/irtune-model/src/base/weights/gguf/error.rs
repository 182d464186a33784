//! Why a GGUF can't be used.

use std::path::PathBuf;

/// Why a GGUF can't be used.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the fields' names recur and say what they are: the file, the tensor, the key"
)]
pub enum GgufError {
    /// Another kind of file.
    #[error("{} is no GGUF: it begins with `{found}` instead of `GGUF`; give a .gguf file", path.display())]
    Magic { path: PathBuf, found: String },
    /// A version that isn't read.
    #[error(
        "{}: GGUF version {version} is not supported, only 2 and 3; convert the model again with a current \
         llama.cpp",
        path.display()
    )]
    Version { path: PathBuf, version: u32 },
    /// Written for the other kind of machine.
    #[error("{}: this GGUF is big-endian; take the little-endian file", path.display())]
    BigEndian { path: PathBuf },
    /// One of several files.
    #[error(
        "{}: this is one of {parts} parts; join them with `llama-gguf-split --merge` and give the result",
        path.display()
    )]
    Split { path: PathBuf, parts: u64 },
    /// The file ends too early.
    #[error(
        "{}: the file ends too early: {needed} bytes are needed at byte {offset}, but it has {length}; download it \
         again",
        path.display()
    )]
    Truncated { path: PathBuf, offset: usize, needed: usize, length: usize },
    /// A name that isn't text.
    #[error("{}: the name at byte {offset} is not UTF-8; the file is damaged, download it again", path.display())]
    Name { path: PathBuf, offset: usize },
    /// A value of a kind that doesn't exist.
    #[error("{}: `{key}` is of kind {kind}, which GGUF doesn't know; download it again", path.display())]
    ValueKind { path: PathBuf, key: String, kind: u32 },
    /// Arrays in arrays in arrays.
    #[error("{}: `{key}` nests arrays too deep; the file is damaged, download it again", path.display())]
    Nested { path: PathBuf, key: String },
    /// A key that occurs twice.
    #[error("{}: the key `{key}` occurs twice; convert the model again", path.display())]
    DuplicateKey { path: PathBuf, key: String },
    /// A tensor that occurs twice.
    #[error("{}: the tensor `{tensor}` occurs twice; convert the model again", path.display())]
    DuplicateTensor { path: PathBuf, tensor: String },
    /// Not a usable alignment.
    #[error("{}: `general.alignment` is {found}, but must be a power of two; convert it again", path.display())]
    Alignment { path: PathBuf, found: String },
    /// Not a usable number of axes.
    #[error("{}: the tensor `{tensor}` has {dimensions} axes, but 1 to 4 are possible", path.display())]
    Dimensions { path: PathBuf, tensor: String, dimensions: u32 },
    /// Axes of size zero, or more values than memory has addresses.
    #[error("{}: the tensor `{tensor}` has impossible sizes {axes:?}; download it again", path.display())]
    Size { path: PathBuf, tensor: String, axes: Vec<u64> },
    /// A row that ends inside a block.
    #[error(
        "{}: the rows of `{tensor}` have {columns} values, which don't fill whole blocks of {format}; convert the model \
         again",
        path.display()
    )]
    Block { path: PathBuf, tensor: String, format: &'static str, columns: usize },
    /// An offset that isn't a multiple of the alignment.
    #[error(
        "{}: the tensor `{tensor}` begins at offset {offset}, which is no multiple of the alignment {alignment}; \
         convert the model again",
        path.display()
    )]
    Misaligned { path: PathBuf, tensor: String, offset: u64, alignment: usize },
    /// A tensor beyond the file's end.
    #[error(
        "{}: the tensor `{tensor}` ({bytes} bytes at offset {offset}) reaches beyond the file's {length} bytes; download \
         it again",
        path.display()
    )]
    OutOfBounds { path: PathBuf, tensor: String, offset: u64, bytes: usize, length: usize },
    /// Two tensors in one place.
    #[error("{}: the tensors `{tensor}` and `{other}` overlap; convert the model again", path.display())]
    Overlap { path: PathBuf, tensor: String, other: String },
    /// Query or key rows that aren't whole heads.
    #[error(
        "{}: the {rows} rows of `{tensor}` cannot be divided into heads of {head_size}; convert the model again",
        path.display()
    )]
    Heads { path: PathBuf, tensor: String, rows: usize, head_size: usize },
    /// A tensor that the decoder hasn't got.
    #[error(
        "{}: the tensor `{tensor}` is none of a {family} decoder's and would be left out; choose another base",
        path.display()
    )]
    UnknownTensor { path: PathBuf, tensor: String, family: &'static str },
}
