//! What a state says about itself, found in one pass over its bytes.
//!
//! The rules are Terraform's: it reads the version first (`sniffJSONStateVersion` in its
//! `internal/states/statefile`, 1.11), then the members it knows, whatever the case of their names, the
//! last one winning and `null` changing nothing. Where a member that decides is there twice, other
//! readers may take the first, so the state is *ambiguous* although the header says what Terraform
//! would take.
//!
//! States of the formats 1 to 3 are states: Terraform upgrades them when it next writes. Their header
//! is read; their resources have another shape and count as none.

use std::ops::Range;

use super::census::{Census, read_resource};
use super::json::{Fault, Token, TokenKind, Tokenizer};
use super::json_text::{decode, name_is};
use super::operation::Status;
use super::state::{Lineage, Serial};

/// What a scan of the bytes found. Never holds values of resources.
#[derive(Clone)]
pub(crate) struct Scan {
    /// `Ok`, `Empty`, `Invalid`, `Ambiguous` or `Encrypted`.
    pub(crate) status: Status,
    /// Where it is a state: its header.
    pub(crate) header: Option<StateHeader>,
    /// Where it is not: why, in one lower-case sentence, without any of the content.
    pub(crate) fault: Option<String>,
    /// Fingerprints of the managed instances.
    pub(crate) census: Census,
}

/// The header of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateHeader {
    /// `terraform_version`: who wrote it.
    pub(crate) terraform_version: Option<String>,
    /// The serial; 0 where there is none, as Terraform takes it.
    pub(crate) serial: Serial,
    /// The lineage; none where it is missing or empty.
    pub(crate) lineage: Option<Lineage>,
    /// Managed resource instances, deposed ones excepted.
    pub(crate) resources: u64,
    /// Where the digits of the serial (or a `null` instead of them) stand in the bytes.
    pub(crate) serial_span: Option<Range<usize>>,
}

impl Scan {
    /// Scans the bytes of what may be a state.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self {
                status: Status::Empty,
                header: None,
                fault: None,
                census: Census::default(),
            };
        }
        match Members::read(bytes) {
            Ok(members) => members.judge().unwrap_or_else(Self::invalid),
            Err(fault) => Self::invalid(describe(bytes, fault)),
        }
    }

    fn invalid(fault: String) -> Self {
        Self {
            status: Status::Invalid,
            header: None,
            fault: Some(fault),
            census: Census::default(),
        }
    }
}

fn describe(bytes: &[u8], fault: Option<Fault>) -> String {
    match (fault, bytes) {
        (None, _) => "it is no JSON object".to_owned(),
        (Some(_), [0xef, 0xbb, 0xbf, ..]) => "it begins with a byte order mark".to_owned(),
        (Some(_), [b'#', ..]) => {
            "its first byte is `#`, as while a restore is under way".to_owned()
        }
        (Some(_), _) if bytes.iter().all(|byte| *byte == 0) => "it is all zero bytes".to_owned(),
        (Some(_), _) if bytes.trim_ascii().is_empty() => "it has nothing but blanks".to_owned(),
        (Some(fault), _) => format!("it is no complete JSON: {fault}"),
    }
}

/// One scalar member of the top level: the value that wins, and how often the name was there.
#[derive(Clone, Copy, Default)]
struct Member<'a> {
    value: Option<Token<'a>>,
    count: u32,
}

impl<'a> Member<'a> {
    fn take(&mut self, value: Token<'a>) {
        self.count = self.count.saturating_add(1);
        let keeps = value.kind == TokenKind::Null && self.value.is_some();
        if !keeps {
            self.value = Some(value);
        }
    }

    fn present(&self) -> Option<Token<'a>> {
        self.value.filter(|token| token.kind != TokenKind::Null)
    }

    /// The text, `None` where it is missing; `Err` where it is something else.
    fn string(&self, name: &str) -> Result<Option<String>, String> {
        match self.present() {
            None => Ok(None),
            Some(Token { kind: TokenKind::String, text, .. }) => {
                Ok(Some(decode(text).into_owned()))
            }
            Some(_) => Err(format!("its {name} is no string")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(token) = self.present() else { return Ok(None) };
        let digits = str::from_utf8(token.text).ok().filter(|_| token.kind == TokenKind::Number);
        let parsed = digits.and_then(|digits| digits.parse().ok());
        parsed.map(Some).ok_or_else(|| format!("its {name} is no whole number from 0 to 2^64-1"))
    }
}

/// The members of the top level that decide something.
#[derive(Default)]
struct Members<'a> {
    version: Member<'a>,
    terraform_version: Member<'a>,
    serial: Member<'a>,
    lineage: Member<'a>,
    resources: Member<'a>,
    outputs: Member<'a>,
    encryption_version: Member<'a>,
    has_modules: bool,
    has_odd_resources: bool,
    instances: Vec<(u64, u64)>,
}

impl<'a> Members<'a> {
    /// Reads all of the bytes. `Err(None)`: JSON, but no object.
    fn read(bytes: &'a [u8]) -> Result<Self, Option<Fault>> {
        let mut tokens = Tokenizer::new(bytes);
        let is_object = tokens.expect_token()?.kind == TokenKind::ObjectStart;
        if !is_object {
            while tokens.next_token()?.is_some() {}
            return Err(None);
        }
        let mut members = Self::default();
        loop {
            let key = tokens.expect_token()?;
            if key.kind == TokenKind::ObjectEnd {
                break;
            }
            let value = tokens.expect_token()?;
            members.take(&mut tokens, key, value)?;
        }
        while tokens.next_token()?.is_some() {}
        Ok(members)
    }

    fn take(
        &mut self,
        tokens: &mut Tokenizer<'a>,
        key: Token<'a>,
        value: Token<'a>,
    ) -> Result<(), Fault> {
        if name_is(key.text, "resources") {
            self.resources.take(value);
            return self.read_resources(tokens, value);
        }
        if name_is(key.text, "modules") && value.opens() {
            let mut length = 0_u32;
            tokens.finish_value(value, |_| length = length.saturating_add(1))?;
            self.has_modules = length > 2;
            return Ok(());
        }
        let known = [
            ("version", &mut self.version),
            ("terraform_version", &mut self.terraform_version),
            ("serial", &mut self.serial),
            ("lineage", &mut self.lineage),
            ("outputs", &mut self.outputs),
            ("encryption_version", &mut self.encryption_version),
        ];
        for (name, member) in known {
            if name_is(key.text, name) {
                member.take(value);
            }
        }
        tokens.finish_value(value, |_| {})
    }

    /// Reads the resources. Where one has not the shape of a resource, the rest is read as plain JSON,
    /// so that a later syntax error is still found.
    fn read_resources(
        &mut self,
        tokens: &mut Tokenizer<'a>,
        first: Token<'a>,
    ) -> Result<(), Fault> {
        let outside = tokens.depth().saturating_sub(1);
        self.instances.clear();
        match first.kind {
            TokenKind::ArrayStart => {}
            TokenKind::Null => return Ok(()),
            _ => {
                self.has_odd_resources = true;
                return tokens.finish_value(first, |_| {});
            }
        }
        loop {
            let token = tokens.expect_token()?;
            let read = match token.kind {
                TokenKind::ArrayEnd => return Ok(()),
                TokenKind::ObjectStart => read_resource(tokens, &mut self.instances),
                _ => Err(None),
            };
            match read {
                Ok(()) => {}
                Err(Some(fault)) => return Err(fault),
                Err(None) => {
                    self.has_odd_resources = true;
                    while tokens.depth() > outside {
                        tokens.expect_token()?;
                    }
                    return Ok(());
                }
            }
        }
    }

    fn judge(self) -> Result<Scan, String> {
        let encryption = self.encryption_version.string("encryption_version");
        let is_encrypted = encryption
            .as_ref()
            .is_ok_and(|version| version.as_deref().is_some_and(|v| !v.is_empty()));
        let version = if is_encrypted { None } else { self.checked_version()? };
        let is_current = version == Some(4);
        if is_current && self.has_odd_resources {
            return Err("its resources have not the shape of resources".to_owned());
        }
        if is_current && self.outputs.present().is_some_and(|t| t.kind != TokenKind::ObjectStart) {
            return Err("its outputs are no object".to_owned());
        }
        let decides = [
            &self.version,
            &self.terraform_version,
            &self.serial,
            &self.lineage,
            &self.resources,
            &self.outputs,
        ];
        let is_ambiguous = decides.iter().any(|member| member.count > 1);
        let census = if is_current { Census::of(self.instances) } else { Census::default() };
        let header = StateHeader {
            terraform_version: self.terraform_version.string("terraform_version")?,
            serial: Serial(self.serial.number("serial")?.unwrap_or_default()),
            lineage: self.lineage.string("lineage")?.and_then(Lineage::new),
            resources: census.len(),
            serial_span: self.serial.value.map(|token| token.span()),
        };
        let old_content = version.is_some_and(|version| version < 4) && self.has_modules;
        let has_content = header.lineage.is_some() || !census.is_empty() || old_content;
        let status = match (is_encrypted, is_ambiguous, has_content) {
            (true, _, _) => Status::Encrypted,
            (false, true, _) => Status::Ambiguous,
            (false, false, true) => Status::Ok,
            (false, false, false) => Status::Empty,
        };
        let fault = is_ambiguous
            .then(|| "a name that decides what it says is there more than once".to_owned());
        Ok(Scan { status, header: Some(header), fault, census })
    }

    fn checked_version(&self) -> Result<Option<u64>, String> {
        match self.version.number("version")? {
            None => Err("it has no version, so it is no state".to_owned()),
            Some(0) => Err("version 0 is no format of a state".to_owned()),
            Some(version @ 1..=4) => Ok(Some(version)),
            Some(version) => Err(format!("it is written by a newer format, version {version}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scan;
    use crate::model::operation::{Changes, Status};
    use crate::model::state::{Lineage, Serial};

    fn scan(text: &str) -> Scan {
        Scan::of(text.as_bytes())
    }

    fn with(resource: &str) -> Scan {
        scan(&format!(r#"{{"version":4,"serial":1,"lineage":"l","resources":[{resource}]}}"#))
    }

    #[test]
    fn a_header_is_read_whatever_the_case_and_the_order() {
        let text = r#"{"Lineage":"abc","SERIAL":41,"terraform_Version":"1.11.4","vErsion":4}"#;
        let scan = scan(text);
        let header = scan.header.unwrap();
        assert_eq!(scan.status, Status::Ok);
        assert_eq!(header.lineage, Lineage::new("abc".to_owned()));
        assert_eq!(header.serial, Serial(41));
        assert_eq!(header.terraform_version.as_deref(), Some("1.11.4"));
        assert_eq!(text.get(header.serial_span.unwrap()), Some("41"));
    }

    #[test]
    fn what_has_neither_lineage_nor_resources_is_empty() {
        for text in
            ["", r#"{"version":4}"#, r#"{"version":4,"serial":0,"lineage":"","resources":null}"#]
        {
            assert_eq!(scan(text).status, Status::Empty, "{text}");
        }
        assert_eq!(scan(r#"{"version":3,"terraform_version":"1.11.4"}"#).status, Status::Empty);
    }

    #[test]
    fn what_is_no_state_is_invalid_and_says_why() {
        let bad = [
            "\n",
            "{}",
            "[]",
            "null",
            "4",
            r#"{"version":4"#,
            r#"{"version":"4"}"#,
            r#"{"version":4.0}"#,
            r#"{"version":5}"#,
            r#"{"version":0}"#,
            r#"{"version":null}"#,
            r#"{"version":4,"resources":{}}"#,
            r#"{"version":4,"resources":[1]}"#,
            r#"{"version":4,"resources":[{"instances":{}}]}"#,
            r#"{"version":4,"resources":[{"type":1}]}"#,
            "\u{feff}{\"version\":4}",
            "\0\0\0",
            r#"{"version":4,"serial":1.5}"#,
            r#"{"version":4,"serial":18446744073709551616}"#,
            r#"{"version":4,"serial":-1}"#,
            r#"{"version":4,"serial":"1"}"#,
            r#"{"version":4,"lineage":1}"#,
            r#"{"version":4}x"#,
            r#"#"version":4}"#,
            r#"{"version":4,"outputs":[]}"#,
        ];
        for text in bad {
            let scan = scan(text);
            assert_eq!(scan.status, Status::Invalid, "{text}");
            assert!(scan.fault.is_some_and(|fault| !fault.is_empty()));
        }
        assert!(scan(r#"{"version":5}"#).fault.unwrap().contains("newer format"));
    }

    #[test]
    fn a_deciding_name_twice_is_ambiguous_and_the_last_wins() {
        let scan = scan(r#"{"version":4,"serial":1,"lineage":"l","SERIAL":77}"#);
        assert_eq!(scan.status, Status::Ambiguous);
        assert_eq!(scan.header.unwrap().serial, Serial(77));
    }

    #[test]
    fn an_encrypted_state_shows_its_outer_header() {
        let scan = scan(
            r#"{"serial":7,"lineage":"l","meta":{},"encrypted_data":"AA","encryption_version":"v0"}"#,
        );
        assert_eq!(scan.status, Status::Encrypted);
        assert_eq!(scan.header.unwrap().serial, Serial(7));
    }

    #[test]
    fn old_formats_are_states_without_countable_resources() {
        let scan = scan(r#"{"version":3,"serial":2,"lineage":"l","modules":[{"resources":{}}]}"#);
        assert_eq!(scan.status, Status::Ok);
        assert_eq!(scan.header.unwrap().resources, 0);
    }

    #[test]
    fn data_and_deposed_instances_do_not_count() {
        let scan = with(
            r#"{"mode":"managed","type":"a","name":"b","instances":[{},{"deposed":"0011aabb"}]},
               {"mode":"data","type":"a","name":"b","instances":[{}]}"#,
        );
        assert_eq!(scan.census.len(), 1);
    }

    #[test]
    fn the_order_of_members_and_blanks_do_not_matter_to_the_census() {
        let a = with(
            r#"{"type":"a","name":"b","provider":"p","instances":[{"index_key":"k","attributes":{"x":1}}]}"#,
        );
        let b = with(
            r#"{"instances" : [ {"index_key" :"k", "attributes": { "x" : 1 }} ],"provider":"p","name":"b","type":"a"}"#,
        );
        assert_eq!(a.census.changes(&b.census), Changes::default());
    }

    #[test]
    fn the_provider_is_content_and_index_types_are_addresses() {
        let a = with(r#"{"type":"a","name":"b","provider":"p","instances":[{"index_key":0}]}"#);
        let b = with(r#"{"type":"a","name":"b","provider":"q","instances":[{"index_key":0}]}"#);
        let c = with(r#"{"type":"a","name":"b","provider":"p","instances":[{"index_key":"0"}]}"#);
        assert_eq!(a.census.changes(&b.census), Changes { add: 0, change: 1, remove: 0 });
        assert_eq!(a.census.changes(&c.census), Changes { add: 1, change: 0, remove: 1 });
    }
}
