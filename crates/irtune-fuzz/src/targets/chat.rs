//! Chat templates.

use irtune_model::{Base, Message, Role};

use crate::in_memory;
use crate::mutate;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// The chat template of a base.
pub const TARGET: Target = Target { name: "chat", names_files: false, usual: 600, run };

fn run(place: &Place, random: &mut Random) -> Said {
    let template = mutate::text(random, place.text("chat_template.jinja"));
    if !random.one_in(4) {
        return in_memory::chat(&place.path("chat_template.jinja"), template.as_bytes());
    }
    let path = place.path("base/chat_template.jinja");
    std::fs::write(&path, template).map_err(refused)?;
    let message = |role, content: &str| Message { role, content: content.to_owned() };
    let base = Base::open(&place.path("base")).map_err(refused);
    let said = base.and_then(|base| {
        let messages = [message(Role::System, "Tell why."), message(Role::User, "a {original} <|im_end|>")];
        base.chat(&messages).map(drop).map_err(refused)
    });
    std::fs::remove_file(&path).map_err(refused)?;
    said
}
