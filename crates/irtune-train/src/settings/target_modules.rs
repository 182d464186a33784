//! Which projections have an adapter, as people and PEFT write it.

use fancy_regex::Regex;
use irtune_model::{ModelConfig, Projection, UnknownProjection};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const ALL_LINEAR: &str = "all-linear";

/// The projections that have an adapter. In settings: a list of names, `all-linear`, or a regular expression for the whole
/// paths of modules, as PEFT's `target_modules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum TargetModules {
    /// These, in every layer.
    Named(Vec<Projection>),
    /// Every projection that the base's layers have.
    AllLinear,
    /// Those whose path, such as `model.layers.3.self_attn.q_proj`, matches a regular expression.
    Pattern(String),
}

/// As files have it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    List(Vec<String>),
}

/// Why a regular expression means no adapters of a base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetModulesError {
    /// It is none.
    #[error("target_modules: `{pattern}` is no regular expression ({reason})")]
    Regex {
        /// What was given.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// It matches nothing.
    #[error("target_modules: no module matches `{pattern}`; it has to match whole paths, such as {example}")]
    NoModule {
        /// The pattern.
        pattern: String,
        /// A module's path.
        example: String,
    },
    /// It matches a projection in some layers only.
    #[error(
        "target_modules: `{pattern}` matches {path}, but not the same module of every layer; write it for all layers, and \
         choose layers with --method fixed --layers"
    )]
    SomeLayers {
        /// The pattern.
        pattern: String,
        /// A path that it matches.
        path: String,
    },
}

impl TargetModules {
    /// The projections in a base, in the order of its modules where they are not named.
    ///
    /// # Errors
    /// When a regular expression is none, or matches no module, or one in some layers only.
    pub fn resolve(&self, config: &ModelConfig) -> Result<Vec<Projection>, TargetModulesError> {
        let family = config.family;
        let all: Vec<Projection> = config.projections().collect();
        let pattern = match self {
            TargetModules::Named(named) => return Ok(named.clone()),
            TargetModules::AllLinear => return Ok(all),
            TargetModules::Pattern(pattern) => pattern,
        };
        let regex = Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|error| {
            TargetModulesError::Regex { pattern: pattern.clone(), reason: error.to_string() }
        })?;
        let mut found = Vec::new();
        for &projection in &all {
            let paths: Vec<String> =
                (0..config.layers).map(|layer| family.module_path(layer, projection)).collect();
            let matched: Vec<&String> =
                paths.iter().filter(|path| regex.is_match(path).unwrap_or(false)).collect();
            match matched.len() {
                0 => {}
                count if count == paths.len() => found.push(projection),
                _ => {
                    let (pattern, path) = (pattern.clone(), matched[0].clone());
                    return Err(TargetModulesError::SomeLayers { pattern, path });
                }
            }
        }
        match all.first() {
            Some(&first) if found.is_empty() => Err(TargetModulesError::NoModule {
                pattern: pattern.clone(),
                example: family.module_path(0, first),
            }),
            _ => Ok(found),
        }
    }
}

impl FromStr for TargetModules {
    type Err = UnknownProjection;

    /// A text with signs of regular expressions is one, unless it is a list of projections.
    fn from_str(text: &str) -> Result<Self, UnknownProjection> {
        if text.trim().eq_ignore_ascii_case(ALL_LINEAR) {
            return Ok(TargetModules::AllLinear);
        }
        let words = text.trim_matches(['[', ']']).split(',').map(|word| word.trim().trim_matches('"'));
        let named: Result<Vec<Projection>, _> =
            words.filter(|word| !word.is_empty()).map(str::parse).collect();
        match named {
            Err(_) if text.contains(['*', '+', '?', '(', '[', '|', '\\', '^', '$']) => {
                Ok(TargetModules::Pattern(text.to_owned()))
            }
            named => named.map(TargetModules::Named),
        }
    }
}

impl TryFrom<Written> for TargetModules {
    type Error = UnknownProjection;

    fn try_from(written: Written) -> Result<Self, UnknownProjection> {
        match written {
            Written::Text(text) => text.parse(),
            Written::List(words) => words.join(",").parse(),
        }
    }
}

impl From<TargetModules> for Written {
    fn from(modules: TargetModules) -> Self {
        match modules {
            TargetModules::Named(named) => Written::List(named.iter().map(Projection::to_string).collect()),
            other => Written::Text(other.to_string()),
        }
    }
}

impl fmt::Display for TargetModules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetModules::Named(named) => {
                formatter.write_str(&named.iter().map(Projection::to_string).collect::<Vec<_>>().join(","))
            }
            TargetModules::AllLinear => formatter.write_str(ALL_LINEAR),
            TargetModules::Pattern(pattern) => formatter.write_str(pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Projection::{DownProj, KProj, QProj, UpProj, VProj};
    use std::path::Path;

    fn config() -> ModelConfig {
        let json =
            br#"{"model_type": "llama", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 12,
            "num_attention_heads": 2, "vocab_size": 8}"#;
        ModelConfig::parse_json(json, Path::new("config.json")).unwrap()
    }

    fn resolved(text: &str) -> Result<Vec<Projection>, String> {
        let modules: TargetModules = text.parse().map_err(|error: UnknownProjection| error.to_string())?;
        modules.resolve(&config()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_patterns_mean_what_they_mean_in_peft() {
        assert_eq!(resolved("v_proj, q_proj"), Ok(vec![VProj, QProj]));
        assert_eq!(resolved("All-Linear").unwrap().len(), 7);
        assert_eq!(resolved(r".*\.(q|k)_proj"), Ok(vec![QProj, KProj]));
        assert_eq!(resolved(r"model\.layers\.\d{1,2}\.mlp\.(?!gate).*"), Ok(vec![UpProj, DownProj]));
    }

    #[test]
    fn what_means_nothing_is_told() {
        for (text, told) in [
            ("w_proj", "there is no projection `w_proj`"),
            // PEFT matches whole paths.
            (
                "(q|k)_proj",
                "no module matches `(q|k)_proj`; it has to match whole paths, such as model.layers.0.self_attn.q_proj",
            ),
            (
                r".*\.[0-3]\..*q_proj",
                "matches model.layers.0.self_attn.q_proj, but not the same module of every layer",
            ),
            ("(q", "`(q` is no regular expression"),
        ] {
            let error = resolved(text).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn settings_hold_lists_and_texts() {
        let read = |json: &str| serde_json::from_str::<TargetModules>(json).unwrap();
        for json in [r#"["q_proj","v_proj"]"#, r#""all-linear""#, r#"".*_proj""#, "[]"] {
            assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
        }
        assert_eq!(read(r#""q_proj,v_proj""#), read(r#"["q_proj", "v_proj"]"#));
        assert_eq!(read(r#"["all-linear"]"#), TargetModules::AllLinear);
    }
}
