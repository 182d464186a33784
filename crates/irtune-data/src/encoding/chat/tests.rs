use super::*;
use crate::encoding::passages::Passages;
use crate::encoding::turns::ChatFailure;
use crate::label_set::LabelSet;

/// Marks turns with letters, and refuses whom it is told to.
struct Marks {
    refused: Option<Speaker>,
    upper: bool,
}

impl Chat for Marks {
    fn write(&self, turns: &[Turn]) -> Result<String, ChatFailure> {
        let mut text = "<s>".to_owned();
        for turn in turns {
            if Some(turn.speaker) == self.refused {
                return Err(ChatFailure::new("There is no system role"));
            }
            let mark = match turn.speaker {
                Speaker::System => "S",
                Speaker::User => "U",
                Speaker::Assistant => "A",
            };
            text += &format!("<{mark}>{}{{}}\n", turn.text);
        }
        let text = if self.upper { text.replace('\u{FDD1}', "") } else { text };
        Ok(text + "<A>")
    }
}

const MARKS: Marks = Marks { refused: None, upper: false };

fn labels() -> LabelSet {
    LabelSet::new(["clarity", "tone"]).unwrap()
}

fn shot() -> Shot {
    Shot { passages: Passages::whole("A {car}.", "The car."), words: "tone".into() }
}

const TASK: &str = "Name the writer's intention behind this text revision.\nIntentions: clarity, tone";

#[test]
fn the_task_is_the_users_and_the_cue_begins_the_answer() {
    let template = Template::instruction().in_chat(&MARKS, None, &[]).unwrap();
    assert_eq!((template.name(), template.begins()), ("chat:instruction", true));
    let prompt = template.prompt(&labels());
    assert!(prompt.begins());
    assert_eq!(
        prompt.render("X", "Y"),
        format!("<s><U>{TASK}\n\nOriginal:\nX\n\nRevised:\nY{{}}\n<A>Intention:")
    );
    // Everything before the first text is one fixed piece, which all pairs share.
    assert!(matches!(&prompt.segments()[0], Segment::Text(text) if text.starts_with("<s><U>Name")));
    // Stored with its braces, it is the same template again.
    let stored = serde_json::to_string(&template).unwrap();
    assert!(stored.contains(r#""begins":true"#), "{stored}");
    assert_eq!(serde_json::from_str::<Template>(&stored).unwrap(), template);
}

#[test]
fn a_system_turn_comes_first_and_every_shot_is_a_turn() {
    let template = Template::instruction().in_chat(&MARKS, Some("Be brief."), &[shot(), shot()]).unwrap();
    let shown = "Original:\nA {car}.\n\nRevised:\nThe car.{}\n<A>Intention: tone{}\n";
    assert_eq!(
        template.prompt(&labels()).render("X", "Y"),
        format!(
            "<s><S>Be brief.{{}}\n<U>{TASK}\n\n{shown}<U>{shown}<U>Original:\nX\n\nRevised:\nY{{}}\n<A>Intention:"
        )
    );
}

#[test]
fn a_template_without_a_cue_leaves_the_answer_to_the_assistant() {
    let of = |text: &str, shots: &[Shot]| {
        let template = Template::parse("mine", text).unwrap().in_chat(&MARKS, None, shots).unwrap();
        template.prompt(&labels()).render("A car.", "The car.")
    };
    assert_eq!(of("{marked}", &[]), "<s><U>[-A-]{+The+} car.{}\n<A>");
    assert_eq!(
        of("{removed}|{added}", &[shot()]),
        "<s><U>A {|The{}\n<A>tone{}\n<U>A|The{}\n<A>".replace("A {|The", &{
            let shot = shot().passages;
            format!("{}|{}", shot.removed.text, shot.added.text)
        })
    );
    // Of a text behind the pair without an empty line, all is the beginning of the answer.
    assert_eq!(of("{revised}\nIs: ", &[]), "<s><U>The car.{}\n<A>Is: ");
    assert_eq!(
        of("{labels}: {original}{revised} of {labels}\n\nIs:", &[]),
        "<s><U>clarity, tone: A car.The car. of clarity, tone{}\n<A>Is:"
    );
}

#[test]
fn what_a_chat_refuses_or_changes_is_an_error() {
    let template = Template::instruction();
    let refusing = Marks { refused: Some(Speaker::System), ..MARKS };
    let error = template.in_chat(&refusing, Some("Be brief."), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the prompt `instruction` can't be put into a chat: There is no system role; leave the chat out"
    );
    let error = template.in_chat(&Marks { upper: true, ..MARKS }, None, &[]).unwrap_err();
    assert!(error.to_string().contains("doesn't keep its texts as they are"), "{error}");
    let odd = Template::parse("mine", "\u{FDD0}{revised}").unwrap();
    assert!(matches!(odd.in_chat(&MARKS, None, &[]), Err(DataError::ChatChanges { .. })));
    let odd = Shot { passages: Passages::whole("\u{FDD2}", "b"), words: "tone".into() };
    assert!(matches!(template.in_chat(&MARKS, None, &[odd]), Err(DataError::ChatChanges { .. })));
}

#[test]
fn a_choice_is_a_template_alone_or_in_a_chat() {
    let choice = |name: &str| PromptChoice::named_or_file(name).map(|choice| (choice.template, choice.chat));
    assert_eq!(choice("pair").unwrap(), (Template::pair(), false));
    assert_eq!(choice("chat").unwrap(), (Template::instruction(), true));
    assert_eq!(choice("chat:pair").unwrap(), (Template::pair(), true));
    assert!(matches!(choice("chat:nowhere"), Err(DataError::Open { .. })));
}
