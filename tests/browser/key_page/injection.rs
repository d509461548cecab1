//! Names that try to be more than text.

use serde_json::{Value, json};

use super::session::Session;
use super::{Admin, complaints};

const NAMES: [&str; 22] = [
    "<script>document.title = 'broken'</script>",
    "</title><script>document.title = 'broken'</script>",
    "</script><script>document.title = 'broken'</script>",
    "</style><script>document.title = 'broken'</script>",
    "</textarea><script>document.title = 'broken'</script>",
    "<!--<img src=\"--><img src=x onerror=\"document.title = 'broken'\">",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "\"><img src=x onerror=\"document.title = 'broken'\">",
    "'><svg onload=\"document.title = 'broken'\">",
    "\" autofocus onfocus=\"document.title = 'broken'",
    "' autofocus onfocus='document.title = 1",
    "x onmouseover=document.title=1 style=display:block",
    "<iframe srcdoc=\"<script>parent.document.title = 'broken'</script>\">",
    "<a href=\"javascript:document.title = 'broken'\">link</a>",
    "<base href=\"https://example.com/\"><form action=\"//example.com\">",
    "javascript:document.title='broken'",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> {% include 'x' %}",
    "'+alert(1)+'",
    "&lt;script&gt; &amp; &quot; &#39; %3Cscript%3E",
    "\u{202e}eltit\u{202c} \u{2066}x\u{2069} \u{feff}\u{200b}",
    "=HYPERLINK(\"https://example.com\")",
    "𝕳éllo 👩🏽‍🚀 नमस्ते مرحبا",
];
/// What the server did not put there.
const FOREIGN: &str =
    "return document.querySelectorAll('script, img, iframe, base, [onload], [onerror], [onfocus]').length";

/// The texts of elements, letter for letter.
async fn letters(admin: &Admin, css: &str) -> Value {
    admin.browser.run(&format!("return [...document.querySelectorAll({css:?})].map((e) => e.textContent)")).await
}

async fn is_unharmed(admin: &Admin, title: &str) {
    assert_eq!(admin.browser.run("return document.title").await, format!("{title} – WhatsApp Gateway"));
    assert_eq!(admin.browser.run(FOREIGN).await, 0, "{title}");
    // Even what the policy stops would be told here.
    assert_eq!(complaints(&admin.browser).await, [], "{title}");
}

#[tokio::test]
async fn a_name_is_shown_as_it_is_and_never_runs() {
    let Some(admin) = Admin::signed_in(true).await else { return };
    let session = Session::new(&admin.stack).await;
    let mut keys = Vec::new();
    for name in NAMES {
        keys.push((session.make(name, &[]).await.0, name));
    }
    keys.reverse();
    let names: Vec<_> = keys.iter().map(|(_, name)| *name).collect();
    admin.visit("").await;
    is_unharmed(&admin, "API keys").await;
    let with_first: Vec<_> = names.iter().copied().chain(["made by cargo run"]).collect();
    assert_eq!(letters(&admin, "tbody th a").await, json!(with_first));
    admin.visit("audit/").await;
    is_unharmed(&admin, "Audit trail").await;
    let keys_in_trail = letters(&admin, "td[data-label=Key] a").await;
    assert_eq!(keys_in_trail.as_array().unwrap().get(..names.len()), json!(names).as_array().map(Vec::as_slice));
    for (id, name) in keys {
        session.disable(&id).await;
        admin.visit(&format!("{id}/")).await;
        is_unharmed(&admin, name).await;
        assert_eq!(letters(&admin, "h1").await, json!([name]));
        assert_eq!(
            letters(&admin, "label[for=typed-name]").await,
            json!([format!("Type the name of the key: {name}")])
        );
        assert_eq!(admin.browser.run("return document.querySelector('#name').value").await, name);
        let search = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", name).finish();
        admin.visit(&format!("?{search}")).await;
        is_unharmed(&admin, "API keys").await;
        assert_eq!(admin.browser.run("return document.querySelector('#q').value").await, name.trim());
        // Some are part of others.
        assert!(letters(&admin, "tbody th a").await.as_array().unwrap().contains(&json!(name)), "{name}");
        admin.visit(&format!("?{search}nothing")).await;
        is_unharmed(&admin, "API keys").await;
        assert_eq!(letters(&admin, ".empty").await, json!([format!("No key has “{name}nothing” in its name.")]));
    }
}
