//! A list that keeps its newest items, bounded in number and in bytes.

use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Newest<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    max_items: usize,
    max_bytes: usize,
}

impl<T> Newest<T> {
    pub(crate) const fn new(max_items: usize, max_bytes: usize) -> Self {
        Self { items: VecDeque::new(), bytes: 0, max_items, max_bytes }
    }

    /// Adds an item; the oldest ones leave until the bounds hold again. The newest always stays.
    pub(crate) fn push(&mut self, item: T, bytes: usize) {
        self.items.push_back((item, bytes));
        self.bytes += bytes;
        while self.items.len() > 1 && (self.items.len() > self.max_items || self.bytes > self.max_bytes) {
            if let Some((_, bytes)) = self.items.pop_front() {
                self.bytes -= bytes;
            }
        }
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter().map(|(item, _)| item)
    }

    /// Those behind so many of the oldest, found without passing over these.
    pub(crate) fn behind(&self, skipped: usize) -> impl Iterator<Item = &T> {
        self.items.range(skipped.min(self.items.len())..).map(|(item, _)| item)
    }

    /// Takes out the items for which `keep` is false; tells whether there were any.
    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) -> bool {
        let before = self.items.len();
        self.items.retain(|(item, _)| keep(item));
        self.bytes = self.items.iter().map(|(_, bytes)| bytes).sum();
        before != self.items.len()
    }

    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Newest;

    #[test]
    fn the_oldest_items_leave_first_by_number_and_by_bytes() {
        let mut newest = Newest::new(2, 10);
        for item in 1..=3 {
            newest.push(item, 1);
        }
        assert_eq!(newest.iter().copied().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(newest.behind(1).copied().collect::<Vec<_>>(), [3]);
        assert_eq!(newest.behind(5).count(), 0);
        newest.push(4, 10);
        assert_eq!(newest.iter().copied().collect::<Vec<_>>(), [4]);
        newest.push(5, 11);
        assert_eq!(newest.iter().copied().collect::<Vec<_>>(), [5], "the newest stays, however big");
    }
}
