//! XML to a tree.
//!
//! The document is an object with one member, the root element by its name. An element is an object:
//! its attributes as `@name`, its text as `#text` (trimmed, absent where there is none), and its
//! children by name, each name a **list**, also of one, so that a rule that fits one row fits two.
//! Prefixes of namespaces are left out. Entities from outside are never fetched, and those of the
//! document's own DTD make it an error (the "billion laughs").

use super::{MAX_DEPTH, MAX_NODES, TreeError};
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Value, TreeError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(MAX_NODES).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| {
        let at = e.pos();
        TreeError::Syntax {
            format: "XML",
            line: usize::try_from(at.row).unwrap_or(usize::MAX),
            column: usize::try_from(at.col).unwrap_or(usize::MAX),
        }
    })?;
    let root = document.root_element();
    let mut tree = Map::new();
    tree.insert(root.tag_name().name().to_owned(), element(root, MAX_DEPTH)?);
    Ok(Value::Object(tree))
}

/// An element with all below it; the parser itself does not recurse.
fn element(node: Node<'_, '_>, depth: usize) -> Result<Value, TreeError> {
    let depth = depth.checked_sub(1).ok_or(TreeError::TooDeep)?;
    let mut object = Map::new();
    for attribute in node.attributes() {
        let text = Value::String(attribute.value().to_owned());
        object.insert(format!("@{}", attribute.name()), text);
    }
    let text: String = node
        .children()
        .filter_map(|child| child.is_text().then(|| child.text()).flatten())
        .collect();
    if !text.trim().is_empty() {
        object.insert("#text".to_owned(), Value::String(text.trim().to_owned()));
    }
    for child in node.children().filter(Node::is_element) {
        let list = object
            .entry(child.tag_name().name())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(element(child, depth)?);
        }
    }
    Ok(Value::Object(object))
}
