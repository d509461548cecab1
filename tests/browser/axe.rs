//! axe-core, which finds what keeps people from using a page.

use serde_json::Value;

/// What axe found to be serious or critical.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    /// The rule, for example `color-contrast`.
    pub(crate) rule: String,
    pub(crate) help: String,
    /// CSS selectors.
    pub(crate) elements: Vec<String>,
}

/// Loading style sheets again is what a page's Content-Security-Policy may forbid.
const RUN: &str = "
    const report = await axe.run(document, { resultTypes: ['violations'], preload: false, iframes: false });
    const elements = ({ nodes }) => nodes.map(({ target }) => target.flat().join(' '));
    return report.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map((violation) => [violation.id, violation.help, elements(violation)]);";

/// A script that loads axe and runs it.
///
/// Where the page's JavaScript is off, timers never fire, and of all that waits only promises go on. What axe wants to
/// do a moment later becomes one; its own time limits are not needed.
pub(crate) fn script(axe: &str) -> String {
    format!(
        "const setTimeout = (task, wait) => {{ if (!wait) Promise.resolve().then(task); }};
         {axe};
         return (async () => {{ {RUN} }})();"
    )
}

/// What the script returned.
pub(crate) fn violations(report: &Value) -> Vec<Violation> {
    let report: Vec<(String, String, Vec<String>)> = serde_json::from_value(report.clone()).unwrap();
    report.into_iter().map(|(rule, help, elements)| Violation { rule, help, elements }).collect()
}
