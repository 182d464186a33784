//! GGUF files, written value by value.

use std::path::Path;

use super::Format;

/// A GGUF under construction; everything can be set wrongly.
#[derive(Clone)]
pub struct GgufFile {
    /// `GGUF`.
    pub magic: [u8; 4],
    /// The version of the format.
    pub version: u32,
    /// Tensors begin at multiples of it.
    pub alignment: usize,
    /// Metadata: keys, and values with their kind before them.
    pub values: Vec<(String, Vec<u8>)>,
    /// The tensors, in the order of the file.
    pub tensors: Vec<GgufTensor>,
}

/// A tensor of a GGUF under construction.
#[derive(Clone)]
pub struct GgufTensor {
    /// Its name in the file.
    pub name: String,
    /// Fastest axis first.
    pub axes: Vec<u64>,
    /// GGUF's number of its format.
    pub kind: u32,
    /// How many bytes are kept for it.
    pub bytes: usize,
    /// Where it claims to lie, if not where it does.
    pub offset: Option<u64>,
}

impl GgufFile {
    /// Version 3, with nothing in it.
    #[allow(clippy::new_without_default, reason = "an empty file is no usual one")]
    pub fn new() -> Self {
        Self { magic: *b"GGUF", version: 3, alignment: 32, values: Vec::new(), tensors: Vec::new() }
    }

    /// Sets a key to a value of a kind, in place of an earlier one.
    pub fn set(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.remove(key);
        self.repeat(key, kind, value);
    }

    /// Adds a key even if it is there.
    pub fn repeat(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.values.push((key.to_owned(), [&kind.to_le_bytes(), value].concat()));
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        self.values.retain(|(known, _)| known != key);
    }

    /// Sets an unsigned number.
    pub fn unsigned(&mut self, key: &str, value: u32) {
        self.set(key, 4, &value.to_le_bytes());
    }

    /// Sets a float.
    pub fn float(&mut self, key: &str, value: f32) {
        self.set(key, 6, &value.to_le_bytes());
    }

    /// Sets a truth value.
    pub fn flag(&mut self, key: &str, value: bool) {
        self.set(key, 7, &[value.into()]);
    }

    /// Sets a text.
    pub fn text(&mut self, key: &str, value: &str) {
        self.set(key, 8, &gguf_text(value.as_bytes()));
    }

    /// Sets a list of texts.
    pub fn texts(&mut self, key: &str, values: &[&str]) {
        let values: Vec<u8> = values.iter().flat_map(|value| gguf_text(value.as_bytes())).collect();
        let count = self.count_of(&values);
        self.set(key, 9, &[&8u32.to_le_bytes()[..], &count.to_le_bytes(), &values].concat());
    }

    /// Sets a list of integers.
    pub fn integers(&mut self, key: &str, values: &[i32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.set(key, 9, &[&5u32.to_le_bytes()[..], &(values.len() as u64).to_le_bytes(), &bytes].concat());
    }

    /// Sets a list of floats.
    pub fn floats(&mut self, key: &str, values: &[f32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.set(key, 9, &[&6u32.to_le_bytes()[..], &(values.len() as u64).to_le_bytes(), &bytes].concat());
    }

    /// Sets a list of truth values.
    pub fn flags(&mut self, key: &str, values: &[bool]) {
        let bytes: Vec<u8> = values.iter().map(|&value| value.into()).collect();
        self.set(key, 9, &[&7u32.to_le_bytes()[..], &(values.len() as u64).to_le_bytes(), &bytes].concat());
    }

    /// How many length-prefixed strings these bytes are.
    fn count_of(&self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            bytes = &rest[u64::from_le_bytes(*length) as usize..];
            count += 1;
        }
        count
    }

    /// Adds an F32 tensor.
    pub fn tensor(&mut self, name: &str, axes: &[u64]) {
        self.stored_tensor(name, axes, Format::F32);
    }

    /// Adds a tensor.
    pub fn stored_tensor(&mut self, name: &str, axes: &[u64], format: Format) {
        let bytes = format.bytes(axes.iter().product::<u64>() as usize);
        let (name, axes) = (name.to_owned(), axes.to_vec());
        self.tensors.push(GgufTensor { name, axes, kind: format.kind(), bytes, offset: None });
    }

    /// The tensor of a name, to be changed.
    pub fn change(&mut self, name: &str) -> &mut GgufTensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).expect("a tensor of the file")
    }

    /// The whole file; the values of its tensors are zero bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        let data: usize = self.tensors.iter().map(|tensor| self.room(tensor)).sum();
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    /// The room a tensor takes, up to where the next one begins.
    pub(super) fn room(&self, tensor: &GgufTensor) -> usize {
        tensor.bytes.next_multiple_of(self.alignment)
    }

    /// Everything before the first tensor's values.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut header = [&self.magic[..], &self.version.to_le_bytes()].concat();
        header.extend((self.tensors.len() as u64).to_le_bytes());
        header.extend((self.values.len() as u64).to_le_bytes());
        for (key, value) in &self.values {
            header.extend(gguf_text(key.as_bytes()));
            header.extend(value);
        }
        let mut place = 0;
        for tensor in &self.tensors {
            header.extend(gguf_text(tensor.name.as_bytes()));
            header.extend((tensor.axes.len() as u32).to_le_bytes());
            tensor.axes.iter().for_each(|axis| header.extend(axis.to_le_bytes()));
            header.extend(tensor.kind.to_le_bytes());
            header.extend(tensor.offset.unwrap_or(place as u64).to_le_bytes());
            place += self.room(tensor);
        }
        header.resize(header.len().next_multiple_of(self.alignment), 0);
        header
    }

    /// Writes the whole file.
    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).expect("a file for a test");
    }
}

/// A string as a GGUF has it.
pub fn gguf_text(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text].concat()
}
