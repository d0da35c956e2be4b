//! What is wrong with a configuration, said so that the reader can repair it without a manual.

use super::problem::{Problem, ProblemKind};
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

    /// The lines of [`Display`](fmt::Display) for readers of Japanese. Where the Japanese says all,
    /// the English message follows indented.
    #[must_use]
    pub fn in_japanese(&self) -> String {
        let lines = self.problems.iter().map(|problem| {
            let mut line = self.place(problem);
            // Writing to a text does not fail.
            let _ = problem.write_place(&mut line);
            line.push_str(&problem.in_japanese());
            if problem.is_all_japanese() {
                line.push_str("\n  ");
                line.push_str(&problem.message);
            }
            line
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// File, line and column as all lines begin.
    fn place(&self, problem: &Problem) -> String {
        match problem.position {
            Some((line, column)) => format!("{}:{line}:{column}: ", self.file),
            None => format!("{}: ", self.file),
        }
    }

    /// A single problem with the file as a whole; `detail` is what its kind alone does not say.
    #[must_use]
    pub(crate) fn whole(
        file: &str,
        kind: impl Into<ProblemKind>,
        detail: impl fmt::Display,
    ) -> Self {
        Self::new(file, vec![Problem::whole(kind.into(), detail)])
    }

    /// Everything that is wrong, in the order of the file; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}{problem}", self.place(problem))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
