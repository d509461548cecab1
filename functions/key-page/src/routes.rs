//! Every page and every form, in one table.

/// One page, or what one form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Keys,
    Key,
    AddForm,
    Add,
    Set,
    Disable,
    Enable,
    Rotate,
    EndRotation,
    UndoRotation,
    Delete,
    Trail,
    TrailCsv,
    Account,
    ChangePassword,
    CodesOn,
    CodesOff,
    SignOut,
    SignOutEverywhere,
    SignInForm,
    SignIn,
    Begin,
    Return,
    SetUpForm,
    SetUp,
    Script,
}

/// What a request must have with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Session,
}

/// By which way people sign in where a page is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Any,
    Password,
    Provider,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    /// Below the page's own path. `{id}` stands for a key's id.
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) way: Way,
    pub(crate) to: To,
}

impl Row {
    /// Whether a request may change something.
    pub(crate) fn is_unsafe(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it is there for those who sign in by this way.
    pub(crate) fn is_for(&self, way: Way) -> bool {
        self.way == Way::Any || self.way == way
    }
}

const fn get(path: &'static str, to: To) -> Row {
    Row { method: "GET", path, needs: Needs::Session, way: Way::Any, to }
}

const fn post(path: &'static str, to: To) -> Row {
    Row { method: "POST", path, needs: Needs::Session, way: Way::Any, to }
}

const fn open(row: Row) -> Row {
    Row { needs: Needs::Nothing, ..row }
}

const fn with_password(row: Row) -> Row {
    Row { way: Way::Password, ..row }
}

const fn with_provider(row: Row) -> Row {
    Row { way: Way::Provider, ..row }
}

pub(crate) const ROWS: &[Row] = &[
    get("", To::Keys),
    get("add", To::AddForm),
    post("add", To::Add),
    get("audit", To::Trail),
    get("audit.csv", To::TrailCsv),
    get("account", To::Account),
    with_password(post("account/password", To::ChangePassword)),
    with_password(post("account/codes-on", To::CodesOn)),
    with_password(post("account/codes-off", To::CodesOff)),
    post("sign-out", To::SignOut),
    post("sign-out-everywhere", To::SignOutEverywhere),
    open(get("sign-in", To::SignInForm)),
    with_password(open(post("sign-in", To::SignIn))),
    with_provider(open(get("sign-in/begin", To::Begin))),
    with_provider(open(get("sign-in/return", To::Return))),
    with_password(open(get("set-up", To::SetUpForm))),
    with_password(open(post("set-up", To::SetUp))),
    open(get("copy.js", To::Script)),
    get("{id}", To::Key),
    post("{id}/settings", To::Set),
    post("{id}/disable", To::Disable),
    post("{id}/enable", To::Enable),
    post("{id}/rotate", To::Rotate),
    post("{id}/end-rotation", To::EndRotation),
    post("{id}/undo-rotation", To::UndoRotation),
    post("{id}/delete", To::Delete),
];

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// This, and the key's id in the path.
    Row(&'static Row, &'a str),
    /// Something else, by these methods.
    OtherMethods(String),
    Nothing,
}

/// Finds what `method path` leads to, for those who sign in by this way.
pub(crate) fn find<'a>(method: &str, path: &'a str, way: Way) -> Found<'a> {
    let there = || ROWS.iter().filter(|row| row.is_for(way));
    let at_path = || there().filter_map(|row| Some((row, id_in(row.path, path)?)));
    if let Some((row, id)) = at_path().find(|(row, _)| row.method == method) {
        return Found::Row(row, id);
    }
    let methods: Vec<_> = at_path().map(|(row, _)| row.method).collect();
    if methods.is_empty() { Found::Nothing } else { Found::OtherMethods(methods.join(", ")) }
}

/// The id in a path that has the form of `pattern`; empty for a pattern without one.
fn id_in<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let Some(rest_of_pattern) = pattern.strip_prefix("{id}") else { return (pattern == path).then_some("") };
    let (id, _) = path.split_once('/').unwrap_or((path, ""));
    (is_id(id) && path.strip_prefix(id) == Some(rest_of_pattern)).then_some(id)
}

/// Whether a text is an id as we write them.
pub(crate) fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01935f9e-7c3a-7b6e-9d3f-2b1c4d5e6f70";

    #[test]
    fn a_path_leads_to_its_row_by_its_method_only() {
        let find = |method, path| find(method, path, Way::Password);
        let (delete, wrong) = (format!("{ID}/delete"), [format!("{ID}/x"), format!("x{ID}"), ID.to_uppercase()]);
        assert!(matches!(find("GET", ""), Found::Row(row, "") if row.to == To::Keys));
        assert!(matches!(find("GET", ID), Found::Row(row, ID) if row.to == To::Key));
        assert!(matches!(find("POST", &delete), Found::Row(row, ID) if row.to == To::Delete));
        assert!(matches!(find("HEAD", "add"), Found::OtherMethods(methods) if methods == "GET, POST"));
        assert!(matches!(find("GET", &delete), Found::OtherMethods(methods) if methods == "POST"));
        for nothing in ["x", "add/x", "..", "%2e"].into_iter().chain(wrong.iter().map(String::as_str)) {
            assert!(matches!(find("GET", nothing), Found::Nothing), "{nothing}");
        }
    }

    #[test]
    fn what_one_way_of_signing_in_needs_is_not_there_for_the_other() {
        for row in ROWS.iter().filter(|row| row.way != Way::Any) {
            let other = if row.way == Way::Password { Way::Provider } else { Way::Password };
            assert!(matches!(find(row.method, row.path, row.way), Found::Row(found, _) if found.to == row.to));
            assert!(!matches!(find(row.method, row.path, other), Found::Row(..)), "{}", row.path);
        }
    }
}
