//! Where in the configuration something is declared, and which functions of time and chance its expressions
//! reach.
//!
//! Text comes in, places leave. What Terraform alone knows (types, schemas, values) is not asked here, so
//! an answer is a lead, not a proof: a function counts as reached when the expression mentions it, even in
//! a branch that is not taken. Nothing here fails: what cannot be read is not found.
//!
//! What is easy to get wrong: whose file it is. A person cannot mend a downloaded module, so the place of
//! what stands in one is the call in the nearest module that is the user's.

mod hcl;
mod json;
mod reach;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::model::address::{Keys, names};
use crate::model::source::{ModuleSource, SourceFile};

use super::finding::Site;
use tree::{Mention, Node, Tree};

/// The configuration's text, taken apart.
#[derive(Default)]
pub(crate) struct Configuration {
    /// The modules by their keys; the root has the empty one.
    modules: BTreeMap<String, Module>,
}

impl Configuration {
    /// Takes the modules apart; what cannot be is passed over.
    pub(crate) fn of(modules: &[ModuleSource]) -> Self {
        let modules = modules.iter().map(|module| (module.key.clone(), Module::of(module)));
        Self { modules: modules.collect() }
    }

    /// Where a resource, an output (`output.NAME`) or a check (`check.NAME`) is declared; for a downloaded
    /// module, where it is called. Where there is no such block, the `moved`, `import` or `removed` block that
    /// names it.
    ///
    /// Of several blocks it is the one from which the attribute of the first path comes: the last override
    /// file that has it, else the original. An output is its `value`.
    pub(crate) fn site(&self, address: &str, paths: &[String]) -> Option<Site> {
        let target = Target::of(address);
        let own = self.modules.get(&target.module).filter(|module| !module.is_foreign);
        let first = paths.first().map(|path| names(path, Keys::Named)).unwrap_or_default();
        let is_output = target.key.starts_with("output.");
        let attribute = is_output.then_some("value").or(first.first().map(String::as_str));
        let declared = match own {
            Some(module) => module.site(&target.key, attribute),
            None => self.call_site(&target.module),
        };
        declared.or_else(|| self.statement_site(address))
    }

    /// The functions of time and chance that an attribute's expression reaches, through locals, variables
    /// and module outputs; for an empty path, those of the whole block. Sorted, each once.
    pub(crate) fn functions(&self, address: &str, path: &str) -> Vec<&'static str> {
        let path = names(path, Keys::Named);
        let reached = reach::reach(self, &Target::of(address), &path, reach::MAX_RESOURCES);
        reached.functions.into_iter().collect()
    }

    /// The functions that read files and templates, as [`Self::functions`] but not through other resources.
    pub(crate) fn readers(&self, address: &str, path: &str) -> BTreeSet<&'static str> {
        reach::reach(self, &Target::of(address), &names(path, Keys::Named), 0).readers
    }

    /// The resources and data sources, without keys, that an attribute's expression refers to, through locals,
    /// variables and module outputs; none where that cannot be told.
    pub(crate) fn resources(&self, address: &str, path: &str) -> Option<BTreeSet<String>> {
        let reached = reach::reach(self, &Target::of(address), &names(path, Keys::Named), 0);
        reached.is_whole.then_some(reached.resources)
    }

    /// The resources, without keys, that the `replace_triggered_by` of a resource names.
    pub(crate) fn triggers(&self, address: &str) -> BTreeSet<String> {
        reach::triggers(self, &Target::of(address))
    }

    /// Whether the expressions of a block reach such a function without another resource in between.
    pub(crate) fn calls_itself(&self, address: &str) -> bool {
        !reach::reach(self, &Target::of(address), &[], 0).functions.is_empty()
    }

    /// Whether a function is called anywhere.
    pub(crate) fn calls(&self, function: &str) -> bool {
        let mut files = self.modules.values().flat_map(|module| &module.files);
        files.any(|file| file.tree.called.contains(function))
    }

    /// Whether there is a `check` block anywhere.
    pub(crate) fn declares_checks(&self) -> bool {
        let mut files = self.modules.values().flat_map(|module| &module.files);
        files.any(|file| file.tree.children(None).any(|(_, node)| node.name == "check"))
    }

    /// Whether the value of a variable of the root module may be told, as far as its block says.
    pub(crate) fn is_open_variable(&self, name: &str) -> bool {
        let place = |module: &Module| module.declared.get(&format!("var.{name}"))?.first().copied();
        let root = self.modules.get("");
        let block = root.and_then(|root| Some((root, place(root)?)));
        block.is_some_and(|(root, place)| !root.is_hidden(place))
    }

    /// The blocks of variables whose values must not be told, in every module: their defaults, too.
    pub(crate) fn hidden_variables(&self) -> Vec<Site> {
        let modules = self.modules.values();
        let sites = modules.flat_map(|module| {
            let variables = module.declared.iter().filter(|(key, _)| key.starts_with("var."));
            let places = variables.flat_map(|(_, places)| places.iter().copied());
            places
                .filter(|place| module.is_hidden(*place))
                .filter_map(|place| module.site_of(place))
        });
        sites.collect()
    }

    /// The call that leads to a module, in the nearest module that is the user's.
    fn call_site(&self, key: &str) -> Option<Site> {
        let mut inner = key;
        while !inner.is_empty() {
            let (outer, call) = split_key(inner);
            if let Some(module) = self.modules.get(outer).filter(|module| !module.is_foreign) {
                return module.site(&format!("module.{call}"), None);
            }
            inner = outer;
        }
        None
    }

    /// The `moved`, `import` or `removed` block that names an address, from the innermost module out.
    fn statement_site(&self, address: &str) -> Option<Site> {
        let names = names(address, Keys::Dropped);
        let target = Target::of(address);
        let mut key = target.module.as_str();
        loop {
            let depth = if key.is_empty() { 0 } else { key.split('.').count() };
            let relative = names.get(depth.saturating_mul(2)..).unwrap_or_default().join(".");
            let module = self.modules.get(key).filter(|module| !module.is_foreign);
            let site = module.and_then(|module| module.statement(&relative));
            if site.is_some() || key.is_empty() {
                return site;
            }
            key = split_key(key).0;
        }
    }
}

/// The assignments in a file of variables' values: each with its lines, from 1, the last included.
pub(crate) fn assignments(text: &str) -> Vec<(String, RangeInclusive<usize>)> {
    let tree = hcl::read(text);
    let named = tree.children(None).map(|(_, node)| (node.name.clone(), node.line..=node.end_line));
    named.collect()
}

/// A module's key without its last part, and that part.
fn split_key(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

/// What an address names: a module, and what is declared in it.
struct Target {
    /// The module's key.
    module: String,
    /// The key of the declaration; see [`Module::declared`].
    key: String,
}

impl Target {
    /// Takes an address apart. Instance keys play no part: all instances have one block.
    fn of(address: &str) -> Self {
        let names = names(address, Keys::Dropped);
        let mut rest = names.as_slice();
        let mut module: Vec<&str> = Vec::new();
        while let [word, name, inner @ ..] = rest
            && word == "module"
            && !inner.is_empty()
        {
            module.push(name);
            rest = inner;
        }
        let key = match rest {
            // `module.a.endpoint`.
            [output] => format!("output.{output}"),
            rest => rest.join("."),
        };
        Self { module: module.join("."), key }
    }
}

/// A module, taken apart.
struct Module {
    /// Whether its files are not the user's.
    is_foreign: bool,
    /// Its files, override files last.
    files: Vec<File>,
    /// Where something is declared, override files last: `type.name`, `data.type.name`, `local.x`, `var.x`,
    /// `module.x`, `output.x`, `check.x`.
    declared: HashMap<String, Vec<Place>>,
    /// What `moved`, `import` and `removed` blocks name.
    statements: Vec<(String, Place)>,
}

/// A file, taken apart.
struct File {
    /// Its path.
    path: PathBuf,
    /// What it says.
    tree: Tree,
}

/// A node of a file of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// The file's number.
    file: usize,
    /// The node's number.
    node: usize,
}

impl Module {
    /// Takes a module apart.
    fn of(source: &ModuleSource) -> Self {
        let mut files: Vec<&SourceFile> = source.files.iter().collect();
        files.sort_by_key(|file| is_override(&file.path));
        let mut module = Self {
            is_foreign: source.is_foreign,
            files: files.into_iter().map(File::of).collect(),
            declared: HashMap::new(),
            statements: Vec::new(),
        };
        let trees = module.files.iter().enumerate();
        for (file, tree) in trees.map(|(number, file)| (number, &file.tree)) {
            for (node, block) in tree.children(None) {
                let place = Place { file, node };
                for (key, node) in declarations(tree, node, block) {
                    module.declared.entry(key).or_default().push(Place { node, ..place });
                }
                let named = statements(tree, node, block).map(|name| (name, place));
                module.statements.extend(named);
            }
        }
        module
    }

    /// The tree that a place is in.
    fn tree(&self, place: Place) -> Option<&Tree> {
        self.files.get(place.file).map(|file| &file.tree)
    }

    /// Where something is declared: the last block that has an attribute; if none has it, the original one.
    fn site(&self, key: &str, attribute: Option<&str>) -> Option<Site> {
        let places = self.declared.get(key)?;
        let has = |place: &&Place| attribute.is_some_and(|name| self.has(**place, name));
        self.site_of(*places.iter().rfind(has).or_else(|| places.first())?)
    }

    /// Whether a block has an attribute of a name, a block, or a `dynamic` block that makes such blocks.
    fn has(&self, block: Place, name: &str) -> bool {
        let is_it = |(_, node): (usize, &Node)| {
            node.name == name || (node.name == "dynamic" && node.labels.iter().eq([name]))
        };
        self.tree(block).is_some_and(|tree| tree.children(Some(block.node)).any(is_it))
    }

    /// The first `moved`, `import` or `removed` block that names something, or a module that it is in.
    fn statement(&self, relative: &str) -> Option<Site> {
        let is_named = |name: &str| {
            let behind = relative.strip_prefix(name);
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('.'))
        };
        let (_, place) = self.statements.iter().find(|(name, _)| is_named(name))?;
        self.site_of(*place)
    }

    /// Whether a variable's block says that it is sensitive or ephemeral; what it says it with is not looked at.
    fn is_hidden(&self, variable: Place) -> bool {
        let tree = self.tree(variable);
        tree.is_some_and(|tree| {
            let mut inside = tree.children(Some(variable.node));
            inside.any(|(_, node)| matches!(node.name.as_str(), "sensitive" | "ephemeral"))
        })
    }

    /// A place as a person reads it.
    fn site_of(&self, place: Place) -> Option<Site> {
        let file = self.files.get(place.file)?;
        let node = file.tree.node(place.node)?;
        Some(Site { file: file.path.clone(), line: node.line, end_line: node.end_line })
    }
}

impl File {
    /// Takes a file apart.
    fn of(source: &SourceFile) -> Self {
        let is_json = source.path.extension().is_some_and(|extension| extension == "json");
        let tree = if is_json { json::read(&source.text) } else { hcl::read(&source.text) };
        Self { path: source.path.clone(), tree }
    }
}

/// Whether the blocks of a file replace parts of others: `override.tf`, `x_override.tf`, and their JSON forms
/// (Terraform's "Override Files").
fn is_override(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let endings = [".tf", ".tf.json", ".tofu", ".tofu.json"];
    let stem = endings.into_iter().find_map(|ending| name.strip_suffix(ending));
    stem.is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
}

/// What a block at the top of a file declares: keys and nodes.
fn declarations(tree: &Tree, node: usize, block: &Node) -> Vec<(String, usize)> {
    let prefix = match block.name.as_str() {
        "resource" => "",
        "data" => "data.",
        "ephemeral" => "ephemeral.",
        "module" => "module.",
        "output" => "output.",
        "variable" => "var.",
        "check" => "check.",
        "locals" => {
            let values = tree.children(Some(node));
            return values.map(|(node, value)| (format!("local.{}", value.name), node)).collect();
        }
        _ => return Vec::new(),
    };
    let key = format!("{prefix}{}", block.labels.join("."));
    // The data source that a check may hold is addressed like any other.
    let inner = tree.children(Some(node)).filter(|(_, inner)| {
        block.name == "check" && inner.name == "data" && inner.labels.len() == 2
    });
    let inner = inner.map(|(node, inner)| (format!("data.{}", inner.labels.join(".")), node));
    inner.chain([(key, node)]).collect()
}

/// What a `moved`, `import` or `removed` block names.
fn statements(tree: &Tree, node: usize, block: &Node) -> impl Iterator<Item = String> {
    let is_statement = matches!(block.name.as_str(), "moved" | "import" | "removed");
    let ends = tree
        .children(Some(node))
        .filter(move |(_, end)| is_statement && matches!(end.name.as_str(), "from" | "to"));
    ends.filter_map(|(node, _)| match tree.mentions(node).first() {
        Some(Mention::Reference(name)) => Some(name.clone()),
        Some(Mention::Call(_) | Mention::Read(_)) | None => None,
    })
}

#[cfg(test)]
mod tests;
