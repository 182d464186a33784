//! The modules of a decoder and their names: in transformers, in a GGUF, in PEFT.
//!
//! # Source
//! transformers' state dictionaries; gguf-py `constants.py` and `tensor_mapping.py`; PEFT `utils/save_and_load.py`.

use super::{Family, Projection};

/// Stands for a layer's number in a module's names.
const LAYER: &str = "{layer}";

/// What the paths of a decoder's modules begin with, and what they begin with inside a composite model.
const TEXT: &str = "model.";
const COMPOSITE: &str = "model.language_model.";

/// What a module is to the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The token embedding, `[vocabulary, hidden]`.
    Embedding,
    /// A row for each position, `[positions, hidden]`.
    PositionEmbedding,
    /// The norm after the last layer, `[hidden]`.
    FinalNorm,
    /// The language-model head, `[vocabulary, hidden]`.
    LanguageHead,
    /// A layer's norm before attention, `[hidden]`.
    AttentionNorm,
    /// A layer's norm of attention's output, `[hidden]`.
    AttentionOutputNorm,
    /// A layer's norm before the MLP, `[hidden]`.
    MlpNorm,
    /// A layer's norm of the MLP's output, `[hidden]`.
    MlpOutputNorm,
    /// The norm of each query head, `[head_size]`, or of all.
    QueryNorm,
    /// The norm of each key head, `[head_size]`, or of all.
    KeyNorm,
    /// A layer's matrix, `[outputs, inputs]`.
    Projection(Projection),
}

impl From<Projection> for Role {
    fn from(projection: Projection) -> Self {
        Role::Projection(projection)
    }
}

/// Which tensor of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Its matrix, or a norm's gain.
    Weight,
    /// What it adds to its outputs.
    Bias,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Weight, Kind::Bias];

    /// The end of its name, in transformers and in a GGUF.
    fn ending(self) -> &'static str {
        match self {
            Kind::Weight => ".weight",
            Kind::Bias => ".bias",
        }
    }
}

/// A module of a decoder with its names; `{layer}` in them stands for the layer's number.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// What it is.
    pub role: Role,
    /// Its path in transformers: `model.layers.{layer}.self_attn.q_proj`.
    pub path: &'static str,
    /// Its name in a GGUF: `blk.{layer}.attn_q`.
    pub gguf: &'static str,
    /// Whether a GGUF stores the rows of each head with the two halves of a rotary pair side by side.
    pub interleaved: bool,
    /// Whether transformers stores the matrix transposed, `[inputs, outputs]` (`Conv1D`); a GGUF does not.
    pub transposed: bool,
    /// Whether it is a norm that multiplies by 1 and its weight; a GGUF has them added up.
    pub plus_one: bool,
}

impl Module {
    /// A norm or a table, whose rows lie in a GGUF as in transformers.
    pub(super) const fn new(role: Role, path: &'static str, gguf: &'static str) -> Self {
        Self { role, path, gguf, interleaved: false, transposed: false, plus_one: false }
    }

    /// A matrix, whose rows lie in a GGUF as in transformers.
    pub(super) const fn projection(projection: Projection, path: &'static str, gguf: &'static str) -> Self {
        Self::new(Role::Projection(projection), path, gguf)
    }

    /// The same with rows that a GGUF stores interleaved.
    pub(super) const fn interleaved(self) -> Self {
        Self { interleaved: true, ..self }
    }

    /// The same, stored transposed by transformers.
    pub(super) const fn transposed(self) -> Self {
        Self { transposed: true, ..self }
    }

    /// The same as a norm that multiplies by 1 and its weight.
    pub(super) const fn plus_one(self) -> Self {
        Self { plus_one: true, ..self }
    }

    /// The layer's number if `name` is that of this module in a GGUF; nothing inside for a module outside the layers.
    fn gguf_layer(&self, name: &str) -> Option<Option<usize>> {
        numbered(self.gguf, name)
    }
}

/// What stands for `{layer}` in `name`, if the rest of it is the template's.
fn numbered(template: &str, name: &str) -> Option<Option<usize>> {
    let Some((before, after)) = template.split_once(LAYER) else { return (template == name).then_some(None) };
    let number = name.strip_prefix(before)?.strip_suffix(after)?;
    // The number must be written the one way, so that no two names become one.
    let layer: usize = number.parse().ok()?;
    (layer.to_string() == number).then_some(Some(layer))
}

/// The last part of a path.
fn last_part(path: &'static str) -> &'static str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}

/// A path inside its layer; the whole of one outside.
fn inside(path: &'static str) -> &'static str {
    path.split_once("{layer}.").map_or(path, |(_, inside)| inside)
}

/// Which tensor of a decoder a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorPlace {
    /// The module's role.
    pub role: Role,
    /// Which of its tensors.
    pub kind: Kind,
    /// Its layer; nothing outside the layers.
    pub layer: Option<usize>,
    /// Whether a GGUF stores its rows interleaved, as [`Module`] says.
    pub interleaved: bool,
    /// Whether a GGUF stores 1 and its values added up, as [`Module`] says.
    pub plus_one: bool,
}

impl Family {
    /// The module of a role.
    ///
    /// # Panics
    /// If the family has none: that is a mistake of the caller, who knows its [`super::LayerSpec`].
    fn module(&self, role: Role) -> &Module {
        let module = self.modules().find(|module| module.role == role);
        module.unwrap_or_else(|| panic!("{self:?} has no {role:?}"))
    }

    /// What a norm's weight has added before it multiplies.
    pub(crate) fn gain_offset(&self, role: Role) -> f32 {
        if self.module(role).plus_one { 1.0 } else { 0.0 }
    }

    /// A path of the text part's as this family has it.
    fn path(&self, path: &str) -> String {
        match (self.text, path.strip_prefix(TEXT)) {
            (Some(_), Some(rest)) => format!("{COMPOSITE}{rest}"),
            _ => path.to_owned(),
        }
    }

    /// The name that a tensor has in a model of the text part alone.
    pub(crate) fn text_name(&self, name: &str) -> String {
        match (self.text, name.strip_prefix(COMPOSITE)) {
            (Some(_), Some(rest)) => format!("{TEXT}{rest}"),
            _ => name.to_owned(),
        }
    }

    /// transformers' name for what a file calls otherwise: a composite model's first files have its parts in another order.
    pub(crate) fn renamed(&self, name: &str) -> Option<String> {
        self.text?;
        let rest = name.strip_prefix("language_model.")?;
        Some(rest.strip_prefix(TEXT).map_or_else(|| rest.to_owned(), |rest| format!("{COMPOSITE}{rest}")))
    }

    /// transformers' name of a matrix or gain outside the layers: `model.norm.weight`.
    pub fn outer_name(&self, role: Role) -> String {
        self.outer_tensor_name(role, Kind::Weight)
    }

    /// transformers' name of a tensor outside the layers: `model.final_layernorm.bias`.
    pub fn outer_tensor_name(&self, role: Role, kind: Kind) -> String {
        format!("{}{}", self.path(self.module(role).path), kind.ending())
    }

    /// Whether transformers stores a module's matrix transposed, `[inputs, outputs]`.
    pub fn is_transposed(&self, role: impl Into<Role>) -> bool {
        self.module(role.into()).transposed
    }

    /// Whether transformers stores the matrix of this name transposed.
    pub(crate) fn is_transposed_name(&self, name: &str) -> bool {
        let Some(path) = name.strip_suffix(Kind::Weight.ending()) else { return false };
        self.modules().any(|module| module.transposed && numbered(module.path, path).is_some())
    }

    /// Whether transformers stores all matrices of the layers transposed, which PEFT wants to be told.
    pub(crate) fn is_conv1d(&self) -> bool {
        self.modules().any(|module| module.transposed)
    }

    /// transformers' name of the embedding in two parts: what all tensors of the decoder without its head begin with,
    /// `model.`, and the rest.
    pub(crate) fn embedding_name(&self) -> (String, String) {
        let path = self.path(self.module(Role::Embedding).path);
        let (first, rest) = path.rsplit_once('.').unwrap_or(("", &path));
        (format!("{first}."), format!("{rest}{}", Kind::Weight.ending()))
    }

    /// transformers' name of a layer's tensor: `model.layers.3.self_attn.q_proj.bias`.
    pub fn layer_name(&self, layer: usize, role: impl Into<Role>, kind: Kind) -> String {
        format!("{}{}", self.module_path(layer, role), kind.ending())
    }

    /// transformers' name of a layer's matrix or gain: `model.layers.3.self_attn.q_proj.weight`.
    pub fn weight_name(&self, layer: usize, role: impl Into<Role>) -> String {
        self.layer_name(layer, role, Kind::Weight)
    }

    /// transformers' path of a layer's module: `model.layers.3.self_attn.q_proj`.
    pub fn module_path(&self, layer: usize, role: impl Into<Role>) -> String {
        self.path(self.module(role.into()).path).replace(LAYER, &layer.to_string())
    }

    /// What PEFT's `target_modules` calls a projection: the last part of its path, `q_proj`, or the path inside its
    /// layer where that isn't enough, `mlp.c_proj`.
    pub fn module_name(&self, projection: Projection) -> &'static str {
        let path = self.module(projection.into()).path;
        let alike = |module: &&Module| last_part(module.path) == last_part(path);
        match self.modules().filter(alike).count() {
            1 => last_part(path),
            _ => inside(path),
        }
    }

    /// The name of a tensor of a projection's adapter, as PEFT makes it from the module's path:
    /// `base_model.model.model.layers.3.mlp.up_proj.lora_A.weight`.
    pub fn adapter_name(&self, layer: usize, projection: Projection, part: &str) -> String {
        format!("base_model.model.{}.{part}", self.module_path(layer, projection))
    }

    /// The projections that a path of PEFT's means: those whose own path is that, or ends with it behind a dot. A path that
    /// begins inside the layer means all layers (GPT-2's `c_proj` is two projections), a longer one tells the layer.
    pub fn projections_at(&self, path: &str) -> Vec<(Projection, Option<usize>)> {
        let found = self.modules().filter_map(|module| {
            let Role::Projection(projection) = module.role else { return None };
            let whole = self.path(module.path);
            let dots = whole.match_indices('.').map(|(dot, _)| dot + 1);
            let mut endings = std::iter::once(0).chain(dots).map(|first| &whole[first..]);
            endings.find_map(|ending| numbered(ending, path)).map(|layer| (projection, layer))
        });
        found.collect()
    }

    /// The name of a layer's tensor in a GGUF: `blk.3.attn_q.weight`.
    pub fn gguf_name(&self, layer: usize, role: impl Into<Role>, kind: Kind) -> String {
        format!("{}{}", self.module(role.into()).gguf.replace(LAYER, &layer.to_string()), kind.ending())
    }

    /// The name of a matrix or gain outside the layers in a GGUF: `token_embd.weight`.
    pub fn outer_gguf_name(&self, role: Role) -> String {
        format!("{}{}", self.module(role).gguf, Kind::Weight.ending())
    }

    /// Which tensor of the decoder has this name in a GGUF.
    pub fn place_of(&self, gguf_name: &str) -> Option<TensorPlace> {
        let kind = Kind::ALL.into_iter().find(|kind| gguf_name.ends_with(kind.ending()))?;
        let name = gguf_name.strip_suffix(kind.ending())?;
        self.modules().find_map(|module| {
            let layer = module.gguf_layer(name)?;
            let &Module { role, interleaved, plus_one, .. } = module;
            Some(TensorPlace { role, kind, layer, interleaved, plus_one })
        })
    }

    /// transformers' name of a tensor.
    pub fn name_at(&self, place: &TensorPlace) -> String {
        match place.layer {
            Some(layer) => self.layer_name(layer, place.role, place.kind),
            None => format!("{}{}", self.path(self.module(place.role).path), place.kind.ending()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::{FAMILIES, RopeScaling, Rotary, Variant},
        *,
    };

    const LAYERS: usize = 3;

    /// A decoder whose configuration says nothing.
    fn plain() -> Variant {
        let rotary = Rotary { size: 8, theta: 10_000.0, scaling: RopeScaling::None, query_growth: None };
        Variant::plain(rotary, LAYERS, 8)
    }

    #[test]
    fn every_family_names_all_its_modules_once_and_differently() {
        for family in FAMILIES {
            let roles: Vec<Role> = family.modules().map(|module| module.role).collect();
            let distinct: BTreeSet<_> =
                family.modules().flat_map(|module| [module.path, module.gguf]).collect();
            assert_eq!(distinct.len(), 2 * roles.len(), "{family:?}");
            for layer in 0..LAYERS {
                let spec = (family.layer)(&plain(), layer);
                let needed = spec.projections().map(Role::from).chain([
                    Role::AttentionNorm,
                    Role::AttentionOutputNorm,
                    Role::MlpNorm,
                    Role::MlpOutputNorm,
                    Role::QueryNorm,
                    Role::KeyNorm,
                ]);
                for role in needed.filter(|role| spec.has(*role)) {
                    assert!(roles.contains(&role), "{family:?} {role:?}");
                }
            }
            for role in [Role::Embedding, Role::FinalNorm, Role::LanguageHead] {
                assert!(roles.contains(&role), "{family:?} {role:?}");
            }
        }
    }

    #[test]
    fn a_name_in_a_gguf_leads_to_its_place_and_back() {
        for family in FAMILIES {
            for module in family.modules() {
                for kind in Kind::ALL {
                    let name = format!("{}{}", module.gguf.replace(LAYER, "12"), kind.ending());
                    let place = family.place_of(&name).expect("a known name");
                    assert_eq!((place.role, place.kind), (module.role, kind), "{name}");
                    let path = family.path(module.path).replace(LAYER, "12");
                    let expected = format!("{path}{}", kind.ending());
                    assert_eq!(family.name_at(&place), expected);
                    if let Some(layer) = place.layer {
                        assert_eq!((layer, family.gguf_name(layer, place.role, kind)), (12, name));
                    }
                }
            }
            for unknown in
                ["blk.0.attn_x.weight", "blk.x.attn_q.weight", "blk.01.attn_q.weight", "blk.0", "norm"]
            {
                assert_eq!(family.place_of(unknown), None, "{family:?} {unknown}");
            }
        }
    }

    #[test]
    fn a_path_of_pefts_leads_to_its_projection() {
        for family in FAMILIES {
            for projection in (family.layer)(&plain(), 0).projections() {
                let whole = family.module_path(7, projection);
                let (_, inside) = whole.split_once(".7.").expect("a layer's module");
                assert_eq!(family.projections_at(&whole), [(projection, Some(7))]);
                assert_eq!(family.projections_at(inside), [(projection, None)]);
                assert_eq!(family.projections_at(family.module_name(projection)), [(projection, None)]);
                let tensor = family.adapter_name(7, projection, "lora_A.weight");
                assert_eq!(tensor, format!("base_model.model.{whole}.lora_A.weight"));
            }
            assert_eq!(family.projections_at("model.layers.07.self_attn.q_proj"), []);
            assert_eq!(family.projections_at("score"), []);
        }
    }

    #[test]
    fn the_end_of_a_path_leads_to_the_same_projection() {
        for family in FAMILIES {
            for projection in (family.layer)(&plain(), 0).projections() {
                let whole = family.module_path(12, projection);
                for (dot, _) in whole.match_indices('.') {
                    let layer = (dot < whole.find(".12.").expect("a layer's module") + 1).then_some(12);
                    let found = family.projections_at(&whole[dot + 1..]);
                    assert!(found.contains(&(projection, layer)), "{family:?} {}", &whole[dot + 1..]);
                    let cut = family.projections_at(&whole[dot + 2..]);
                    assert!(!cut.contains(&(projection, layer)), "not a whole part: {}", &whole[dot + 2..]);
                }
            }
        }
    }

    #[test]
    fn two_modules_of_one_name_are_told_apart_by_their_paths() {
        let family = Family::by_model_type("gpt2").expect("GPT-2");
        let both = [(Projection::OProj, None), (Projection::DownProj, None)];
        assert_eq!(family.projections_at("c_proj"), both);
        assert_eq!(family.module_name(Projection::OProj), "attn.c_proj");
        assert_eq!(family.module_name(Projection::DownProj), "mlp.c_proj");
        assert_eq!(family.module_name(Projection::QkvProj), "c_attn");
    }

    #[test]
    fn matrices_that_transformers_stores_transposed_are_known_by_name() {
        let family = Family::by_model_type("gpt2").expect("GPT-2");
        assert!(family.is_transposed_name("transformer.h.11.mlp.c_fc.weight"));
        assert!(!family.is_transposed_name("transformer.h.11.mlp.c_fc.bias"));
        assert!(!family.is_transposed_name("transformer.wte.weight"));
    }
}
