//! What the boards of a configuration could not draw of its names.

use crate::board::Painter;
use crate::config::{Checked, OutputConfig};

/// Says, board by board, which characters of the configured names its fonts lack. They do no harm
/// but that a sign stands in their place, so this is no error.
#[must_use]
pub fn undrawable(checked: &Checked) -> Vec<String> {
    let Checked::Node(config) = checked else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    for board in &config.boards {
        // Boards of digits show no names.
        if matches!(board.output, OutputConfig::Serial(_)) {
            continue;
        }
        // Whether there is such a layout is found out by those who draw it.
        let Ok(mut painter) = Painter::new(&config.office_name, &config.state, board) else {
            continue;
        };
        let on_board = |id| board.queues.as_ref().is_none_or(|all| all.contains(id));
        let queues = config.state.queues.iter().filter(|q| on_board(&q.id));
        let named = [("office.name".to_owned(), &config.office_name)]
            .into_iter()
            .chain(queues.map(|q| (format!("name of queue {}", q.id), &q.name)))
            .chain(board.notices.iter().map(|n| ("notices".to_owned(), n)));
        for (place, name) in named {
            if let Some(points) = painter.names_with_missing_glyphs([name]) {
                let id = &board.id;
                warnings.push(format!(
                    "{place}: board {id} cannot draw {points}; a sign will stand in their place"
                ));
            }
        }
    }
    warnings
}
