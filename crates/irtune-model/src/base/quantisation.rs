//! What `config.json` says of how a folder's weights are quantised.

use std::path::Path;

use serde_json::Value;

use super::config::ConfigError;

/// What works in place of a way that isn't read.
const READ: &str = "weights that are not quantised, in eight-bit floats (fp8) or in four bits by bitsandbytes, or a .gguf file";

/// Rows and columns that share a scale, where the configuration says so.
pub(super) type SharedScale = Option<(usize, usize)>;

/// Reads `quantization_config`; a folder without it is not quantised.
///
/// # Errors
/// When the weights are quantised in another way than those that are read.
pub(super) fn read(path: &Path) -> Result<SharedScale, ConfigError> {
    let read = |source| ConfigError::Read { path: path.to_owned(), source };
    let json = |source| ConfigError::Json { path: path.to_owned(), source };
    let config: Value = serde_json::from_slice(&irtune_files::read(path).map_err(read)?).map_err(json)?;
    let settings = &config["quantization_config"];
    let method = settings["quant_method"].as_str();
    let refused = |field: &str, value: String| ConfigError::Unsupported {
        path: path.to_owned(),
        field: format!("quantization_config.{field}"),
        value,
        supported: READ.to_owned(),
    };
    match method {
        None if settings.is_null() => Ok(None),
        Some("fp8") => {
            let shared =
                |index: usize| settings["weight_block_size"][index].as_u64().map(|size| size as usize);
            Ok(shared(0).zip(shared(1)))
        }
        Some("fbgemm_fp8") => Ok(None),
        Some("bitsandbytes") if settings["load_in_4bit"] == true => Ok(None),
        Some("bitsandbytes") => Err(refused("load_in_4bit", settings["load_in_4bit"].to_string())),
        Some("modelopt") if settings["quant_algo"] == "FP8" => Ok(None),
        Some("compressed-tensors") => {
            let groups = settings["config_groups"].as_object().into_iter().flat_map(|groups| groups.values());
            let mut weights = groups.map(|group| &group["weights"]);
            match weights.find(|weights| weights["num_bits"] != 8 || weights["type"] != "float") {
                None => Ok(None),
                Some(_) => Err(refused("format", settings["format"].to_string())),
            }
        }
        Some(other) => Err(refused("quant_method", format!("`{other}`"))),
        None => Err(refused("quant_method", settings["quant_method"].to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(settings: &Value) -> Result<SharedScale, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, json!({"quantization_config": settings}).to_string()).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn ways_that_are_not_read_are_named() {
        let group = |bits: u32, kind: &str| json!({"group_0": {"weights": {"num_bits": bits, "type": kind}}});
        for settings in [
            Value::Null,
            json!({"quant_method": "fbgemm_fp8"}),
            json!({"quant_method": "bitsandbytes", "load_in_4bit": true}),
            json!({"quant_method": "modelopt", "quant_algo": "FP8"}),
            json!({"quant_method": "compressed-tensors", "config_groups": group(8, "float")}),
        ] {
            assert_eq!(of(&settings), Ok(None));
        }
        assert_eq!(of(&json!({"quant_method": "fp8", "weight_block_size": [128, 64]})), Ok(Some((128, 64))));
        assert_eq!(of(&json!({"quant_method": "fp8", "weight_block_size": null})), Ok(None));
        for (settings, expected) in [
            (json!({"quant_method": "awq"}), "`quantization_config.quant_method` is `awq`"),
            (
                json!({"quant_method": "gptq"}),
                "is `gptq`, which is not supported; choose a base with weights that are",
            ),
            (
                json!({"quant_method": "bitsandbytes", "load_in_8bit": true}),
                "`quantization_config.load_in_4bit` is null",
            ),
            (json!({"quant_method": "modelopt", "quant_algo": "NVFP4"}), "quant_method` is `modelopt`"),
            (
                json!({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": group(4, "int")}),
                "`quantization_config.format` is \"pack-quantized\"",
            ),
            (json!({"bits": 4}), "`quantization_config.quant_method` is null"),
        ] {
            let message = of(&settings).unwrap_err();
            assert!(message.contains(expected) && message.contains("config.json"), "{message}");
        }
    }
}
