//! Files of keys and certificates.
//!
//! A file holds what was looked for or is refused in words that repeat nothing of it, and the same
//! bytes are always answered alike.

use yobiban::config::pem;

/// So many bytes of a file in a row are no accident.
const RUN: usize = 8;

/// All that a refusal may consist of: no file can add to it.
fn check(said: &str, data: &[u8]) {
    assert!(
        said.len() < 200 && !said.contains(char::is_control),
        "{said:?}"
    );
    for run in data.windows(RUN) {
        // Our words are about such files, and have some of theirs in them.
        let known = run
            .iter()
            .all(|b| b.is_ascii_alphabetic() || b" -".contains(b));
        let listed = format!("{run:?}");
        assert!(!said.contains(listed.trim_matches(['[', ']'])), "{said}");
        let text = String::from_utf8_lossy(run);
        assert!(known || !said.contains(&*text), "{said}");
    }
}

/// Reads a file as either.
pub fn run(data: &[u8]) {
    if let Err(flaw) = pem::private_key(data) {
        check(&flaw.to_string(), data);
        check(&format!("{flaw:?}"), data);
    }
    match pem::certificates(data) {
        Ok(found) => assert!(!found.found.is_empty()),
        Err(flaw) => {
            check(&flaw.to_string(), data);
            check(&format!("{flaw:?}"), data);
        }
    }
}
