//! Reads pictures without the code that wrote them.

use sha2::{Digest, Sha256};

/// A picture's colours.
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The hash of a frame as a health report names it.
    pub fn frame_sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.width.to_be_bytes());
        hash.update(self.height.to_be_bytes());
        hash.update(&self.rgb);
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// `0xrrggbb`.
    pub fn pixel(&self, x: u32, y: u32) -> u32 {
        let i = (y * self.width + x) as usize * 3;
        u32::from_be_bytes([0, self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]])
    }
}

/// Decodes a PNG, whatever its kind, to true colour.
pub fn rgb(file: &[u8]) -> Picture {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    Picture {
        width: info.width,
        height: info.height,
        rgb,
    }
}
