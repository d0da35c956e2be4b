//! Open data against a client that tries everything.

use crate::alone::alone;
use crate::support::open_data::{run, served, venv};
use tokio::process::Command;

/// Everything that the OpenAPI document describes is tried with values that fit and that do not.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_server_error_and_no_undocumented_answer() {
    let _alone = alone();
    let Some(schemathesis) = venv("schemathesis") else {
        return;
    };
    let (city, base) = served().await;
    let mut command = Command::new(schemathesis);
    command
        .current_dir(city.dir.path())
        .args(["run", &format!("{base}/api/v1/openapi.json"), "--url", &base])
        // Events have no end; they have tests of their own.
        .args(["--exclude-path-regex", "events$"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,unsupported_method"])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "20", "--seed", "1", "--workers", "1"])
        .args(["--generation-database", "none", "--no-color"]);
    let (good, text) = run(&mut command).await;
    println!("{text}");
    assert!(good, "{text}");
    city.stop().await;
}
