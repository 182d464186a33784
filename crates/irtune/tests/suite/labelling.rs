//! Labels corrected and the model trained again, as a person meets it: in a browser where one is installed.

use irtune_testing::sandbox::{Running, Sandbox};

use crate::browser::Browser;

const TRAIN: &str = "train --base base --train train.jsonl --test test.jsonl --rank 4 --max-length 200 --batch-size 4 \
    --precision f32 --max-steps 2 --min-steps 0 --out run";

/// A server over a project, and its address.
fn serve(sandbox: &Sandbox) -> (Running, String) {
    let mut server = sandbox.start("serve --run run --project project --listen 127.0.0.1:0 --precision f32");
    let said = server.wait_for("listening on http://");
    let address = said.split("listening on ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (server, address)
}

#[test]
fn a_person_walks_the_whole_loop_in_a_browser() {
    let sandbox = Sandbox::with_base();
    let Some(browser) = Browser::start(&sandbox.path(".")) else {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "skipped: there is no chromedriver on the path");
        return;
    };
    sandbox.run(TRAIN).success();
    let old = "# Boats\n\nHe go home. It is late. The road was close. Every boat came home.";
    let new = "# Boats\n\nHe goes home. It is late. The road was closed. Nobody sailed that day.";
    let (old, new) = (sandbox.write("old.md", old), sandbox.write("new.md", new));
    let (server, address) = serve(&sandbox);
    browser.open(&address);
    browser.type_into("#name-field", "Ann");
    browser.click("#name button");
    browser.wait_for("Hello, Ann.");
    // Two drafts, dropped as files.
    browser.type_into("input[name=old]", old.to_str().unwrap());
    browser.type_into("input[name=new]", new.to_str().unwrap());
    browser.click("form[action='/labelling/documents'] button");
    browser.wait_for("4 revisions, 0 of them labelled");
    browser.picture("document");
    // Three labels: two by clicks, one by its key.
    let labels = browser.script("return [...document.querySelectorAll('.labels')[0].querySelectorAll('[data-label]')].map(b => b.dataset.label)");
    let label = |number: usize| labels[number].as_str().unwrap().to_owned();
    let saved = |count: usize| {
        for _ in 0..600 {
            if browser.script("return document.querySelectorAll('[data-saved]').length").as_u64()
                == Some(count as u64)
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("never saved: {}", browser.text());
    };
    browser.click(&format!("article:nth-of-type(1) [data-label='{}']", label(1)));
    saved(1);
    browser.click(&format!("article:nth-of-type(2) [data-label='{}']", label(0)));
    saved(2);
    browser.type_into("article:nth-of-type(3)", "2");
    saved(3);
    assert!(browser.text().contains(&format!("Saved: {}.", label(1))), "{}", browser.text());
    let page = browser.script("return location.pathname");
    let page = page.as_str().unwrap();
    server.kill();

    let (server, address) = serve(&sandbox);
    browser.open(&format!("{address}{page}"));
    browser.wait_for("4 revisions, 3 of them labelled");
    let pressed = browser.script(
        "return [...document.querySelectorAll('[aria-pressed=true][data-label]')].map(b => b.dataset.label)",
    );
    let pressed: Vec<&str> =
        pressed.as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
    assert_eq!(pressed[..3], [label(1), label(0), label(1)]);
    assert_eq!(browser.text().matches("Ann: ").count(), 3, "{}", browser.text());
    // Sentences apart and together again.
    browser.click("article:nth-of-type(1) [data-split]");
    browser.wait_for("5 revisions, 2 of them labelled");
    browser.click("header [data-post='/labelling/undo']");
    browser.wait_for("4 revisions, 3 of them labelled");
    // One more in the queue.
    browser.open(&format!("{address}/labelling/next"));
    browser.wait_for("3 labelled or passed by you, 1 waiting");
    browser.picture("next");
    browser.type_into("body", "1");
    browser.wait_for("There is nothing left");
    browser.open(&format!("{address}/labelling/training"));
    browser.wait_for("People labelled 4 revisions");
    browser.click("#train button");
    browser.wait_for("On the run's test pairs");
    browser.picture("training");
    assert!(browser.text().contains("The model at work is run."), "{}", browser.text());
    browser.click("#model-1 [data-post='/labelling/training/judge']");
    browser.wait_for("The model at work is model 1.");
    server.kill();

    let (server, address) = serve(&sandbox);
    browser.open(&address);
    browser.wait_for("The model is model 1");
    browser.picture("documents");
    server.interrupt();
    assert_eq!(server.finish().0, Some(0));
}

/// Drafts for the README's picture of the page.
const DRAFTS: [&str; 2] = [
    "# The ferry\n\nIn this report we makes a comparison of the two routes. The north route is used by many people because of \
     the fact that it is cheap. Crossing takes 40 minutes. The harbour were rebuilt in spring. In addition, a new pier is \
     planned.",
    "# The ferry\n\nThis report compares the two routes. Many people use the north route because it is cheap. Crossing takes \
     55 minutes. The harbour was rebuilt in spring. However, a new pier is planned.",
];

/// `IRTUNE_WRITE_PICTURE=RUN cargo test -p irtune --test suite picture_of_the_page` makes docs/page.png anew, with the labels
/// that a trained run gives.
#[test]
fn the_picture_of_the_page_is_made_from_a_run() {
    let Some(run) = std::env::var_os("IRTUNE_WRITE_PICTURE") else { return };
    let sandbox = Sandbox::new();
    let browser = Browser::start(&sandbox.path(".")).expect("chromedriver on the path");
    let [old, new] = ["draft-1.md", "draft-2.md"].map(|name| sandbox.path(name));
    std::fs::write(&old, DRAFTS[0]).unwrap();
    std::fs::write(&new, DRAFTS[1]).unwrap();
    let mut command = sandbox.process();
    command.args(["serve", "--project", "project", "--listen", "127.0.0.1:0", "--run"]).arg(run);
    let mut server = sandbox.start_command(&mut command);
    let said = server.wait_for("listening on http://");
    let address = said.split("listening on ").nth(1).unwrap().split(' ').next().unwrap();
    browser.open(address);
    browser.type_into("#name-field", "Ann");
    browser.click("#name button");
    browser.wait_for("Hello, Ann.");
    browser.type_into("input[name=old]", old.to_str().unwrap());
    browser.type_into("input[name=new]", new.to_str().unwrap());
    browser.click("form[action='/labelling/documents'] button");
    browser.wait_for("revisions, 0 of them labelled");
    browser.resize(920, 1000);
    browser.script(
        "document.documentElement.style.overflow = 'hidden'; document.querySelector('h1').scrollIntoView()",
    );
    let picture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/page.png");
    std::fs::write(picture, browser.png()).unwrap();
    server.interrupt();
    assert_eq!(server.finish().0, Some(0));
}
