#![allow(clippy::disallowed_macros, reason = "tests print what they measure")]
use irtune_testing::golden::case_json;
use serde::Deserialize;

use super::*;
use crate::base::Base;

/// What transformers makes of templates and conversations.
#[derive(Deserialize)]
struct Golden {
    special: std::collections::BTreeMap<String, String>,
    templates: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    messages: Vec<Said>,
    generation_prompt: bool,
    text: Option<String>,
    raises: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: String,
}

impl Golden {
    fn template(&self, case: &Case) -> ChatTemplate {
        let special = |name| (name, self.special[name].clone());
        let special_tokens = SPECIAL_TOKENS.into_iter().map(special).collect();
        ChatTemplate { source: case.template.clone(), special_tokens }
    }

    /// How many conversations there are, and those whose text or refusal is another.
    fn differing(&self) -> (usize, Vec<String>) {
        let mut differing = Vec::new();
        let mut count = 0;
        for case in &self.templates {
            let template = self.template(case);
            for conversation in &case.conversations {
                count += 1;
                let found = template.render(&conversation.messages(), conversation.generation_prompt);
                let is_equal = match &found {
                    Ok(text) => conversation.text.as_ref() == Some(text),
                    Err(ChatError::Refused { says }) => conversation.raises.as_ref() == Some(says),
                    Err(_) => false,
                };
                if !is_equal {
                    let expected = conversation.text.as_ref().or(conversation.raises.as_ref());
                    differing.push(format!("{}: {found:?}\n  expected {expected:?}", case.name));
                }
            }
        }
        (count, differing)
    }
}

impl Conversation {
    fn messages(&self) -> Vec<Message> {
        let message = |said: &Said| {
            let roles = [Role::System, Role::User, Role::Assistant];
            let role = roles.into_iter().find(|role| role.name() == said.role).unwrap();
            Message { role, content: said.content.clone() }
        };
        self.messages.iter().map(message).collect()
    }
}

#[test]
fn conversations_are_written_as_transformers_writes_them() {
    let (count, differing) = case_json::<Golden>("chat").differing();
    assert_eq!(count, 35);
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn user(content: &str) -> Vec<Message> {
    vec![Message { role: Role::User, content: content.to_owned() }]
}

fn render(source: &str) -> Result<String, ChatError> {
    ChatTemplate { source: source.to_owned(), special_tokens: Vec::new() }.render(&user("hi"), true)
}

#[test]
fn what_a_template_can_not_do_is_an_error_with_its_line() {
    let message = render("a\n{{ nothing() }}").unwrap_err().to_string();
    assert!(message.starts_with("the base's chat template fails in line 2: "), "{message}");
    let message = render("a\n\n{% for %}").unwrap_err().to_string();
    assert!(message.starts_with("the base's chat template fails in line 3: "), "{message}");
    let message = render("{{ raise_exception('Not\\nme') }}").unwrap_err().to_string();
    assert_eq!(message, "the base's chat template says: Not\nme");
    // A template that never ends.
    let message =
        render("{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}");
    assert!(matches!(message, Err(ChatError::Template { .. })));
}

#[test]
fn a_folder_and_a_gguf_bring_their_templates_and_tokens() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(of_folder(place.path()), None);
    let config = r#"{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template":
        [{"name": "tools", "template": "no"}, {"name": "default", "template": "{{ bos_token }}{{ eos_token }}{{ pad_token }}"}]}"#;
    std::fs::write(place.path().join("tokenizer_config.json"), config).unwrap();
    let template = of_folder(place.path()).unwrap();
    assert_eq!(template.render(&user("hi"), true).unwrap(), "<s></s>");
    std::fs::write(place.path().join("chat_template.jinja"), "{{ bos_token }}{{ messages[0].content }}")
        .unwrap();
    assert_eq!(of_folder(place.path()).unwrap().render(&user("hi"), true).unwrap(), "<s>hi");

    let mut file = irtune_testing::base::GgufFile::letters();
    file.text("tokenizer.chat_template", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}");
    let path = place.path().join("tiny.gguf");
    file.write(&path);
    let base = Base::open(&path).unwrap();
    assert_eq!(base.chat(&user("ab")).unwrap(), "<|begin|>ab<|end|>");
    file.remove("tokenizer.chat_template");
    file.write(&path);
    let message = Base::open(&path).unwrap().chat(&user("ab")).unwrap_err().to_string();
    assert!(message.starts_with("the base has no chat template"), "{message}");
}

/// Whole models' templates, which are not in the repository: see `golden/chat/make.py`.
#[test]
#[ignore = "needs IRTUNE_CHAT_TEMPLATES, a folder of templates that golden/chat/make.py was given"]
fn real_templates() {
    let folder = std::env::var_os("IRTUNE_CHAT_TEMPLATES").expect("IRTUNE_CHAT_TEMPLATES");
    let text = std::fs::read(Path::new(&folder).join("real.json")).unwrap();
    let golden: Golden = serde_json::from_slice(&text).unwrap();
    let (conversations, differing) = golden.differing();
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/chat_templates.json");
    let counts = serde_json::json!({
        "source": "llama_cpp_python 0.3.36, models/templates",
        "templates": golden.templates.iter().filter(|case| !case.conversations.is_empty()).count(),
        "conversations": conversations,
        "equal": conversations - differing.len(),
        "differing": differing.iter().map(|text| text.split(':').next()).collect::<std::collections::BTreeSet<_>>(),
    });
    std::fs::write(results, format!("{counts:#}\n")).unwrap();
    println!("{}", differing.join("\n"));
}
