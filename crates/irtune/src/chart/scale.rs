//! From figures to places in a picture.

/// An axis: figures from `low` to `high` onto places from `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// Over all finite figures, a little wider; `None` without any.
    pub fn over(
        figures: impl Iterator<Item = f64>,
        start: f64,
        end: f64,
        logarithmic: bool,
    ) -> Option<Scale> {
        let fits = |figure: &f64| figure.is_finite() && (!logarithmic || *figure > 0.0);
        let (low, high) =
            figures.filter(fits).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), figure| {
                (low.min(figure), high.max(figure))
            });
        if low > high {
            return None;
        }
        let (low, high) = match (low == high, logarithmic) {
            (true, true) => (low / 1.5, high * 1.5),
            (true, false) => (low - 0.5 * low.abs().max(0.1), high + 0.5 * high.abs().max(0.1)),
            (false, _) => (low, high),
        };
        Some(Scale { low, high, start, end, logarithmic })
    }

    /// The same with a margin on both sides, as a share of the length.
    pub fn padded(self, share: f64) -> Scale {
        let margin = share * (self.high - self.low);
        match self.logarithmic {
            true => {
                let factor = (self.high / self.low).powf(share);
                Scale { low: self.low / factor, high: self.high * factor, ..self }
            }
            false => Scale { low: self.low - margin, high: self.high + margin, ..self },
        }
    }

    /// The place of a figure.
    pub fn place(&self, figure: f64) -> f64 {
        let share = match self.logarithmic {
            true => (figure / self.low).ln() / (self.high / self.low).ln(),
            false => (figure - self.low) / (self.high - self.low),
        };
        self.start + share * (self.end - self.start)
    }

    /// About so many round figures, with their text.
    pub fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            return self.logarithmic_ticks();
        }
        let distance = nice((self.high - self.low) / about.max(1) as f64);
        let digits = (-distance.log10().floor()).max(0.0) as usize;
        let first = (self.low / distance).ceil() as i64;
        (first..)
            .map(|count| count as f64 * distance)
            .take_while(|figure| *figure <= self.high * (1.0 + 1e-12) + distance * 1e-9)
            .map(|figure| (figure, format!("{figure:.digits$}").replace('-', "−")))
            .collect()
    }

    fn logarithmic_ticks(&self) -> Vec<(f64, String)> {
        let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        powers
            .flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)))
            .filter(|figure| (self.low..=self.high).contains(figure))
            .map(|figure| (figure, format!("{figure}")))
            .collect()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below a distance.
fn nice(distance: f64) -> f64 {
    let power = 10f64.powf(distance.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= distance * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: Scale, about: usize) -> Vec<String> {
        scale.ticks(about).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::over([0.12, 0.58].into_iter(), 0.0, 100.0, false).unwrap();
        assert_eq!(texts(scale, 5), ["0.2", "0.3", "0.4", "0.5"]);
        let scale = Scale::over([0.0, 240.0].into_iter(), 0.0, 100.0, false).unwrap();
        assert_eq!(texts(scale, 5), ["0", "50", "100", "150", "200"]);
        let scale = Scale::over([-0.02, 0.02].into_iter(), 0.0, 100.0, false).unwrap();
        assert_eq!(texts(scale, 4), ["−0.02", "−0.01", "0.00", "0.01", "0.02"]);
        let scale = Scale::over([50.0, 800.0].into_iter(), 0.0, 100.0, true).unwrap();
        assert_eq!(texts(scale, 4), ["50", "100", "200", "500"]);
    }

    #[test]
    fn ends_are_at_the_ends_and_one_figure_in_the_middle() {
        let scale = Scale::over([2.0, 4.0, f64::NAN].into_iter(), 10.0, 0.0, false).unwrap();
        assert_eq!([2.0, 3.0, 4.0].map(|figure| scale.place(figure)), [10.0, 5.0, 0.0]);
        let single = Scale::over([3.0].into_iter(), 0.0, 10.0, false).unwrap();
        assert_eq!(single.place(3.0), 5.0);
        assert_eq!(Scale::over([f64::NAN].into_iter(), 0.0, 1.0, false), None);
        let logarithmic = Scale::over([1.0, 100.0].into_iter(), 0.0, 10.0, true).unwrap();
        assert!((logarithmic.place(10.0) - 5.0).abs() < 1e-12);
        assert!(logarithmic.padded(0.1).place(1.0) > 0.5);
    }
}
