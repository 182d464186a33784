//! Reading `adapter_config.json`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::AdapterError;
use crate::adapters::lora::{LoraConfig, Projection};

/// What the file says, apart from what the tensors show.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rank: usize,
    /// Such that the scaling is `alpha / rank`, also when the file asks for `alpha / √rank`.
    pub(super) alpha: f32,
    pub(super) dropout: f32,
    /// Nothing when a pattern or whole paths describe them: then the tensors say which modules are meant.
    pub(super) targets: Option<Vec<Projection>>,
    /// Modules that are named by their whole paths.
    pub(super) modules: Vec<(Projection, usize)>,
    /// The adapted layers, when not all are.
    pub(super) layers: Option<Vec<usize>>,
    pub(super) base_name: String,
    /// Whether there is a head; else it is a language model's.
    pub(super) classifies: bool,
    path: PathBuf,
}

/// Fields that change what the adapter computes in a way that isn't built, with what would work instead.
const UNSUPPORTED: [(&str, &str); 17] = [
    ("use_dora", "use_dora false"),
    ("fan_in_fan_out", "fan_in_fan_out false"),
    ("lora_bias", "lora_bias false"),
    ("rank_pattern", "one rank for all modules"),
    ("alpha_pattern", "one alpha for all modules"),
    ("layers_pattern", "layers_pattern null"),
    ("exclude_modules", "target_modules that names the modules"),
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

impl Settings {
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, AdapterError> {
        let json = |source| AdapterError::Json { path: path.to_owned(), source };
        let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(json)?;
        let fields = Fields { path, object: &object };
        fields.only("peft_type", "LORA", "peft_type LORA")?;
        let classifies = fields.get("task_type").is_none_or(|task| task != "CAUSAL_LM");
        if classifies {
            fields.only("task_type", "SEQ_CLS", "task_type SEQ_CLS or CAUSAL_LM")?;
        }
        if fields.get("bias").is_some() {
            fields.only("bias", "none", "bias none")?;
        }
        for (field, supported) in UNSUPPORTED {
            fields.refuse(field, supported)?;
        }
        fields.keeps_base()?;
        let rank = fields.get("r").and_then(Value::as_u64).and_then(|rank| u32::try_from(rank).ok());
        let rank = rank.ok_or_else(|| fields.wrong("r", "a whole number"))? as usize;
        let mut alpha = fields.number("lora_alpha")?.ok_or_else(|| fields.wrong("lora_alpha", "a number"))?;
        if fields.get("use_rslora").and_then(Value::as_bool) == Some(true) {
            alpha *= (rank as f32).sqrt();
        }
        let (targets, modules) = fields.targets()?;
        let base_name = fields.get("base_model_name_or_path").and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            rank,
            alpha,
            dropout: fields.number("lora_dropout")?.unwrap_or(0.0),
            targets,
            modules,
            layers: fields.layers()?,
            base_name: base_name.to_owned(),
            classifies,
            path: path.to_owned(),
        })
    }

    /// The settings with the modules that a pattern meant.
    pub(super) fn lora(&self, found: Vec<Projection>) -> Result<LoraConfig, AdapterError> {
        let target_modules = self.targets.clone().unwrap_or(found);
        let lora = LoraConfig { rank: self.rank, alpha: self.alpha, dropout: self.dropout, target_modules };
        match lora.validate() {
            Ok(()) => Ok(lora),
            Err(source) => Err(AdapterError::Lora { path: self.path.clone(), source }),
        }
    }
}

struct Fields<'a> {
    path: &'a Path,
    object: &'a Map<String, Value>,
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

    fn only(&self, field: &'static str, value: &str, supported: &'static str) -> Result<(), AdapterError> {
        match self.get(field) {
            Some(found) if found == value => Ok(()),
            found => Err(self.unsupported(field, found, supported)),
        }
    }

    /// Refuses a field unless it says "no" in one of the ways there are.
    fn refuse(&self, field: &'static str, supported: &'static str) -> Result<(), AdapterError> {
        let no = |value: &Value| match value {
            Value::Bool(value) => !value,
            Value::Object(object) => object.is_empty(),
            Value::Array(array) => array.is_empty(),
            _ => false,
        };
        match self.get(field) {
            Some(value) if !no(value) => Err(self.unsupported(field, Some(value), supported)),
            _ => Ok(()),
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
            let short = |projection: &Projection| [projection.name(), projection.path()].contains(&name);
            if let Some(projection) = Projection::ALL.into_iter().find(short) {
                projections.push(projection);
            } else if let Some(module) = module(name) {
                modules.push(module);
            } else {
                return Err(AdapterError::Target { path: self.path.to_owned(), target: name.to_owned() });
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
        layers.map(Some).ok_or_else(|| self.wrong(FIELD, "a layer's number or a list of them"))
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

/// The projection and layer of a whole path: `model.layers.3.mlp.up_proj`.
fn module(path: &str) -> Option<(Projection, usize)> {
    let (layer, rest) = path.strip_prefix("model.layers.")?.split_once('.')?;
    let projection = Projection::ALL.into_iter().find(|projection| projection.path() == rest)?;
    Some((projection, layer.parse().ok()?))
}
