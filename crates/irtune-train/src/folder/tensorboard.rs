//! The bytes of a TensorBoard event file: scalars over steps.
//!
//! An event file is a row of records, each a length, the length's checksum, a payload and its checksum; a payload
//! is an `Event` message in protocol buffers' wire format. Writing the handful of fields that scalars need is
//! shorter than a message compiler, which the crates for it bring along.
//!
//! A file begins with [`write_header`] and goes on with [`write_scalars`]; it stays valid when it is cut between
//! two events and continued.
//!
//! # Source
//! `core/lib/io/record_writer.h` of TensorFlow; `compat/proto/{event,summary}.proto` of TensorBoard 2.21.

const WALL_TIME: u64 = 1;
const STEP: u64 = 2;
const FILE_VERSION: u64 = 3;
const SUMMARY: u64 = 5;
const SUMMARY_VALUE: u64 = 1;
const VALUE_TAG: u64 = 1;
const VALUE_SIMPLE: u64 = 2;

/// How a field is encoded, in protocol buffers' numbering.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// Appends the event that begins a file; `wall_time` is in seconds since 1970.
pub fn write_header(out: &mut Vec<u8>, wall_time: f64) {
    let mut event = Vec::new();
    put_wall_time(&mut event, wall_time);
    put_bytes(&mut event, FILE_VERSION, b"brain.Event:2");
    write_record(out, &event);
}

/// Appends the scalars of one step, as one event; `wall_time` is in seconds since 1970.
///
/// TensorBoard keeps scalars in single precision, so this is what is written.
pub fn write_scalars(out: &mut Vec<u8>, wall_time: f64, step: u64, scalars: &[(&str, f64)]) {
    let mut summary = Vec::new();
    for &(tag, number) in scalars {
        let mut value = Vec::new();
        put_bytes(&mut value, VALUE_TAG, tag.as_bytes());
        put_key(&mut value, VALUE_SIMPLE, Wire::Fixed32);
        value.extend((number as f32).to_le_bytes());
        put_bytes(&mut summary, SUMMARY_VALUE, &value);
    }
    let mut event = Vec::new();
    put_wall_time(&mut event, wall_time);
    // The format leaves out numbers that are 0.
    if step > 0 {
        put_key(&mut event, STEP, Wire::Varint);
        put_varint(&mut event, step);
    }
    put_bytes(&mut event, SUMMARY, &summary);
    write_record(out, &event);
}

/// Appends a payload framed by its length and the checksums of both.
fn write_record(out: &mut Vec<u8>, payload: &[u8]) {
    let length = (payload.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked_checksum(&length).to_le_bytes());
    out.extend(payload);
    out.extend(masked_checksum(payload).to_le_bytes());
}

/// CRC-32C, rotated and shifted so that checksums of data that holds checksums stay meaningful.
fn masked_checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn put_wall_time(out: &mut Vec<u8>, wall_time: f64) {
    put_key(out, WALL_TIME, Wire::Fixed64);
    out.extend(wall_time.to_le_bytes());
}

fn put_key(out: &mut Vec<u8>, field: u64, wire: Wire) {
    put_varint(out, field << 3 | wire as u64);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, Wire::Bytes);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// Seven bits a byte, lowest first, the eighth set while more follow.
fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        versions: Versions,
        start: f64,
        events: Vec<Event>,
        bytes: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Versions {
        python: String,
        tensorboard: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Event {
        wall_time: f64,
        step: u64,
        scalars: Vec<(String, f64)>,
    }

    fn written(case: &Case) -> String {
        let mut bytes = Vec::new();
        write_header(&mut bytes, case.start);
        for event in &case.events {
            let scalars: Vec<_> = event.scalars.iter().map(|(tag, number)| (tag.as_str(), *number)).collect();
            write_scalars(&mut bytes, event.wall_time, event.step, &scalars);
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_bytes_are_those_of_tensorboards_own_writer() {
        let mut case: Case = irtune_testing::golden::case_json("tensorboard");
        assert!(!case.versions.python.is_empty() && !case.versions.tensorboard.is_empty());
        assert_eq!(case.events.len(), 5);
        assert_eq!(written(&case), case.bytes);

        case.events[2].scalars[0].1 += 0.001;
        assert_ne!(written(&case), case.bytes, "another number makes other bytes");
    }

    #[test]
    fn checksums_are_those_of_crc32c() {
        // The check value of the CRC-32C polynomial.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(masked_checksum(b"123456789"), 0xe306_9283u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }
}
