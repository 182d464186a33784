//! Named f32 tensors in a safetensors file, written without a second copy in memory and read back checked.

use irtune_files::Files;
use irtune_model::HostTensor;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a file must be, to be the one that was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSeal {
    /// Its name within the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
}

/// Why a sealed file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is shorter or longer than it was.
    #[error("{}: {found} bytes, but {expected} were written; the file is damaged", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes there.
        found: u64,
        /// Bytes written.
        expected: u64,
    },
    /// Its content changed.
    #[error("{}: its checksum is not the one that was written; the file is damaged", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// The checksum holds, but it is no tensor file.
    #[error("{}: not a safetensors file of f32 tensors", path.display())]
    NotTensors {
        /// The file.
        path: PathBuf,
    },
}

/// A writer that counts and hashes what goes through it.
struct Sealing<'a> {
    inner: &'a mut dyn Write,
    digest: &'a mut Sha256,
    bytes: &'a mut u64,
}

impl Write for Sealing<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.digest.update(&buffer[..written]);
        *self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a file and says what it must be when it is read.
///
/// # Errors
/// What writing says.
pub fn write_sealed(
    files: &dyn Files,
    path: &Path,
    content: &dyn Fn(&mut dyn Write) -> io::Result<()>,
) -> io::Result<FileSeal> {
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    files.write(path, &mut |writer| {
        content(&mut Sealing { inner: writer, digest: &mut digest, bytes: &mut bytes })
    })?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(FileSeal { name, bytes, sha256: hexadecimal(&digest.finalize()) })
}

/// Reads a file of `directory` and checks it against its seal.
///
/// # Errors
/// When it is missing, of another length or of another content.
pub fn read_sealed(directory: &Path, seal: &FileSeal) -> Result<Vec<u8>, SealError> {
    let path = directory.join(&seal.name);
    let bytes =
        std::fs::read(&path).map_err(|source| SealError::Unreadable { path: path.clone(), source })?;
    let found = bytes.len() as u64;
    if found != seal.bytes {
        return Err(SealError::Length { path, found, expected: seal.bytes });
    }
    if hexadecimal(&Sha256::digest(&bytes)) != seal.sha256 {
        return Err(SealError::Checksum { path });
    }
    Ok(bytes)
}

/// Writes tensors as safetensors, 8-byte aligned, in their order.
///
/// # Errors
/// What writing says.
pub fn write_tensors(tensors: &[HostTensor], writer: &mut dyn Write) -> io::Result<()> {
    let mut header = serde_json::Map::new();
    let mut offset = 0;
    for tensor in tensors {
        let end = offset + 4 * tensor.data.len();
        let entry = serde_json::json!({
            "dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]
        });
        header.insert(tensor.name.clone(), entry);
        offset = end;
    }
    let mut header = serde_json::Value::Object(header).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    writer.write_all(&(header.len() as u64).to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    let mut buffer = Vec::with_capacity(4 << 12);
    for tensor in tensors {
        for values in tensor.data.chunks(1 << 12) {
            buffer.clear();
            buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            writer.write_all(&buffer)?;
        }
    }
    Ok(())
}

/// Reads what [`write_tensors`] wrote, in its order.
///
/// # Errors
/// When a sealed file is damaged, or holds something else.
pub fn read_tensors(directory: &Path, seal: &FileSeal) -> Result<Vec<HostTensor>, SealError> {
    let bytes = read_sealed(directory, seal)?;
    let not_tensors = || SealError::NotTensors { path: directory.join(&seal.name) };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|_| not_tensors())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|_| not_tensors())?;
    let mut tensors = Vec::with_capacity(file.len());
    for name in metadata.offset_keys() {
        let view = file.tensor(&name).map_err(|_| not_tensors())?;
        if view.dtype() != Dtype::F32 {
            return Err(not_tensors());
        }
        let (values, _) = view.data().as_chunks::<4>();
        let data = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        tensors.push(HostTensor::new(name, view.shape().to_vec(), data));
    }
    Ok(tensors)
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_files::Disk;
    use std::fs;

    fn tensors() -> Vec<HostTensor> {
        vec![
            HostTensor::new("b", vec![2, 3], vec![0.0, -0.0, 1.5, f32::MIN_POSITIVE, f32::MAX, -7.25]),
            HostTensor::new("a", vec![1], vec![f32::from_bits(1)]),
            HostTensor::new("long", vec![5000], (0..5000).map(|value| value as f32 * 0.1).collect()),
        ]
    }

    fn written(directory: &Path) -> FileSeal {
        let tensors = tensors();
        write_sealed(&Disk, &directory.join("t.safetensors"), &|writer| write_tensors(&tensors, writer))
            .unwrap()
    }

    #[test]
    fn tensors_come_back_bit_for_bit() {
        let directory = tempfile::tempdir().unwrap();
        let seal = written(directory.path());
        let read = read_tensors(directory.path(), &seal).unwrap();
        for (found, tensor) in read.iter().zip(tensors()) {
            assert_eq!((&found.name, &found.shape), (&tensor.name, &tensor.shape));
            let bits = |data: &[f32]| data.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found.data), bits(&tensor.data));
        }
        assert_eq!(read.len(), 3);
    }

    #[test]
    fn each_damage_has_its_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.safetensors");
        let seal = written(directory.path());
        let whole = fs::read(&path).unwrap();

        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let error = read_tensors(directory.path(), &seal).unwrap_err();
        assert!(matches!(error, SealError::Length { .. }), "{error}");
        assert!(error.to_string().contains("t.safetensors"), "{error}");

        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        let error = read_tensors(directory.path(), &seal).unwrap_err();
        assert!(matches!(error, SealError::Checksum { .. }), "{error}");

        fs::remove_file(&path).unwrap();
        let error = read_tensors(directory.path(), &seal).unwrap_err();
        assert!(matches!(error, SealError::Unreadable { .. }), "{error}");

        let seal = write_sealed(&Disk, &path, &|writer| writer.write_all(b"something else")).unwrap();
        let error = read_tensors(directory.path(), &seal).unwrap_err();
        assert!(matches!(error, SealError::NotTensors { .. }), "{error}");
    }
}
