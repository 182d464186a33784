//! A packed batch as a device takes it.

use irtune_device::{BatchLayout, Segment, mix_key};

use super::PackedBatch;

/// Describes `batch` in memory that is kept; classes, picks and the numbers of the pooling are left as they are.
pub(crate) fn fill(layout: &mut BatchLayout, batch: &PackedBatch) {
    let BatchLayout { tokens, positions, segments, keys, shares, .. } = layout;
    tokens.clone_from(&batch.tokens);
    for list in [&mut *positions, &mut *shares] {
        list.clear();
    }
    segments.clear();
    keys.clear();
    for segment in &batch.segments {
        let Segment { first_key, keys: length, parent, context, .. } = *segment;
        let mut key = parent.map_or(0, |parent| {
            let above = &batch.segments[parent];
            keys[above.first_key + above.keys - 1]
        });
        for (place, token) in batch.tokens[first_key..first_key + length].iter().enumerate() {
            positions.push((context + place) as u32);
            // A token more makes another key, so rows have the same masks however examples are packed.
            key = mix_key(&[key, u64::from(*token)]);
            keys.push(key);
        }
        segments.push(Segment { first_query: first_key, queries: length, ..*segment });
    }
    shares.resize(tokens.len(), 0);
    for segment in batch.ends().flat_map(|end| batch.path(end)) {
        shares[segment.first_key..][..segment.keys].iter_mut().for_each(|share| *share += 1);
    }
    fill_read(layout, batch);
}

/// The rows that are read after the last layer.
fn fill_read(layout: &mut BatchLayout, batch: &PackedBatch) {
    let BatchLayout { positions, keys, read, read_positions, read_segments, read_keys, .. } = &mut *layout;
    for list in [&mut *read, &mut *read_positions] {
        list.clear();
    }
    read_keys.clear();
    read_segments.clone_from(&batch.segments);
    for segment in &batch.segments {
        let end = segment.first_key + segment.keys;
        for row in end - segment.queries..end {
            read.push(row as u32);
            read_positions.push(positions[row]);
            read_keys.push(keys[row]);
        }
    }
    if batch.counters().is_some() {
        batch.fill_pooling(&mut layout.pooling, &layout.read_segments, layout.read.len());
    }
}
