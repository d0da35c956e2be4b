//! Finds the template of a board, and checks that it can be used for all its fields.

use super::parse::TemplateParser;
use super::raw::{AddressForm, RawTemplate};
use super::template::{Body, Modbus, Part, Template, TemplateError, wrong};
use crate::config::{SerialConfig, asset};
use std::path::Path;

/// The templates in the program, by the names the configuration knows.
const BUILT_IN: [(&str, &str); 3] = [
    ("stx", include_str!("../../../assets/serial/stx.toml")),
    ("pipe", include_str!("../../../assets/serial/pipe.toml")),
    ("modbus", include_str!("../../../assets/serial/modbus.toml")),
];

/// Largest template file that is read, in bytes; the built-in ones have 2 kB.
const MAX_FILE: u64 = 64 * 1024;
/// The highest unit of a Modbus line (MODBUS over Serial Line V1.02, 2.2).
const MAX_UNIT: u16 = 247;

impl Template {
    /// Reads the template of a board and checks that it can be used for all its fields.
    pub(super) fn load(config: &SerialConfig) -> Result<Self, TemplateError> {
        let name = config.template.as_str();
        let mut template = match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(name, text, &config.options)?,
            None => {
                let path = Path::new(name);
                let text = asset::read(path, MAX_FILE).map_err(|source| TemplateError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                Self::parse(name, &text, &config.options)?
            }
        };
        if let Some(width) = config.digits {
            template.widen(width);
        }
        template.check_addresses(name, config)?;
        Ok(template)
    }

    fn widen(&mut self, width: usize) {
        match &mut self.body {
            Body::Frame(parts) => {
                for part in parts {
                    if let Part::Digits(digits) = part {
                        digits.width = width;
                    }
                }
            }
            Body::Modbus(modbus) => {
                if usize::from(modbus.stride) == modbus.digits.width {
                    modbus.stride = u16::try_from(width).unwrap_or(u16::MAX);
                }
                modbus.digits.width = width;
            }
        }
    }

    fn check_addresses(&self, file: &str, config: &SerialConfig) -> Result<(), TemplateError> {
        for field in &config.fields {
            let (low, high) = match &self.body {
                Body::Modbus(Modbus { unit: None, .. }) => (1, MAX_UNIT),
                Body::Modbus(modbus) => {
                    let width = modbus.digits.width;
                    let room = 0x1_0000 - usize::from(modbus.first);
                    let fields = room.saturating_sub(width) / usize::from(modbus.stride) + 1;
                    (1, u16::try_from(fields).unwrap_or(u16::MAX))
                }
                Body::Frame(parts) => {
                    let most = |part: &Part| match part {
                        Part::Address(AddressForm::Byte, _) => Some(255),
                        Part::Address(AddressForm::Ascii, width) => {
                            Some(10u32.pow(u32::from(*width)) - 1)
                        }
                        Part::Address(AddressForm::Hex, width) => {
                            Some(16u32.pow(u32::from(*width)) - 1)
                        }
                        _ => None,
                    };
                    let most = parts.iter().filter_map(most).min().unwrap_or(u32::MAX);
                    (0, u16::try_from(most).unwrap_or(u16::MAX))
                }
            };
            if !(low..=high).contains(&field.address) {
                let problem = format!(
                    "a field has address {}: expected {low} to {high}",
                    field.address
                );
                return Err(wrong(file, ".", problem));
            }
        }
        Ok(())
    }

    fn parse(file: &str, text: &str, options: &[String]) -> Result<Self, TemplateError> {
        let raw: RawTemplate = asset::parse(text).map_err(|e| wrong(file, &e.key, e.problem))?;
        TemplateParser { file, options }.template(raw)
    }
}
