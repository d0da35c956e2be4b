//! The bones of a page: its tags and their attributes, without the texts.
//!
//! Reads far less than HTML, just what the hub's pages are written in; whatever else stands there
//! is an error, because somebody's label put it there.

/// Elements of the hub's pages.
const ELEMENTS: &str = " a article b body br button dd details div dl dt em figcaption figure footer form h1 h2 h3 \
    head header html img input label li link main meta nav noscript ol option p script section select \
    small span strong style summary svg table tbody td th thead time title tr ul use path ";

/// The tags of a page or of a part of one, such as `a class href`, `/a`.
///
/// # Panics
/// When a tag is none of the hub's, is not closed, or has an attribute that runs a script or is
/// not in quotes.
pub(super) fn bones(page: &str) -> Vec<String> {
    let mut bones = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("!--") {
            rest = after.split_once("-->").expect("an open comment").1;
            continue;
        }
        if rest.starts_with('!') {
            rest = rest.split_once('>').expect("an open declaration").1;
            continue;
        }
        let (bone, after) = tag(rest);
        rest = after;
        if bone.starts_with("script") || bone.starts_with("style") {
            assert!(rest.starts_with("</"), "a script within the page");
        }
        bones.push(bone);
    }
    bones
}

/// One tag, from after its `<`: its bones and what follows it.
fn tag(text: &str) -> (String, &str) {
    let end = text.find([' ', '\n', '>']).expect("an open tag");
    let mut bone = text[..end].trim_end_matches('/').to_owned();
    let element = bone.trim_start_matches('/').to_owned();
    assert!(
        ELEMENTS.contains(&format!(" {element} ")),
        "no tag of ours: <{element}"
    );
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return (bone, after);
        }
        if let Some(after) = rest.strip_prefix("/>") {
            return (bone, after);
        }
        let end = rest.find(['=', ' ', '\n', '>']).expect("an open tag");
        let name = &rest[..end];
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        assert!(
            plain && !name.starts_with("on"),
            "no attribute of ours: {name}"
        );
        bone = format!("{bone} {name}");
        rest = &rest[end..];
        if let Some(after) = rest.strip_prefix("=\"") {
            let (value, after) = after.split_once('"').expect("an open attribute");
            assert!(!value.contains('<'), "not escaped: {value}");
            let address = matches!(name, "href" | "src" | "action");
            assert!(!address || is_ours(value), "leads elsewhere: {value}");
            rest = after;
        } else {
            assert!(!rest.starts_with('='), "an attribute without quotes");
        }
        rest = rest.trim_start();
    }
}

/// Whether an address stays on the hub, or is the project's licence.
fn is_ours(address: &str) -> bool {
    let inside = !address.starts_with("//") && !address.contains(':');
    inside || address.starts_with("https://creativecommons.org/")
}
