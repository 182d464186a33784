//! A labelling configuration: which choices there are, and where texts are shown.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::serve::failure::ApiFailure;

/// What a labelling configuration says of the labels of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    /// The name of the choices.
    pub from_name: String,
    /// The name of what they are about.
    pub to_name: String,
    /// What each label is called in a result.
    said: HashMap<String, String>,
    /// The keys of a task's data that are shown, in their order.
    pub shown: Vec<String>,
}

/// A `<Choices>`.
#[derive(Debug, Default)]
struct Choices {
    name: String,
    to_name: String,
    /// What is shown, and what is said in a result.
    values: Vec<(String, String)>,
}

impl Choices {
    /// What each label is called; an error names those that there is no choice for.
    fn said(&self, labels: &[String]) -> Result<HashMap<String, String>, Vec<String>> {
        let of = |label: &String| {
            let choice = self.values.iter().find(|(shown, said)| label == said || label == shown);
            choice.map(|(_, said)| (label.clone(), said.clone())).ok_or_else(|| label.clone())
        };
        let (found, missing): (Vec<_>, Vec<_>) = labels.iter().map(of).partition(Result::is_ok);
        match missing.is_empty() {
            true => Ok(found.into_iter().flatten().collect()),
            false => Err(missing.into_iter().filter_map(Result::err).collect()),
        }
    }
}

impl Configuration {
    /// Reads a configuration; its first choices that have all the model's labels are those that are predicted.
    ///
    /// # Errors
    /// When it is no XML, or has no choice for one of the labels.
    pub fn read(xml: &str, labels: &[String]) -> Result<Configuration, ApiFailure> {
        let refused = |message: String| {
            Err(ApiFailure::Request(format!("the labelling configuration can't be used: {message}")))
        };
        let (all, shown) = match parts(xml) {
            Ok(parts) => parts,
            Err(error) => return refused(error.to_string()),
        };
        let mut least: Option<Vec<String>> = None;
        for choices in all {
            match choices.said(labels) {
                Ok(said) => {
                    let Choices { name: from_name, to_name, .. } = choices;
                    return Ok(Configuration { from_name, to_name, said, shown });
                }
                Err(missing) if least.as_ref().is_none_or(|least| missing.len() < least.len()) => {
                    least = Some(missing);
                }
                Err(_) => {}
            }
        }
        match least {
            None => refused(
                "it has no <Choices name=\"…\" toName=\"…\">, with a <Choice> for each label of the model"
                    .into(),
            ),
            Some(missing) => refused(format!("it has no <Choice> for the label {}", missing.join(", "))),
        }
    }

    /// What a label is called in a result.
    pub fn said(&self, label: &str) -> Option<&str> {
        self.said.get(label).map(String::as_str)
    }

    /// The label that a result calls so.
    pub fn label(&self, said: &str) -> Option<&str> {
        self.said.iter().find(|(_, own)| *own == said).map(|(label, _)| label.as_str())
    }
}

/// All choices, and the keys of the data that is shown.
fn parts(xml: &str) -> Result<(Vec<Choices>, Vec<String>), quick_xml::Error> {
    let mut reader = Reader::from_str(xml);
    let (mut all, mut shown): (Vec<Choices>, Vec<String>) = (Vec::new(), Vec::new());
    loop {
        let element = match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) => element,
            Event::Eof => return Ok((all, shown)),
            _ => continue,
        };
        let of = |name: &str| attribute(&element, name);
        match element.local_name().as_ref() {
            "Choices" => {
                let to_name = of("toName").unwrap_or_default();
                let to_name = to_name.split(',').next().unwrap_or_default().trim().to_owned();
                all.push(Choices { name: of("name").unwrap_or_default(), to_name, values: Vec::new() });
            }
            "Choice" => {
                if let (Some(choices), Some(value)) = (all.last_mut(), of("value")) {
                    choices.values.push((value.clone(), of("alias").unwrap_or(value)));
                }
            }
            _ => {
                if let Some(key) = of("value").and_then(|value| Some(value.strip_prefix('$')?.to_owned()))
                    && !shown.contains(&key)
                {
                    shown.push(key);
                }
            }
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok().flatten()?;
    Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<Configuration, String> {
        let labels = ["claim", "tone"].map(str::to_owned);
        Configuration::read(xml, &labels).map_err(|failure| failure.parts().2)
    }

    #[test]
    fn the_choices_that_have_all_labels_are_taken() {
        let xml = r#"<View><Header value="Why?"/><Text name="old" value="$before"/><Text name="new" value="$after"/>
            <Choices name="sure" toName="new"><Choice value="yes"/></Choices>
            <Choices name="why" toName="new,old"><Choice value="Claim &amp; fact" alias="claim"/><Choice value="tone"/></Choices>
            </View>"#;
        let read = read(xml).unwrap();
        assert_eq!((read.from_name.as_str(), read.to_name.as_str()), ("why", "new"));
        assert_eq!(read.shown, ["before", "after"]);
        assert_eq!(
            (read.said("claim"), read.said("tone"), read.said("x")),
            (Some("claim"), Some("tone"), None)
        );
        let shown = r#"<Choices name="c" toName="t"><Choice value="claim" alias="C"/><Choice value="tone"/></Choices>"#;
        assert_eq!(super::Configuration::read(shown, &["claim".into()]).unwrap().said("claim"), Some("C"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = read("<View></View>").unwrap_err();
        assert!(none.contains("it has no <Choices"), "{none}");
        let some = r#"<View><Choices name="c" toName="t"><Choice value="tone"/></Choices></View>"#;
        assert!(read(some).unwrap_err().ends_with("it has no <Choice> for the label claim"));
        assert!(read("<View><Choices></View>").unwrap_err().contains("can't be used"));
    }
}
