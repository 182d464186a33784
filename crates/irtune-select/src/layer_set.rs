//! The layers that train in a step.

use serde::{Serialize, Serializer};

use crate::SelectError;

const WORD_BITS: usize = u64::BITS as usize;
const WORDS: usize = 8;

/// A set of layers of one model: sorted, without repeats, in range and, unless made by [`none`](Self::none), not empty.
///
/// It is a row of bits, so all four hold by construction, and it is copied without allocating. It serialises as
/// the ascending list of its layers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LayerSet {
    layers: usize,
    words: [u64; WORDS],
}

impl LayerSet {
    /// The most layers a model may have.
    pub const MAXIMUM_LAYERS: usize = WORDS * WORD_BITS;

    /// The set of the layers given, in any order; one named twice is in it once.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if `layers` is 0 or above [`MAXIMUM_LAYERS`](Self::MAXIMUM_LAYERS),
    /// [`SelectError::LayerOutOfRange`] for a layer the model does not have, [`SelectError::EmptySet`] if none is
    /// given.
    pub fn new(layers: usize, chosen: impl IntoIterator<Item = usize>) -> Result<LayerSet, SelectError> {
        LayerSet::check_layers(layers)?;
        let mut words = [0u64; WORDS];
        for layer in chosen {
            if layer >= layers {
                return Err(SelectError::LayerOutOfRange { layer, layers });
            }
            words[layer / WORD_BITS] |= 1 << (layer % WORD_BITS);
        }
        if words == [0; WORDS] {
            return Err(SelectError::EmptySet { layers });
        }
        Ok(LayerSet { layers, words })
    }

    /// Every layer of the model.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] as for [`new`](Self::new).
    pub fn all(layers: usize) -> Result<LayerSet, SelectError> {
        LayerSet::new(layers, 0..layers)
    }

    /// The empty set, when the head alone trains; no method chooses it.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] as for [`new`](Self::new).
    pub fn none(layers: usize) -> Result<LayerSet, SelectError> {
        LayerSet::check_layers(layers)?;
        Ok(LayerSet { layers, words: [0; WORDS] })
    }

    /// Confirms that a model of this many layers can be selected from.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if it cannot.
    pub fn check_layers(layers: usize) -> Result<(), SelectError> {
        if (1..=LayerSet::MAXIMUM_LAYERS).contains(&layers) {
            return Ok(());
        }
        Err(SelectError::LayerCount { layers, maximum: LayerSet::MAXIMUM_LAYERS })
    }

    /// Layers of the model, in the set or not.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// Layers in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether a layer is in the set.
    pub fn contains(&self, layer: usize) -> bool {
        layer < self.layers && self.words[layer / WORD_BITS] >> (layer % WORD_BITS) & 1 == 1
    }

    /// The layers of this set that are not in another of the same model; `None` if there are none.
    pub fn without(&self, other: &LayerSet) -> Option<LayerSet> {
        LayerSet::new(self.layers, self.iter().filter(|&layer| !other.contains(layer))).ok()
    }

    /// The layers of the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.layers).filter(|&layer| self.contains(layer))
    }

    /// Writes the set as one flag a layer, in the place of what `flags` held.
    pub fn write_flags(&self, flags: &mut Vec<bool>) {
        flags.clear();
        flags.extend((0..self.layers).map(|layer| self.contains(layer)));
    }
}

impl std::fmt::Debug for LayerSet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()?;
        write!(formatter, " of {}", self.layers)
    }
}

impl Serialize for LayerSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_an_ascending_list_and_as_flags() {
        let set = LayerSet::new(5, [3, 1, 3]).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), "[1,3]");
        assert_eq!(format!("{set:?}"), "{1, 3} of 5");
        let mut flags = vec![true; 9];
        set.write_flags(&mut flags);
        assert_eq!(flags, [false, true, false, true, false]);
        assert!(!set.contains(5) && !set.contains(usize::MAX));
    }

    #[test]
    fn the_empty_set_has_no_layer() {
        let none = LayerSet::none(5).unwrap();
        assert_eq!((none.layers(), none.count(), none.iter().next()), (5, 0, None));
        assert!(LayerSet::none(0).is_err());
    }

    #[test]
    fn the_ends_of_the_words_are_held() {
        let ends = [0, 63, 64, 127, 128, 511];
        let set = LayerSet::new(512, ends).unwrap();
        assert!(set.iter().eq(ends));
        assert_eq!(LayerSet::all(512).unwrap().count(), 512);
        assert_eq!(LayerSet::all(1).unwrap().count(), 1);
    }

    #[test]
    fn a_set_without_another() {
        let set = |layers: &[usize]| LayerSet::new(5, layers.iter().copied()).unwrap();
        assert_eq!(set(&[1, 3, 4]).without(&set(&[0, 3])), Some(set(&[1, 4])));
        assert_eq!(set(&[1, 3]).without(&set(&[1, 2, 3])), None);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        assert_eq!(LayerSet::new(4, []), Err(SelectError::EmptySet { layers: 4 }));
        assert_eq!(LayerSet::new(4, [1, 4]), Err(SelectError::LayerOutOfRange { layer: 4, layers: 4 }));
        for layers in [0, 513] {
            assert_eq!(LayerSet::all(layers), Err(SelectError::LayerCount { layers, maximum: 512 }));
        }
    }
}
