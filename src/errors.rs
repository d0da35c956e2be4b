//! What errors and panics of others say, in words for people.

use std::any::Any;
use std::fmt::Display;
use std::thread::JoinHandle;

/// An error of the system as part of a sentence: without its number in brackets, which helps nobody,
/// and without a capital at its beginning.
#[must_use]
pub fn plain(error: &impl Display) -> String {
    let message = error.to_string();
    let text = message.split(" (os error").next().unwrap_or(&message);
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// What a thread said when it panicked, of the payload that joining it gives.
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words")
}

/// Waits for the end of a thread and gives its result; logs a panic with what was said.
pub fn join<T>(thread: JoinHandle<T>) -> Option<T> {
    let name = thread
        .thread()
        .name()
        .unwrap_or("without a name")
        .to_owned();
    let result = thread.join();
    let logged = |payload: &Box<dyn Any + Send>| {
        let said = panic_text(payload.as_ref());
        tracing::error!("the thread {name} panicked: {said}");
    };
    result.inspect_err(logged).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn errors_of_the_system_lose_their_number_and_their_capital() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(plain(&error), "no such file or directory");
        assert_eq!(plain(&io::Error::other("Is a TTY")), "is a TTY");
        assert_eq!(plain(&""), "");
    }

    #[test]
    fn what_a_thread_said_is_known_however_it_said_it() {
        let panics: [(fn(), &str); 3] = [
            (|| panic!("plain words"), "plain words"),
            (|| panic!("{} words", 2), "2 words"),
            (|| std::panic::panic_any(7_u8), "a panic without words"),
        ];
        for (panics, said) in panics {
            let payload = std::thread::spawn(panics).join().expect_err("panicked");
            assert_eq!(panic_text(payload.as_ref()), said);
            assert_eq!(join(std::thread::spawn(panics)), None);
        }
        assert_eq!(join(std::thread::spawn(|| 7)), Some(7));
    }
}
