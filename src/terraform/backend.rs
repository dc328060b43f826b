//! The backend record, `DATADIR/terraform.tfstate`: which backend this directory uses.
//!
//! It has the name of a state and is none (terraform-facts.md 1.3). It holds every attribute of the
//! backend, credentials included; only what says *which* state it is leaves this file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use crate::sys::file::read_small;

use super::TerraformError;

/// A backend: its kind and its configuration as it was recorded, or as it is in a saved plan.
#[derive(Clone)]
pub(crate) struct Backend {
    /// `local`, `http`, `s3`, …
    pub(crate) kind: String,
    config: Map<String, Value>,
}

/// An attribute and the variables that fill it.
type Attribute = (&'static str, &'static [&'static str]);

/// What names a state within its kind of backend, and the variable that fills an attribute that is not
/// in the record (from the backends' documentation, Terraform 1.11). The first of each kind says where;
/// without it the location is not known.
const IDENTITY: &[(&str, &[Attribute])] = &[
    ("http", &[("address", &["TF_HTTP_ADDRESS"])]),
    (
        "s3",
        &[
            ("bucket", &[]),
            ("key", &[]),
            ("workspace_key_prefix", &[]),
            ("endpoints", &["AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT"]),
            ("endpoint", &[]),
        ],
    ),
    ("gcs", &[("bucket", &[]), ("prefix", &[])]),
    (
        "azurerm",
        &[
            ("container_name", &[]),
            ("key", &[]),
            ("storage_account_name", &[]),
            ("environment", &["ARM_ENVIRONMENT"]),
        ],
    ),
    ("pg", &[("conn_str", &["PG_CONN_STR"]), ("schema_name", &["PG_SCHEMA_NAME"])]),
    ("consul", &[("path", &[]), ("address", &["CONSUL_HTTP_ADDR"]), ("datacenter", &[])]),
    (
        "kubernetes",
        &[
            ("secret_suffix", &[]),
            ("namespace", &["KUBE_NAMESPACE"]),
            ("host", &["KUBE_HOST"]),
            ("config_context", &["KUBE_CTX"]),
        ],
    ),
    (
        "oss",
        &[("bucket", &[]), ("prefix", &[]), ("key", &[]), ("endpoint", &["ALICLOUD_OSS_ENDPOINT"])],
    ),
    (
        "cos",
        &[("bucket", &[]), ("prefix", &[]), ("key", &[]), ("region", &["TENCENTCLOUD_REGION"])],
    ),
    ("oci", &[("bucket", &[]), ("key", &[]), ("namespace", &[])]),
    (
        "cloud",
        &[
            ("organization", &["TF_CLOUD_ORGANIZATION"]),
            ("hostname", &["TF_CLOUD_HOSTNAME"]),
            ("workspaces", &[]),
        ],
    ),
    ("remote", &[("organization", &[]), ("hostname", &[]), ("workspaces", &[])]),
];

/// What turns locking on in the kinds of backend that do not lock by themselves: any one of these
/// attributes, or the variable that fills it (their documentation, Terraform 1.11).
const LOCKING: &[(&str, &[Attribute])] = &[
    ("http", &[("lock_address", &["TF_HTTP_LOCK_ADDRESS"])]),
    ("s3", &[("use_lockfile", &[]), ("dynamodb_table", &[])]),
    ("oss", &[("tablestore_table", &[])]),
];

/// Attributes whose name has one of these in it hold what nobody else may know.
const CONFIDENTIAL: &[&str] =
    &["password", "secret", "token", "access_key", "private_key", "credentials", "conn_str"];

/// Larger records are refused, not read. In bytes; ordinary ones have a few thousand.
const MOST_BYTES: u64 = 4 << 20;

impl Backend {
    /// The implicit backend: state in the directory itself.
    pub(crate) fn implicit() -> Self {
        Self { kind: "local".to_owned(), config: Map::new() }
    }

    /// A backend as a saved plan holds it.
    pub(crate) fn new(kind: String, config: Map<String, Value>) -> Self {
        Self { kind, config }
    }

    /// Reads the record of a data directory; none where there is none, or where it names no backend.
    ///
    /// # Errors
    /// It is there and cannot be read or is not a record.
    pub(crate) fn read(data_directory: &Path) -> Result<Option<Self>, TerraformError> {
        let path = data_directory.join("terraform.tfstate");
        let text = match read_small(&path, MOST_BYTES) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => return Err(TerraformError::Read { path, source }),
        };
        let unreadable = || TerraformError::Nowhere {
            reason: format!("the backend record `{}` is not one", path.display()),
        };
        let record: Value = serde_json::from_slice(&text).map_err(|_| unreadable())?;
        let Some(backend) = record.get("backend").filter(|b| !b.is_null()) else { return Ok(None) };
        let kind = backend.get("type").and_then(Value::as_str).ok_or_else(unreadable)?;
        if kind.is_empty() {
            return Ok(None);
        }
        let config = backend.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
        Ok(Some(Self { kind: kind.to_owned(), config }))
    }

    /// Whether the state is a file on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.kind == "local"
    }

    /// A text attribute of the configuration, where it is set.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.config.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// What names the state, without credentials, user information and query strings.
    ///
    /// Where the attribute that says *where* is unknown (or the kind is), the root directory joins, so
    /// that two states are never taken for one.
    pub(crate) fn identity_attributes(&self, directory: &Path) -> BTreeMap<String, String> {
        let known = IDENTITY.iter().find(|(kind, _)| *kind == self.kind).map(|(_, names)| *names);
        let mut found = BTreeMap::new();
        for (name, variables) in known.unwrap_or_default() {
            if let Some(text) = self.recorded(name).or_else(|| first_set(variables)) {
                found.insert((*name).to_owned(), without_credentials(&text));
            }
        }
        let place = known.and_then(|names| names.first()).map(|(name, _)| *name);
        if !place.is_some_and(|name| found.contains_key(name)) {
            found.insert("directory".to_owned(), directory.to_string_lossy().into_owned());
        }
        found
    }

    fn recorded(&self, name: &str) -> Option<String> {
        match self.config.get(name)? {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(without_nulls(other)?.to_string()),
        }
    }

    /// The attribute that would make a backend lock that does not; none for one that does, and for one whose
    /// manners are not known.
    pub(crate) fn missing_lock(&self) -> Option<&'static str> {
        if self.kind == "consul" && self.config.get("lock") == Some(&Value::Bool(false)) {
            return Some("lock");
        }
        let (_, attributes) = LOCKING.iter().find(|(kind, _)| *kind == self.kind)?;
        let is_set = |name: &str| match self.config.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        let locks = |(name, variables): &Attribute| is_set(name) || first_set(variables).is_some();
        let first = attributes.first().map(|(name, _)| *name);
        first.filter(|_| !attributes.iter().any(locks))
    }

    /// The shell command that tells whether the backend keeps older versions of a state, which only its
    /// own tools can tell; none where there is no such thing to ask.
    pub(crate) fn versioning_question(&self, quote: impl Fn(&str) -> String) -> Option<String> {
        let name = |attribute: &str| self.text(attribute).map(&quote);
        match self.kind.as_str() {
            "s3" => Some(format!("aws s3api get-bucket-versioning --bucket {}", name("bucket")?)),
            "gcs" => Some(format!(
                "gcloud storage buckets describe {} --format='value(versioning_enabled)'",
                quote(&format!("gs://{}", self.text("bucket")?))
            )),
            "azurerm" => Some(format!(
                "az storage account blob-service-properties show --query isVersioningEnabled \
                 --account-name {}",
                name("storage_account_name")?
            )),
            _ => None,
        }
    }

    /// Whether the record holds what nobody else may know: values given by `-backend-config` are in it in
    /// clear text (terraform-facts.md 1.3).
    pub(crate) fn holds_secrets(&self) -> bool {
        let is_secret = |name: &str| CONFIDENTIAL.iter().any(|part| name.contains(part));
        self.config.iter().any(|(name, value)| is_secret(name) && !value.is_null())
    }

    /// Whether two backends keep the same state.
    pub(crate) fn is_same_place(&self, other: &Self, directory: &Path) -> bool {
        self.kind == other.kind
            && self.identity_attributes(directory) == other.identity_attributes(directory)
    }
}

/// Whether there is no such file: where the data directory is none, there is nothing in it.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn first_set(variables: &[&str]) -> Option<String> {
    let value = variables.iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
    value.map(|value| value.to_string_lossy().into_owned())
}

/// A nested block with its unset attributes left out; none where nothing is set.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), without_nulls(value)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().filter_map(without_nulls).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other.clone()),
    }
}

/// An address without user information, query and fragment; a `key=value …` connection string without
/// user and password.
fn without_credentials(text: &str) -> String {
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}://{host}{path}");
    }
    let is_secret = |word: &&str| {
        ["user", "password", "passfile", "sslkey", "sslpassword"]
            .iter()
            .any(|name| word.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    };
    if text.contains('=') && !text.starts_with('{') {
        return text.split(' ').filter(|word| !is_secret(word)).collect::<Vec<_>>().join(" ");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_is_secret_in_them() {
        for (text, expected) in [
            ("https://u:p@h.example:8/a/b?token=x#y", "https://h.example:8/a/b"),
            ("postgres://u:p@db/tf?sslmode=x", "postgres://db/tf"),
            ("host=db user=u password=p dbname=tf", "host=db dbname=tf"),
            ("clusters/staging/terraform.tfstate", "clusters/staging/terraform.tfstate"),
            ("https://h@x@y", "https://y"),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }

    fn backend(kind: &str, config: &str) -> Backend {
        let config: Value = serde_json::from_str(config).unwrap();
        Backend::new(kind.to_owned(), config.as_object().cloned().unwrap())
    }

    #[test]
    fn two_keys_of_one_bucket_are_two_places_and_secrets_do_not_count() {
        let here = Path::new("/x");
        let a = backend("s3", r#"{"bucket":"b","key":"staging","secret_key":"one"}"#);
        let b = backend("s3", r#"{"bucket":"b","key":"production","secret_key":"one"}"#);
        let a_again = backend("s3", r#"{"bucket":"b","key":"staging","secret_key":"two"}"#);
        assert!(!a.is_same_place(&b, here));
        assert!(a.is_same_place(&a_again, here));
        assert!(a.identity_attributes(here) == a_again.identity_attributes(Path::new("/y")));
    }

    #[test]
    fn an_unknown_place_is_kept_apart_by_its_directory() {
        let unknown = backend("brandnew", r#"{"token":"secret"}"#);
        let attributes = unknown.identity_attributes(Path::new("/srv/net"));
        assert_eq!(
            attributes.into_iter().collect::<Vec<_>>(),
            [("directory".to_owned(), "/srv/net".to_owned())]
        );
    }

    #[test]
    fn a_backend_that_does_not_lock_is_known() {
        for (kind, config, missing) in [
            ("http", r#"{"lock_address":null}"#, Some("lock_address")),
            ("http", r#"{"lock_address":"http://x/lock"}"#, None),
            ("s3", r#"{"use_lockfile":false,"dynamodb_table":""}"#, Some("use_lockfile")),
            ("s3", r#"{"use_lockfile":true}"#, None),
            ("s3", r#"{"dynamodb_table":"locks"}"#, None),
            ("consul", r#"{"lock":false}"#, Some("lock")),
            ("consul", r#"{"lock":null}"#, None),
            ("gcs", "{}", None),
            ("brandnew", "{}", None),
        ] {
            assert_eq!(backend(kind, config).missing_lock(), missing, "{kind} {config}");
        }
    }

    #[test]
    fn the_question_about_versioning_is_that_of_the_service() {
        let ask = |kind: &str, config: &str| {
            backend(kind, config).versioning_question(|name| format!("'{name}'"))
        };
        let s3 = ask("s3", r#"{"bucket":"acme","secret_key":"hidden"}"#).unwrap();
        assert_eq!(s3, "aws s3api get-bucket-versioning --bucket 'acme'");
        assert!(ask("gcs", r#"{"bucket":"acme"}"#).unwrap().contains("'gs://acme'"));
        assert!(ask("azurerm", r#"{"storage_account_name":"a"}"#).is_some());
        assert_eq!(ask("http", r#"{"address":"http://x"}"#), None);
        assert_eq!(ask("s3", "{}"), None);
    }

    #[test]
    fn secrets_in_the_record_are_noticed() {
        assert!(backend("http", r#"{"password":"x"}"#).holds_secrets());
        assert!(!backend("http", r#"{"password":null,"address":"x"}"#).holds_secrets());
    }
}
