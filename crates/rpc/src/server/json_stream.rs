//! Messages out of a stream of bytes that marks no ends: one JSON object or array after another.

/// Bytes that came, cut into messages.
pub(crate) struct JsonStream {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// How far the first message has been looked at.
    seen: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

/// What stands at the front of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// A message, or something as long as one: its brackets are balanced, no more is known of it.
    Message(Vec<u8>),
    /// What cannot begin a message. It was skipped to the end of its line.
    Garbage,
    /// A message that goes on for longer than a message may. Where the next one begins is not known.
    TooLong,
    /// No whole message yet.
    Incomplete,
}

impl JsonStream {
    /// A stream of messages of at most `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), bytes_max, seen: 0, depth: 0, in_string: false, escaped: false }
    }

    /// More bytes came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that are in memory.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes what stands at the front.
    pub(crate) fn front(&mut self) -> Front {
        if self.seen == 0 {
            let blank = self.bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.bytes.drain(..blank);
            match self.bytes.first() {
                None => return Front::Incomplete,
                Some(b'{' | b'[') => {}
                Some(_) => return self.garbage(),
            }
        }
        let rest = self.bytes.iter().enumerate().skip(self.seen);
        for (at, byte) in rest {
            if step(*byte, &mut self.depth, &mut self.in_string, &mut self.escaped) {
                let after = self.bytes.split_off(at + 1);
                let message = std::mem::replace(&mut self.bytes, after);
                self.seen = 0;
                return if message.len() > self.bytes_max { Front::TooLong } else { Front::Message(message) };
            }
        }
        self.seen = self.bytes.len();
        if self.seen > self.bytes_max { Front::TooLong } else { Front::Incomplete }
    }

    fn garbage(&mut self) -> Front {
        let end = self.bytes.iter().position(|byte| *byte == b'\n').unwrap_or(self.bytes.len());
        self.bytes.drain(..end);
        Front::Garbage
    }
}

/// Looks at one byte of a message; `true` if it is the last.
fn step(byte: u8, depth: &mut usize, in_string: &mut bool, escaped: &mut bool) -> bool {
    if *in_string {
        *in_string = *escaped || byte != b'"';
        *escaped = !*escaped && byte == b'\\';
        return false;
    }
    match byte {
        b'"' => *in_string = true,
        b'{' | b'[' => *depth += 1,
        b'}' | b']' => *depth -= 1,
        _ => {}
    }
    *depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(stream: &mut JsonStream) -> Vec<Front> {
        let mut fronts = Vec::new();
        loop {
            match stream.front() {
                Front::Incomplete => return fronts,
                front => fronts.push(front),
            }
        }
    }

    #[test]
    fn messages_are_cut_wherever_their_bytes_are() {
        let text = br#" {"a":"}\"{"}[1,[2]]
            {"b":"\\"} "#;
        let message = |text: &str| Front::Message(text.as_bytes().to_vec());
        let expected = [message(r#"{"a":"}\"{"}"#), message("[1,[2]]"), message(r#"{"b":"\\"}"#)];
        for size in 1..text.len() {
            let mut stream = JsonStream::new(100);
            let mut found = Vec::new();
            for chunk in text.chunks(size) {
                stream.push(chunk);
                found.extend(all(&mut stream));
            }
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn garbage_costs_a_line() {
        let mut stream = JsonStream::new(100);
        stream.push(b"x y z\n{}");
        assert_eq!(all(&mut stream), [Front::Garbage, Front::Message(b"{}".to_vec())]);
    }

    #[test]
    fn what_is_too_long_is_told() {
        let mut stream = JsonStream::new(4);
        stream.push(b"[1,2,3");
        assert_eq!(stream.front(), Front::TooLong);
        let mut stream = JsonStream::new(4);
        stream.push(b"[1,2]");
        assert_eq!(stream.front(), Front::TooLong);
    }
}
