//! Operations of adapters.

use super::{operand_values, operands};
use crate::{BatchLayout, Device, MaskRef, RowSet};

/// Dropout masks: they keep about as much as they should, scale what they keep, and depend on the row's key and the site
/// alone.
pub fn masks<D: Device>(device: &D) {
    const COLUMNS: usize = 100;
    const ROWS: usize = 64;
    const DROPOUT: f32 = 0.3;
    let drawn = |site: u64, keys: &[u64]| {
        let layout =
            BatchLayout { positions: vec![0; keys.len()], keys: keys.to_vec(), ..BatchLayout::default() };
        let mut uploaded = device.layout();
        device.upload_layout(&layout, &mut uploaded);
        let mut words = device.words(keys.len(), COLUMNS.div_ceil(32)).expect("room");
        device.draw_mask(site, &uploaded, RowSet::All, COLUMNS, DROPOUT, &mut words);
        let ones = operands(device, &vec![1.0; keys.len() * COLUMNS]);
        let mut out = device.operands(keys.len(), COLUMNS).expect("room");
        let mask = MaskRef { words: &words, scale: 2.0 };
        device.apply_mask(&ones, keys.len(), COLUMNS, mask, &mut out);
        operand_values(device, &out, keys.len() * COLUMNS)
    };
    let keys: Vec<u64> = (0..ROWS as u64).map(|row| row * row + 7).collect();
    let found = drawn(3, &keys);
    assert!(found.iter().all(|&value| value == 0.0 || value == 2.0), "kept values are scaled, others zero");
    let kept = found.iter().filter(|&&value| value > 0.0).count() as f64 / found.len() as f64;
    assert!((kept - 0.7).abs() < 0.03, "{kept} is kept of what should be 0.7");
    // The same key has the same mask in whatever row and batch it stands.
    let again = drawn(3, &[keys[9], keys[2]]);
    assert_eq!(again[..COLUMNS], found[9 * COLUMNS..][..COLUMNS]);
    assert_eq!(again[COLUMNS..], found[2 * COLUMNS..][..COLUMNS]);
    assert_ne!(drawn(4, &keys), found, "another site has other masks");
}
