//! `fixed`: the same layers in every step, named by the user.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::{
    Evidence, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals, unscored,
};

const NAME: &str = "fixed";

const LAYERS: MethodOption = MethodOption {
    name: "layers",
    summary: "Which layers train, counted from 0; `top` is next to the output, and a model of fewer trains all.",
    values: "layers and ranges with both ends such as `3,5,8..12`, or `top:8`, or `bottom:8`",
    default: "top:8",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "Trains the same layers in every step, those that are named.",
    options: &[LAYERS],
    notes: &[],
    make: |layers, options| Ok(Box::new(Fixed::new(layers, &options.get(&LAYERS)?)?)),
};

/// Layers as a user names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerList {
    /// Ranges of layers.
    Ranges(Vec<RangeInclusive<usize>>),
    /// So many of the highest layers.
    Top(usize),
    /// So many of the lowest layers.
    Bottom(usize),
}

impl LayerList {
    /// The layers meant in a model of `layers` layers.
    ///
    /// # Errors
    /// [`SelectError::LayerOutOfRange`] for a layer the model does not have, and those of [`LayerSet::new`].
    pub fn set(&self, layers: usize) -> Result<LayerSet, SelectError> {
        match self {
            LayerList::Ranges(ranges) => LayerSet::new(layers, ranges.iter().cloned().flatten()),
            LayerList::Top(count) => LayerSet::new(layers, layers.saturating_sub(*count)..layers),
            LayerList::Bottom(count) => LayerSet::new(layers, 0..layers.min(*count)),
        }
    }
}

impl FromStr for LayerList {
    type Err = ();

    fn from_str(text: &str) -> Result<LayerList, ()> {
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| ());
        let count = |text: &str| number(text).and_then(|count| if count > 0 { Ok(count) } else { Err(()) });
        if let Some(top) = text.strip_prefix("top:") {
            return count(top).map(LayerList::Top);
        }
        if let Some(bottom) = text.strip_prefix("bottom:") {
            return count(bottom).map(LayerList::Bottom);
        }
        let range = |part: &str| match part.split_once("..") {
            Some((first, last)) => {
                let range = number(first)?..=number(last)?;
                if range.is_empty() { Err(()) } else { Ok(range) }
            }
            None => number(part).map(|layer| layer..=layer),
        };
        text.split(',').map(range).collect::<Result<_, ()>>().map(LayerList::Ranges)
    }
}

/// The policy that always chooses the same layers.
#[derive(Debug, Clone)]
pub struct Fixed {
    set: LayerSet,
}

impl Fixed {
    /// The policy that trains the listed layers of a model of `layers` layers.
    ///
    /// # Errors
    /// Those of [`LayerList::set`].
    pub fn new(layers: usize, list: &LayerList) -> Result<Fixed, SelectError> {
        Ok(Fixed { set: list.set(layers)? })
    }
}

impl LayerPolicy for Fixed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.set.layers())?;
        Ok(self.set)
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn lowest(&self) -> usize {
        self.set.iter().next().unwrap_or(0)
    }

    fn scores(&self) -> &[Option<f64>] {
        unscored(self.set.layers())
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        state.expect_method(NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_are_meant() {
        let read =
            |text: &str| text.parse::<LayerList>().unwrap().set(16).map(|set| set.iter().collect::<Vec<_>>());
        assert_eq!(read("3,5,8..12"), Ok(vec![3, 5, 8, 9, 10, 11, 12]));
        assert_eq!(read(" 4 , 2..2"), Ok(vec![2, 4]));
        assert_eq!(read("top:3"), Ok(vec![13, 14, 15]));
        assert_eq!(read("bottom:2"), Ok(vec![0, 1]));
        assert_eq!(read("top:99"), Ok((0..16).collect()));
        assert_eq!(read("15..16"), Err(SelectError::LayerOutOfRange { layer: 16, layers: 16 }));
        for text in ["", "top:0", "bottom:", "top:x", "3,,5", "-1", "5..3", "1..2..3", "all"] {
            assert_eq!(text.parse::<LayerList>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_range_beyond_any_model_is_refused_at_once() {
        let list: LayerList = "0..18446744073709551615".parse().unwrap();
        assert_eq!(list.set(4), Err(SelectError::LayerOutOfRange { layer: 4, layers: 4 }));
    }
}
