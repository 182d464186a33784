//! Layers in one line of text: which train now, or how often each has trained.

const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// One character a layer: full where it trains.
pub fn active(layers: usize, training: &[usize]) -> String {
    (0..layers).map(|layer| if training.contains(&layer) { '█' } else { '·' }).collect()
}

/// One character a layer, darker the more often it trained; a dot means never.
pub fn shares(shares: &[f64]) -> String {
    shares.iter().copied().map(shade).collect()
}

/// The shade of a share between 0 and 1.
pub fn shade(share: f64) -> char {
    if share <= 0.0 {
        return SHADES[0];
    }
    SHADES[((share * 4.0).ceil() as usize).clamp(1, 4)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_have_one_character_a_layer() {
        assert_eq!(active(5, &[1, 4]), "·█··█");
        assert_eq!(shares(&[0.0, 0.01, 0.25, 0.5, 0.75, 1.0]), "·░░▒▓█");
    }
}
