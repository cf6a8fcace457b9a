//! Messages that are JSON already, and stand in the log as they are: a line each, whatever the log's form is, so that
//! tools find one object and not a text with an object in it.

use std::fmt::{self, Debug, Write};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// The target of such messages.
pub(crate) const JSON_LINE: &str = "balsa::json_line";

/// Another form, but for messages that are JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrJsonLine<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for OrJsonLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if event.metadata().target() != JSON_LINE {
            return self.0.format_event(context, line, event);
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        writeln!(line, "{}", message.0)
    }
}

/// What an event says, without its other fields.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // A string takes whatever is written into it.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::layer::SubscriberExt;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn json_stands_as_it_is_beside_other_lines() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).json();
        let subscriber = tracing_subscriber::registry().with(lines.map_event_format(OrJsonLine));
        let object = serde_json::json!({ "msg": "Slow \"block\"", "timing": { "total_ms": 1.5 } });
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: JSON_LINE, "{object}");
            tracing::warn!("another");
        });
        let text = String::from_utf8(kept.0.lock().expect("no panic").clone()).expect("text");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
        assert_eq!(lines[0], object);
        assert_eq!(lines[1]["fields"]["message"], "another");
    }
}
