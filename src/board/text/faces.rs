//! Where the fonts come from: the program itself, or files beside it.

use crate::board::BoardError;
use cosmic_text::fontdb::Database;

/// The fonts inside the program: it needs nothing else.
#[cfg(feature = "fonts")]
pub(super) fn load() -> Result<Database, BoardError> {
    use cosmic_text::fontdb::Source;
    use std::sync::Arc;
    static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/BIZUDPGothic-Regular.ttf");
    static BOLD: &[u8] = include_bytes!("../../../assets/fonts/BIZUDPGothic-Bold.ttf");
    let mut fonts = Database::new();
    for font in [REGULAR, BOLD] {
        fonts.load_font_source(Source::Binary(Arc::new(font)));
    }
    Ok(fonts)
}

/// The files of a package. They are mapped, not read: only what is drawn takes memory.
#[cfg(not(feature = "fonts"))]
pub(super) fn load() -> Result<Database, BoardError> {
    use std::path::Path;
    const FOLDER: &str = "/usr/share/yobiban/fonts";
    let mut fonts = Database::new();
    for (count, name) in ["BIZUDPGothic-Regular.ttf", "BIZUDPGothic-Bold.ttf"]
        .into_iter()
        .enumerate()
    {
        let path = Path::new(FOLDER).join(name);
        let refused = |source| BoardError::Font {
            path: path.clone(),
            source,
        };
        fonts.load_font_file(&path).map_err(refused)?;
        if fonts.len() != count + 1 {
            return Err(refused(std::io::Error::other("it is not a font")));
        }
    }
    Ok(fonts)
}
