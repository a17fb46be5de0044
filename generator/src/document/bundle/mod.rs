//! Documents of several files (OAS 3.0.3 section 4.3): what the `$ref`s to other files lead to becomes part of the
//! document, shared objects as components. The network is asked only where the caller gives a way to.

mod files;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use self::files::{Files, Target};
use super::fault::{Faults, is_mark};
use super::network::Fetch;
use super::pointer;
use super::refs::words;
use super::source::Sources;
use super::walk::{Node, reference, walk_node};

/// How many copies may stand within one another: of what no component can hold, and so cannot be shared.
const DEEPEST: usize = 32;

/// Takes everything that `document`, read from `path`, refers to in other files into it.
pub(super) fn bundle(
    document: &mut Value,
    path: &Path,
    network: Option<&dyn Fetch>,
    sources: &mut Sources,
    faults: &mut Faults,
) {
    let mut leads_out = false;
    walk_node(Node::Document, "", document, &mut |_, _, value| {
        leads_out |= reference(value).is_some_and(|target| !target.starts_with('#'));
    });
    if !leads_out {
        return;
    }
    let mut bundle = Bundle {
        files: Files::new(path, document.clone(), network),
        names: BTreeMap::new(),
        aliases: BTreeMap::new(),
        taken: BTreeMap::new(),
        numbers: BTreeMap::new(),
        todo: vec![Piece { node: Node::Document, at: String::new(), file: 0, depth: 0 }],
        sources,
        faults,
    };
    bundle.own_components(document);
    while let Some(piece) = bundle.todo.pop() {
        bundle.rewrite(document, &piece);
    }
}

/// A part of the document whose `$ref`s are still those of the file that it comes from.
struct Piece {
    node: Node,
    /// Where it stands in the document.
    at: String,
    /// The file that it comes from.
    file: usize,
    /// How many copies it stands in.
    depth: usize,
}

/// What is put into the document once the `$ref`s of a piece have been looked through.
enum Change {
    /// A new component.
    Component { node: Node, section: &'static str, name: String, target: Target },
    /// A copy in the place of the `$ref`.
    Copy { node: Node, at: String, target: Target },
}

struct Bundle<'a> {
    files: Files<'a>,
    /// The components that hold what stands in other files.
    names: BTreeMap<(&'static str, Target), String>,
    /// The document's own components that are nothing but a `$ref` to another file, and so give what is there its name.
    aliases: BTreeMap<String, Target>,
    /// The names of all components.
    taken: BTreeMap<&'static str, BTreeSet<String>>,
    /// The last number that was added to a name.
    numbers: BTreeMap<(&'static str, String), usize>,
    todo: Vec<Piece>,
    sources: &'a mut Sources,
    faults: &'a mut Faults,
}

impl Bundle<'_> {
    fn own_components(&mut self, document: &mut Value) {
        let Some(components) = document.get_mut("components") else { return };
        let mut aliases = Vec::new();
        walk_node(Node::Components, "/components", components, &mut |node, at, value| {
            let (Some(section), true) = (node.section(), pointer::segments(at).count() == 3) else { return };
            let Some(name) = pointer::segments(at).last() else { return };
            self.taken.entry(section).or_default().insert(name.clone().into_owned());
            if let Some(text) = reference(value).filter(|text| !text.starts_with('#')) {
                aliases.push((section, at.to_owned(), name.into_owned(), text.to_owned()));
            }
        });
        for (section, at, name, text) in aliases {
            let Ok(target) = self.files.follow(0, &text) else { continue };
            if target.file != 0 && !self.names.contains_key(&(section, target.clone())) {
                self.names.insert((section, target.clone()), name);
                self.aliases.insert(at, target);
            }
        }
    }

    /// Makes the `$ref`s of a piece lead into the document.
    fn rewrite(&mut self, document: &mut Value, piece: &Piece) {
        let Some(slot) = document.pointer_mut(&piece.at) else { return };
        let mut value = slot.take();
        let mut changes = Vec::new();
        walk_node(piece.node, &piece.at, &mut value, &mut |node, at, value| {
            self.reference(piece, node, at, value, &mut changes);
            if node == Node::Schema && piece.file != 0 {
                self.discriminator(piece.file, value, &mut changes);
            }
        });
        if let Some(slot) = document.pointer_mut(&piece.at) {
            *slot = value;
        }
        for change in changes {
            self.change(document, change, piece.depth);
        }
    }

    fn reference(&mut self, piece: &Piece, node: Node, at: &str, value: &mut Value, changes: &mut Vec<Change>) {
        let Some(text) = reference(value).filter(|text| !is_mark(text)) else { return };
        if piece.file == 0 && text.starts_with('#') {
            return;
        }
        let target = match self.files.follow(piece.file, text) {
            Ok(target) => target,
            Err(diagnostic) => {
                let place = self.sources.place(&pointer::join(at, "$ref"));
                *value = self.faults.mark(diagnostic.at(place));
                return;
            }
        };
        let is_alias = self.aliases.get(at) == Some(&target);
        match node.section() {
            _ if target.file == 0 => set_reference(value, format!("#{}", target.pointer)),
            Some(section) if !is_alias => {
                let component = self.component(node, section, target, changes);
                set_reference(value, component);
            }
            _ => changes.push(Change::Copy { node, at: at.to_owned(), target }),
        }
    }

    /// The values of a discriminator's mapping are names of schemas, or lead to them (OAS 3.0.3 section 4.7.25).
    fn discriminator(&mut self, file: usize, value: &mut Value, changes: &mut Vec<Change>) {
        let Some(Value::Object(mapping)) = value.pointer_mut("/discriminator/mapping") else { return };
        for (_, value) in mapping {
            let Some(text) = value.as_str().filter(|text| text.contains(['#', '/', '.'])) else { continue };
            if let Ok(target) = self.files.follow(file, text) {
                *value = Value::String(match target.file {
                    0 => format!("#{}", target.pointer),
                    _ => self.component(Node::Schema, "schemas", target, changes),
                });
            }
        }
    }

    /// The `$ref` to the component that holds what stands at `target`.
    fn component(&mut self, node: Node, section: &'static str, target: Target, changes: &mut Vec<Change>) -> String {
        let known = self.names.get(&(section, target.clone())).cloned();
        let name = known.unwrap_or_else(|| {
            let name = self.free_name(section, &target);
            self.names.insert((section, target.clone()), name.clone());
            changes.push(Change::Component { node, section, name: name.clone(), target });
            name
        });
        format!("#/components/{section}/{}", pointer::escape(&name))
    }

    /// The name that it has there, if it has one: of a component its own, of a whole file the file's.
    fn free_name(&mut self, section: &'static str, target: &Target) -> String {
        let stem = words(&format!("/{}", pointer::escape(&self.files.stem(target.file))));
        let segments: Vec<_> = pointer::segments(&target.pointer).collect();
        let base = match segments.as_slice() {
            [] => stem.clone(),
            [place, of, name] if *place == "components" && *of == section => name.clone().into_owned(),
            [place, name] if *place == "definitions" || *place == "$defs" => name.clone().into_owned(),
            [name] => name.clone().into_owned(),
            _ => words(&target.pointer),
        };
        let taken = self.taken.entry(section).or_default();
        let candidates = [base.clone(), format!("{stem}-{base}")].into_iter();
        // Not from 2 on each time: in some trees of files hundreds are called the same.
        let next = self.numbers.entry((section, base.clone())).or_insert(1);
        let numbered = std::iter::repeat_with(|| {
            *next += 1;
            format!("{base}-{next}")
        });
        let name = candidates.chain(numbered).find(|name| !name.is_empty() && !taken.contains(name)).unwrap_or(base);
        taken.insert(name.clone());
        name
    }

    fn change(&mut self, document: &mut Value, change: Change, depth: usize) {
        let (node, at, target, depth) = match change {
            Change::Component { node, section, name, target } => {
                let Some(section_map) = section_mut(document, section) else { return };
                let at = format!("/components/{section}/{}", pointer::escape(&name));
                section_map.insert(name, Value::Null);
                (node, at, target, 0)
            }
            Change::Copy { node, at, target } => (node, at, target, depth + 1),
        };
        let Some(slot) = document.pointer_mut(&at) else { return };
        if depth > DEEPEST {
            let message = "the `$ref` leads to something that contains itself, and cannot be shared";
            *slot = self.faults.mark(crate::diagnostic::Diagnostic::error(message).at(self.sources.place(&at)));
            return;
        }
        let mut value = self.files.value(&target).cloned().unwrap_or_default();
        // What stands beside the `$ref` is said of this place.
        if let (Value::Object(value), Value::Object(beside)) = (&mut value, slot.take()) {
            value.extend(beside.into_iter().filter(|(key, _)| key != "$ref"));
        }
        *slot = value;
        self.sources.moved(&at, &self.files.name(target.file), &target.pointer);
        self.todo.push(Piece { node, at, file: target.file, depth });
    }
}

fn set_reference(value: &mut Value, target: String) {
    if let Value::Object(object) = value {
        object.insert("$ref".to_owned(), Value::String(target));
    }
}

fn section_mut<'a>(document: &'a mut Value, section: &str) -> Option<&'a mut Map<String, Value>> {
    let components = document.as_object_mut()?.entry("components").or_insert_with(|| json!({}));
    components.as_object_mut()?.entry(section).or_insert_with(|| json!({})).as_object_mut()
}
