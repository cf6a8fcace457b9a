//! Room for messages in memory, shared by all connections.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Messages and answers up to this many bytes take no room: the number of connections bounds them.
pub(crate) const SMALL_BYTES: usize = 64 << 10;

/// The unit in which room is counted, in bytes.
const UNIT: usize = 1 << 10;

/// Room for messages in memory. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// Room that is taken until this is dropped; none for what is small.
#[derive(Debug, Default)]
pub(crate) struct Taken(Option<OwnedSemaphorePermit>);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// Room for so many bytes; `None` if there is not as much.
    pub(crate) fn take(&self, bytes: usize) -> Option<Taken> {
        if bytes <= SMALL_BYTES { Some(Taken::default()) } else { self.take_always(bytes) }
    }

    /// The same for what is counted however small it is.
    pub(crate) fn take_always(&self, bytes: usize) -> Option<Taken> {
        let mut taken = Taken::default();
        self.resize(&mut taken, bytes).then_some(taken)
    }

    /// Takes more room, or gives some back, so that it is enough for so many bytes; `false` if there is not as much, and
    /// nothing is changed.
    pub(crate) fn resize(&self, taken: &mut Taken, bytes: usize) -> bool {
        let wanted = bytes.div_ceil(UNIT);
        let has = taken.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted <= has {
            drop(taken.0.as_mut().and_then(|permit| permit.split(has - wanted)));
            return true;
        }
        let more = u32::try_from(wanted - has).unwrap_or(u32::MAX);
        let Ok(more) = self.0.clone().try_acquire_many_owned(more) else { return false };
        match &mut taken.0 {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        true
    }
}

impl Taken {
    /// A text that takes the room until it is written.
    pub(crate) fn around(self, text: String) -> Bytes {
        Bytes::from_owner(Kept { text, _taken: self })
    }
}

struct Kept {
    text: String,
    _taken: Taken,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let room = Room::new(256 << 10);
        let mut taken = room.take(128 << 10).unwrap();
        assert!(room.take(SMALL_BYTES).is_some() && room.take(200 << 10).is_none());
        assert!(!room.resize(&mut taken, 300 << 10) && room.resize(&mut taken, 256 << 10));
        assert!(room.take_always(1).is_none());
        assert!(room.resize(&mut taken, 0));
        let text = room.take_always(256 << 10).unwrap().around("text".into());
        assert_eq!(&text[..], b"text");
        assert!(room.take_always(1).is_none());
        drop(text);
        assert!(room.take_always(256 << 10).is_some());
    }
}
