//! What is wrong with a configuration, said so that the reader can repair it without a manual.

use std::fmt;

/// A configuration that cannot be used, with everything that is wrong with it.
///
/// Prints one line for each problem (`FILE:LINE:COLUMN: KEY = VALUE: expected …`), and a line with
/// a hint where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line and column in the file, both from 1; `None` when it concerns the file as a whole.
    pub position: Option<(usize, usize)>,
    /// The key, such as `queue[2].lane`, lists counted from 0; empty for the file as a whole.
    pub key: String,
    /// What was found there, as typed, secrets masked; `None` when there is nothing.
    pub found: Option<String>,
    /// What is wrong and what is expected.
    pub message: String,
    /// What the user may have meant.
    pub hint: Option<String>,
}

impl ConfigError {
    /// Collects problems of a file, sorted by their place in it.
    #[must_use]
    pub(super) fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|p| p.position);
        Self {
            file: file.to_owned(),
            problems,
        }
    }

    /// A single problem with the file as a whole.
    #[must_use]
    pub(crate) fn whole(file: &str, message: impl Into<String>) -> Self {
        Self::new(file, vec![Problem::whole(message)])
    }

    /// Everything that is wrong, in the order of the file; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Problem {
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self {
            position: None,
            key: String::new(),
            found: None,
            message: message.into(),
            hint: None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            f.write_str(&self.file)?;
            if let Some((line, column)) = problem.position {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(found) = &self.found {
            write!(f, " = {found}")?;
        }
        if !self.key.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
