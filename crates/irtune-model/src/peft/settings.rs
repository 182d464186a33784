//! Reading `adapter_config.json`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{AdapterError, BOTTLENECK_TYPE};
use crate::{
    adapters::{
        bottleneck::BottleneckConfig, config::AdapterConfig, dora::DoraConfig, ia3::Ia3Config,
        lora::LoraConfig, patterns::Patterns,
    },
    families::{Family, Projection},
};

/// What the file says, apart from what the tensors show.
#[derive(Debug)]
pub(super) struct Settings {
    /// Without target modules.
    kind: AdapterConfig,
    /// Nothing when patterns or whole paths describe them: then the tensors say which modules are meant.
    pub(super) targets: Option<Vec<Projection>>,
    /// Modules that are named by their whole paths.
    pub(super) modules: Vec<(Projection, usize)>,
    /// The adapted layers, when not all are.
    pub(super) layers: Option<Vec<usize>>,
    pub(super) base_name: String,
    /// Whether there is a head; else it is a language model's.
    pub(super) classifies: bool,
    /// Of (IA)³: what `feedforward_modules` says, unless the way down is named there or nothing is.
    outputs_only: Option<String>,
    path: PathBuf,
}

/// Fields that change what the adapter computes in a way that isn't built, with what would work instead.
const UNSUPPORTED: [(&str, &str); 11] = [
    ("lora_bias", "lora_bias false"),
    ("layer_replication", "layer_replication null"),
    ("target_parameters", "target_parameters null"),
    ("trainable_token_indices", "trainable_token_indices null"),
    ("alora_invocation_tokens", "alora_invocation_tokens null"),
    ("use_qalora", "use_qalora false"),
    ("use_bdlora", "use_bdlora null"),
    ("arrow_config", "arrow_config null"),
    ("kasa_config", "kasa_config null"),
    ("monteclora_config", "monteclora_config null"),
    ("velora_config", "velora_config null"),
];

/// The other fields that PEFT 0.21 writes, and ours of a bottleneck: what is read, and what says nothing about how an adapter
/// computes.
const KNOWN: [&str; 40] = [
    "activation",
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "bottleneck_size",
    "corda_config",
    "dropout",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "fan_in_fan_out",
    "feedforward_modules",
    "inference_mode",
    "init_ia3_weights",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_alpha",
    "lora_dropout",
    "lora_ga_config",
    "megatron_config",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "place",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "scaling",
    "target_modules",
    "task_type",
    "use_dora",
    "use_rslora",
    "num_layers",
    "num_attention_heads",
];

/// Whether a value says "no" in one of the ways there are.
fn is_no(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Object(object) => object.is_empty(),
        Value::Array(array) => array.is_empty(),
        _ => false,
    }
}

impl Settings {
    pub(super) fn parse(bytes: &[u8], path: &Path, family: &Family) -> Result<Self, AdapterError> {
        let json = |source| AdapterError::Json { path: path.to_owned(), source };
        let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(json)?;
        let fields = Fields { path, object: &object, family };
        let classifies = fields.get("task_type").is_none_or(|task| task != "CAUSAL_LM");
        if classifies {
            fields.only("task_type", "SEQ_CLS", "task_type SEQ_CLS or CAUSAL_LM")?;
        }
        let kind = match fields.get("peft_type").and_then(Value::as_str) {
            Some("LORA") => fields.lora()?,
            Some("IA3") => fields.ia3()?,
            Some(BOTTLENECK_TYPE) => AdapterConfig::Bottleneck(fields.bottleneck()?),
            _ => {
                return Err(fields.unsupported(
                    "peft_type",
                    fields.get("peft_type"),
                    "peft_type LORA or IA3",
                ));
            }
        };
        for (field, supported) in UNSUPPORTED {
            fields.refuse(field, supported)?;
        }
        // It says how transformers stores the matrices, and nothing about the adapter's own.
        if !family.is_conv1d() {
            fields.refuse("fan_in_fan_out", "fan_in_fan_out false")?;
        }
        fields.check_saved_modules(classifies)?;
        fields.refuse_unknown()?;
        let (targets, modules) = fields.targets()?;
        let by_pattern = fields.by_pattern()?;
        let base_name = fields.get("base_model_name_or_path").and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            kind,
            targets: targets.filter(|_| !by_pattern),
            modules: if by_pattern { Vec::new() } else { modules },
            layers: fields.layers()?,
            base_name: base_name.to_owned(),
            classifies,
            outputs_only: fields.outputs_only(),
            path: path.to_owned(),
        })
    }

    /// The file that the tensors are in.
    pub(super) fn tensor_file(&self) -> &'static str {
        super::tensor_file(&self.kind)
    }

    /// The end of the name of a module's first tensor.
    pub(super) fn first_part(&self) -> &'static str {
        match self.kind {
            AdapterConfig::Lora(_) | AdapterConfig::Dora(_) => "lora_A.weight",
            AdapterConfig::Bottleneck(_) => "adapter_down.weight",
            AdapterConfig::Ia3(_) => "ia3_l",
        }
    }

    /// The settings with the modules that a pattern meant.
    pub(super) fn adapter(&self, found: Vec<Projection>) -> Result<AdapterConfig, AdapterError> {
        let adapter = self.kind.clone().with_targets(self.targets.clone().unwrap_or(found));
        if let (AdapterConfig::Ia3(ia3), Some(value)) = (&adapter, &self.outputs_only)
            && ia3.target_modules.iter().any(|&target| Ia3Config::scales_input(target))
        {
            return Err(AdapterError::Unsupported {
                path: self.path.clone(),
                field: "feedforward_modules",
                value: format!("{value}, though there are vectors of the MLP's way down"),
                supported: "feedforward_modules that names the MLP's way down",
            });
        }
        match adapter.validate() {
            Ok(()) => Ok(adapter),
            Err(source) => Err(AdapterError::Config { path: self.path.clone(), source }),
        }
    }

    /// A layer without DoRA would need the norms of the base, which are not in the folder.
    pub(super) fn partial_dora(&self) -> AdapterError {
        AdapterError::Unsupported {
            path: self.path.clone(),
            field: "use_dora",
            value: "true for some layers only".to_owned(),
            supported: "use_dora false, or the same modules in every layer",
        }
    }
}

struct Fields<'a> {
    path: &'a Path,
    object: &'a Map<String, Value>,
    family: &'a Family,
}

impl Fields<'_> {
    /// A field's value; null is as good as absent.
    fn get(&self, field: &str) -> Option<&Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    fn number(&self, field: &'static str) -> Result<Option<f32>, AdapterError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_f64().map(|number| Some(number as f32)).ok_or_else(|| self.wrong(field, "a number"))
    }

    fn lora(&self) -> Result<AdapterConfig, AdapterError> {
        if self.get("bias").is_some() {
            self.only("bias", "none", "bias none")?;
        }
        self.keeps_base()?;
        let rank = self.whole("r")?;
        let alpha = self.number("lora_alpha")?.ok_or_else(|| self.wrong("lora_alpha", "a number"))?;
        let yes = |field| self.get(field).and_then(Value::as_bool) == Some(true);
        let lora = LoraConfig {
            rank,
            alpha,
            rank_stabilised: yes("use_rslora"),
            dropout: self.number("lora_dropout")?.unwrap_or(0.0),
            rank_pattern: self.patterns("rank_pattern", |rank| usize::try_from(rank.as_u64()?).ok())?,
            alpha_pattern: self.patterns("alpha_pattern", |alpha| Some(alpha.as_f64()? as f32))?,
            ..LoraConfig::over(Vec::new())
        };
        Ok(if yes("use_dora") { DoraConfig::of(lora).into() } else { lora.into() })
    }

    fn patterns<T>(
        &self,
        field: &'static str,
        value: impl Fn(&Value) -> Option<T>,
    ) -> Result<Patterns<T>, AdapterError> {
        const EXPECTED: &str = "an object with a number for each pattern";
        let Some(given) = self.get(field) else { return Ok(Patterns::default()) };
        let object = given.as_object().ok_or_else(|| self.wrong(field, EXPECTED))?;
        let patterns = Patterns::from_json(object, value);
        let patterns =
            patterns.map_err(|source| AdapterError::Pattern { path: self.path.to_owned(), field, source })?;
        patterns.ok_or_else(|| self.wrong(field, EXPECTED))
    }

    fn bottleneck(&self) -> Result<BottleneckConfig, AdapterError> {
        let word = |field: &'static str| self.get(field).and_then(Value::as_str).unwrap_or_default();
        let number = |field| self.number(field)?.ok_or_else(|| self.wrong(field, "a number"));
        Ok(BottleneckConfig {
            size: self.whole("bottleneck_size")?,
            activation: word("activation")
                .parse()
                .map_err(|_| self.wrong("activation", "tanh, relu or gelu"))?,
            place: word("place").parse().map_err(|_| self.wrong("place", "parallel or serial"))?,
            scaling: number("scaling")?,
            dropout: number("dropout")?,
            target_modules: Vec::new(),
        })
    }

    /// Which vectors lie over inputs is fixed here: those of the down projections.
    fn ia3(&self) -> Result<AdapterConfig, AdapterError> {
        const FIELD: &str = "feedforward_modules";
        const SUPPORTED: &str = "feedforward_modules that names the MLP's way down alone";
        let ours = |value: &Value| match value {
            Value::Array(names) => names.iter().all(|name| {
                let found = name.as_str().map_or_else(Vec::new, |name| self.family.projections_at(name));
                !found.is_empty() && found.iter().all(|(projection, _)| *projection == Projection::DownProj)
            }),
            _ => false,
        };
        let over_inputs = self.get(FIELD);
        if over_inputs.is_some_and(|value| !ours(value)) {
            return Err(self.unsupported(FIELD, over_inputs, SUPPORTED));
        }
        Ok(Ia3Config { target_modules: Vec::new() }.into())
    }

    /// What `feedforward_modules` says where it names nothing, so that all vectors lie over outputs.
    fn outputs_only(&self) -> Option<String> {
        let value = self.get("feedforward_modules")?;
        value.as_array().is_some_and(Vec::is_empty).then(|| value.to_string())
    }

    fn whole(&self, field: &'static str) -> Result<usize, AdapterError> {
        let number =
            self.get(field).and_then(Value::as_u64).ok_or_else(|| self.wrong(field, "a whole number"))?;
        let number = u32::try_from(number).map_err(|_| self.wrong(field, "below 2^32"))?;
        Ok(number as usize)
    }

    fn only(&self, field: &'static str, value: &str, supported: &'static str) -> Result<(), AdapterError> {
        match self.get(field) {
            Some(found) if found == value => Ok(()),
            found => Err(self.unsupported(field, found, supported)),
        }
    }

    /// Refuses a field unless it says "no" in one of the ways there are.
    fn refuse(&self, field: &'static str, supported: &'static str) -> Result<(), AdapterError> {
        match self.get(field) {
            Some(value) if !is_no(value) => Err(self.unsupported(field, Some(value), supported)),
            _ => Ok(()),
        }
    }

    /// Whether `layers_pattern` or `exclude_modules` decide with the other fields which modules are meant: then only the
    /// tensors tell.
    fn by_pattern(&self) -> Result<bool, AdapterError> {
        const EXPECTED: &str = "a text or a list of texts";
        let mut given = false;
        for field in ["layers_pattern", "exclude_modules"] {
            let Some(value) = self.get(field) else { continue };
            let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            if !list.iter().all(Value::is_string) {
                return Err(self.wrong(field, EXPECTED));
            }
            given |= list.iter().any(|text| text != "");
        }
        Ok(given)
    }

    /// PEFT can keep whole modules beside an adapter: of a classifier it is the head, under one of two names.
    fn check_saved_modules(&self, classifies: bool) -> Result<(), AdapterError> {
        const FIELD: &str = "modules_to_save";
        let Some(value) = self.get(FIELD) else { return Ok(()) };
        let names = value.as_array().ok_or_else(|| self.wrong(FIELD, "a list of modules"))?;
        let is_head = |name: &Value| classifies && (name == "score" || name == "classifier");
        match names.iter().all(is_head) {
            true => Ok(()),
            false if classifies => {
                Err(self.unsupported(FIELD, Some(value), "no trained modules but the head, score"))
            }
            false => Err(self.unsupported(FIELD, Some(value), "no trained modules beside the adapter")),
        }
    }

    /// A field of a later PEFT may change what an adapter computes.
    fn refuse_unknown(&self) -> Result<(), AdapterError> {
        let is_known =
            |field: &str| KNOWN.contains(&field) || UNSUPPORTED.iter().any(|(name, _)| *name == field);
        let unknown = self.object.iter().find(|(field, value)| !is_known(field) && !is_no(value));
        match unknown {
            None => Ok(()),
            Some((field, value)) => Err(AdapterError::Unknown {
                path: self.path.to_owned(),
                field: field.clone(),
                value: value.to_string(),
            }),
        }
    }

    /// Some ways to begin (PiSSA, OLoRA, LoftQ …) change the base as well, which the folder doesn't hold.
    fn keeps_base(&self) -> Result<(), AdapterError> {
        const FIELD: &str = "init_lora_weights";
        match self.get(FIELD) {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(Value::String(way)) if ["gaussian", "eva", "orthogonal"].contains(&way.as_str()) => Ok(()),
            found => {
                Err(self.unsupported(FIELD, found, "init_lora_weights true, or convert this one with PEFT"))
            }
        }
    }

    /// The projections, or the modules named by their whole paths, which is how PEFT stores "all-linear".
    #[allow(clippy::type_complexity, reason = "used once, and a name would say no more")]
    fn targets(&self) -> Result<(Option<Vec<Projection>>, Vec<(Projection, usize)>), AdapterError> {
        const FIELD: &str = "target_modules";
        const EXPECTED: &str = "a list of modules or a pattern";
        let names = match self.get(FIELD) {
            Some(Value::String(_)) => return Ok((None, Vec::new())),
            Some(Value::Array(names)) => names,
            _ => return Err(self.wrong(FIELD, EXPECTED)),
        };
        let (mut projections, mut modules) = (Vec::new(), Vec::new());
        for name in names {
            let name = name.as_str().ok_or_else(|| self.wrong(FIELD, EXPECTED))?;
            let found = self.family.projections_at(name);
            if found.is_empty() {
                let (path, target) = (self.path.to_owned(), name.to_owned());
                return Err(AdapterError::Target { path, target });
            }
            for (projection, layer) in found {
                match layer {
                    None => projections.push(projection),
                    Some(layer) => modules.push((projection, layer)),
                }
            }
        }
        Ok((modules.is_empty().then_some(projections), modules))
    }

    fn layers(&self) -> Result<Option<Vec<usize>>, AdapterError> {
        const FIELD: &str = "layers_to_transform";
        let Some(value) = self.get(FIELD) else { return Ok(None) };
        let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let layers = list.iter().map(|layer| layer.as_u64().and_then(|layer| usize::try_from(layer).ok()));
        let layers: Option<Vec<usize>> = layers.collect();
        // To PEFT an empty list means all layers.
        layers
            .map(|layers| Some(layers).filter(|layers| !layers.is_empty()))
            .ok_or_else(|| self.wrong(FIELD, "a layer's number or a list of them"))
    }

    fn wrong(&self, field: &'static str, expected: &'static str) -> AdapterError {
        let found = self.get(field).map_or_else(|| "missing".to_owned(), Value::to_string);
        AdapterError::Field { path: self.path.to_owned(), field, found, expected }
    }

    fn unsupported(
        &self,
        field: &'static str,
        found: Option<&Value>,
        supported: &'static str,
    ) -> AdapterError {
        let value = found.map_or_else(|| "missing".to_owned(), Value::to_string);
        AdapterError::Unsupported { path: self.path.to_owned(), field, value, supported }
    }
}
