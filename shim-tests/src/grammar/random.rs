//! A small generator of random numbers (`SplitMix64`): the same seed gives the same numbers for ever.

/// The generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of one case of a seed.
    #[must_use]
    pub fn new(seed: u64, number: usize) -> Self {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let mut random = Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ number);
        // Neighbouring numbers give neighbouring states; a few turns part them.
        random.next();
        Self(random.next() ^ number.rotate_left(32))
    }

    /// Returns the next number.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Whether something that happens that many times in a hundred happens now.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// Returns one of several.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Returns one of several, each as likely as its weight.
    ///
    /// # Panics
    /// If there is none.
    pub fn weighed<'a, T>(&mut self, all: &'a [T], weight: impl Fn(&T) -> usize) -> &'a T {
        let mut left = self.below(all.iter().map(&weight).sum());
        for one in all {
            if left < weight(one) {
                return one;
            }
            left -= weight(one);
        }
        unreachable!("the sum of the weights is more than what is left")
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_gives_others() {
        let numbers = |seed, number| {
            let mut random = Random::new(seed, number);
            (0..8).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, 2), numbers(1, 2));
        assert_ne!(numbers(1, 2), numbers(1, 3));
        assert_ne!(numbers(1, 2), numbers(2, 2));
    }

    #[test]
    fn a_weight_of_nothing_is_never_drawn() {
        let mut random = Random::new(7, 7);
        assert!((0..500).all(|_| *random.weighed(&[0, 3, 5], |weight| *weight) != 0));
    }
}
