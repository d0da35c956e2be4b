//! The manual pages and completions that packages hold, as the commands are.
//!
//! `YOBIBAN_ACCEPT=1 cargo test --test it manuals::` writes them anew.

use crate::support::root;
use clap_complete::Shell;
use std::path::PathBuf;
use yobiban::cli;

/// Every file and what is to stand in it.
fn wanted() -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let command = cli::command();
    let mut pages = vec![("yobiban".to_owned(), command.clone())];
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let name = format!("yobiban-{}", sub.get_name());
        let page = sub
            .clone()
            .name(&*name.clone().leak())
            .version(env!("CARGO_PKG_VERSION"));
        pages.push((name, page));
    }
    for (name, page) in pages {
        let mut text = Vec::new();
        // The date of a page would change it with every day.
        let man = clap_mangen::Man::new(page).date("").source("yobiban");
        man.render(&mut text).unwrap();
        files.push((root().join(format!("assets/man/{name}.1")), text));
    }
    for (shell, file) in [
        (Shell::Bash, "yobiban.bash"),
        (Shell::Zsh, "_yobiban"),
        (Shell::Fish, "yobiban.fish"),
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "yobiban", &mut text);
        files.push((root().join("assets/completions").join(file), text));
    }
    files
}

#[test]
fn manuals_and_completions_are_those_of_the_commands() {
    let accept = std::env::var_os("YOBIBAN_ACCEPT").is_some();
    let wanted = wanted();
    for (path, text) in &wanted {
        if accept {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let there = std::fs::read(path).unwrap_or_default();
        assert!(there == *text, "{} is of other commands", path.display());
    }
    for dir in ["assets/man", "assets/completions"] {
        for file in std::fs::read_dir(root().join(dir)).unwrap() {
            let path = file.unwrap().path();
            let known = wanted.iter().any(|(p, _)| *p == path);
            assert!(known, "{} is of no command", path.display());
        }
    }
}
