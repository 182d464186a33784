//! The real base, fetched the way `quickstart` fetches it, and a few steps of the real recipe.

use irtune_testing::sandbox::Sandbox;

#[test]
fn quickstart_trains_the_real_model_for_a_few_steps() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.connected_irtune();
    command.args(
        "quickstart --out first --set max_steps=6 --set eval_every=never --set warmup_steps=1".split(' '),
    );
    let said = sandbox.run_with(&mut command).success();
    assert!(said.error.contains("Two revisions it has not seen"), "{}", said.error);

    let said = sandbox.run_with(sandbox.connected_irtune().args("inspect first --json".split(' '))).success();
    let run: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let steps = run["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 6);
    for step in steps {
        // The split leaves at least a third of the 30 layers on either side.
        let training = step["active_layers"].as_array().unwrap().len();
        assert!((10..=20).contains(&training), "{training} layers train");
        let loss = step["loss"].as_f64().unwrap();
        assert!(loss.is_finite() && loss < 10.0, "{loss}");
    }
    assert_eq!(run["layer_steps"].as_array().unwrap().len(), 30);

    let said =
        sandbox.run_with(sandbox.connected_irtune().args("inspect smollm2 --json".split(' '))).success();
    let base: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(base["layers"], 30);
    assert_eq!(base["hidden_size"], 576);
    assert_eq!(base["parameters"], 134_515_008);
}
