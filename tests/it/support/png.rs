//! Reads pictures without the code that wrote them.

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
