//! The routes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tracing::Instrument;

use super::access::{Access, refused};
use crate::error::chain;
use crate::flow::{Handle, NewPositions, NoCycle, NotSteered, ShardStatus};
use crate::kafka::SourcePartition;
use crate::metrics;

struct Served {
    handle: Arc<Handle>,
    /// Connect calls the process that runs a task its worker.
    worker: String,
    access: Access,
}

pub(super) fn routes(handle: Arc<Handle>, address: SocketAddr, access: Access) -> Router {
    let served = Arc::new(Served { handle, worker: address.to_string(), access });
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthy", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route("/connectors", get(connectors))
        .route("/connectors/{name}/status", get(status))
        .route("/connectors/{name}/stop", put(stop))
        .route("/connectors/{name}/resume", put(resume))
        .route("/connectors/{name}/offsets", get(offsets).patch(change_offsets).delete(reset_offsets))
        .route("/connectors/{name}/streams/{stream}/cycle", post(begin_cycle))
        .layer(middleware::from_fn_with_state(Arc::clone(&served), guard))
        .with_state(served)
}

/// Lets through what is allowed. What is logged of it says who has asked.
async fn guard(
    State(served): State<Arc<Served>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match served.access.refusal(&request) {
        Some(refusal) => refusal,
        None => {
            let asked = tracing::info_span!("request", user = served.access.user(), %address);
            next.run(request).instrument(asked).await
        }
    }
}

async fn metrics(State(served): State<Arc<Served>>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], served.handle.metrics().text()).into_response()
}

async fn ready(State(served): State<Arc<Served>>) -> Response {
    match served.handle.status().is_running {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not connected to Kafka\n").into_response(),
    }
}

async fn connectors(State(served): State<Arc<Served>>) -> Json<Value> {
    Json(json!([served.handle.name()]))
}

/// Has a stream begin its next cycle now.
async fn begin_cycle(State(served): State<Arc<Served>>, Path((name, stream)): Path<(String, String)>) -> Response {
    if name != served.handle.name() {
        return refused(StatusCode::NOT_FOUND, &format!("Connector {name} not found"));
    }
    match served.handle.begin_cycle(&stream) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(why @ NoCycle::UnknownStream) => refused(StatusCode::NOT_FOUND, &why.to_string()),
        Err(why @ NoCycle::NotWaiting) => refused(StatusCode::CONFLICT, &why.to_string()),
    }
}

/// Positions in the form of Kafka Connect (KIP-875).
#[derive(Serialize, Deserialize)]
struct Offsets {
    offsets: Vec<OffsetOf>,
}

/// A position, and what it belongs to.
#[derive(Serialize, Deserialize)]
struct OffsetOf {
    partition: SourcePartition,
    /// `null` removes it.
    offset: Option<Map<String, Value>>,
}

/// Has all instances stop reading.
async fn stop(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Response {
    set_stopped(&served, &name, true, StatusCode::NO_CONTENT).await
}

/// Has them go on.
async fn resume(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Response {
    set_stopped(&served, &name, false, StatusCode::ACCEPTED).await
}

async fn set_stopped(served: &Served, name: &str, is_stopped: bool, done: StatusCode) -> Response {
    if name != served.handle.name() {
        return refused(StatusCode::NOT_FOUND, &format!("Connector {name} not found"));
    }
    match served.handle.set_stopped(is_stopped).await {
        Ok(()) => done.into_response(),
        Err(error) => not_steered(&error),
    }
}

/// Where the connector stands, whichever instance reads it.
async fn offsets(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Response {
    if name != served.handle.name() {
        return refused(StatusCode::NOT_FOUND, &format!("Connector {name} not found"));
    }
    match served.handle.positions().await {
        Ok(positions) => {
            let offsets = positions.into_iter().map(|(partition, position)| OffsetOf {
                partition,
                offset: serde_json::from_str(&position).unwrap_or_default(),
            });
            Json(Offsets { offsets: offsets.collect() }).into_response()
        }
        Err(error) => not_steered(&error),
    }
}

/// Sets some positions.
async fn change_offsets(State(served): State<Arc<Served>>, Path(name): Path<String>, body: Bytes) -> Response {
    let Offsets { offsets } = match serde_json::from_slice(&body) {
        Ok(offsets) => offsets,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &format!("the offsets cannot be read: {error}")),
    };
    let text = |offset: Option<Map<String, Value>>| offset.map(|offset| Value::Object(offset).to_string());
    let positions = offsets.into_iter().map(|OffsetOf { partition, offset }| (partition, text(offset))).collect();
    change(&served, &name, Some(positions), "altered").await
}

/// Removes all positions.
async fn reset_offsets(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Response {
    change(&served, &name, None, "reset").await
}

async fn change(served: &Served, name: &str, positions: Option<NewPositions>, what: &str) -> Response {
    if name != served.handle.name() {
        return refused(StatusCode::NOT_FOUND, &format!("Connector {name} not found"));
    }
    match served.handle.change_positions(positions).await {
        Ok(_) => {
            let message = format!("The offsets for this connector have been {what} successfully");
            Json(json!({ "message": message })).into_response()
        }
        Err(error) => not_steered(&error),
    }
}

fn not_steered(error: &NotSteered) -> Response {
    let status = match error {
        NotSteered::NotStarted => StatusCode::SERVICE_UNAVAILABLE,
        NotSteered::Alone => StatusCode::CONFLICT,
        NotSteered::NotStopped | NotSteered::UnknownOperation { .. } | NotSteered::Misfit { .. } => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, &chain(error).to_string())
}

/// Where a shard stands, in a word.
fn shown(status: ShardStatus) -> &'static str {
    match status {
        ShardStatus::Starting => "STARTING",
        ShardStatus::Running => "RUNNING",
        ShardStatus::Restarting => "RESTARTING",
    }
}

/// As `GET /connectors/{name}/status` of Kafka Connect, of this instance, with the shards that it has.
async fn status(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Response {
    if name != served.handle.name() {
        return refused(StatusCode::NOT_FOUND, &format!("No status found for connector {name}"));
    }
    let (status, worker) = (served.handle.status(), &served.worker);
    let state = |runs: bool| match (status.is_stopped, runs) {
        (true, _) => "STOPPED",
        (false, true) => "RUNNING",
        (false, false) => "UNASSIGNED",
    };
    let tasks: Vec<_> = (0..)
        .zip(&status.streams)
        .map(|(id, (operation, failure))| match failure {
            None => {
                json!({"id": id, "state": state(status.is_running), "worker_id": worker, "operation": operation})
            }
            Some(why) => {
                json!({"id": id, "state": "FAILED", "worker_id": worker, "operation": operation, "trace": why})
            }
        })
        .collect();
    let shards: BTreeMap<_, _> =
        status.shards.iter().map(|(shard, status)| (shard.to_string(), shown(*status))).collect();
    let connector = json!({"state": state(status.is_running), "worker_id": worker, "shards": shards});
    Json(json!({"name": name, "connector": connector, "tasks": tasks, "type": "source"})).into_response()
}
