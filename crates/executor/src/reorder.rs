//! Order restored: results come as workers finish, and leave in block order.

/// Buffers what came early. The one place where completion order becomes block order.
pub(crate) struct Reorder<T> {
    next: usize,
    waiting: Vec<Option<T>>,
}

impl<T> Reorder<T> {
    /// For `count` results, numbered from 0.
    pub(crate) fn new(count: usize) -> Self {
        Self { next: 0, waiting: std::iter::repeat_with(|| None).take(count).collect() }
    }

    /// Takes a result; each number comes once.
    pub(crate) fn put(&mut self, number: usize, result: T) {
        debug_assert!(number >= self.next && self.waiting[number].is_none(), "result {number} came twice");
        self.waiting[number] = Some(result);
    }

    /// The next result in order, if it has come.
    pub(crate) fn pop(&mut self) -> Option<(usize, T)> {
        let result = self.waiting.get_mut(self.next)?.take()?;
        self.next += 1;
        Some((self.next - 1, result))
    }

    /// Whether every result has left.
    pub(crate) fn is_done(&self) -> bool {
        self.next == self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_leave_in_order() {
        let mut reorder = Reorder::new(3);
        reorder.put(2, 'c');
        assert_eq!(reorder.pop(), None);
        reorder.put(0, 'a');
        assert_eq!(reorder.pop(), Some((0, 'a')));
        assert_eq!(reorder.pop(), None);
        assert!(!reorder.is_done());
        reorder.put(1, 'b');
        assert_eq!(reorder.pop(), Some((1, 'b')));
        assert_eq!(reorder.pop(), Some((2, 'c')));
        assert!(reorder.is_done());
        assert_eq!(reorder.pop(), None);
    }
}
