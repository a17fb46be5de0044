//! How fast the typed path is, next to the bounds that the same run measures.
//!
//! Each stage runs in a process of its own, so that its CPU time and memory are its own. This process serves the API, the
//! embedded broker and the registry to them. Linux only: CPU time and memory come from `/proc`.
//!
//! ```sh
//! cargo bench -p headwater-tests                       # 2,000,000 records
//! HEADWATER_BENCH_RECORDS=500000 cargo bench -p headwater-tests
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is its result")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use headwater_runtime::codegen::KeyField as _;
use headwater_runtime::format::{OutputFormat, write};
use headwater_runtime::http::{Client, ClientSettings, Request};
use headwater_runtime::kafka::{Delivery, EmbeddedCluster, KafkaSettings, Producer, ProducerRecord};
use headwater_runtime::registry::EmbeddedRegistry;
use petstore_events::models::Event;
use serde_json::{Value, json};

/// Records of one page, as the connector asks for them.
const PAGE: usize = 1_000;

/// As the connector commits.
const RECORDS_PER_TRANSACTION: usize = 10_000;

/// The stage that is the generated connector, as its own program runs it.
const CONNECTOR: &str = "connector";

const STAGE: &str = "HEADWATER_BENCH_STAGE";
const RECORDS: &str = "HEADWATER_BENCH_RECORDS";
const SERVICES: &str = "HEADWATER_BENCH_SERVICES";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let outcome = match std::env::var(STAGE) {
        Ok(stage) => run_stage(&stage),
        Err(_) => run_all(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What one stage took.
struct Figures {
    wall: Duration,
    cpu: Duration,
    peak_memory_kib: u64,
}

fn run_all() -> Result<(), Failure> {
    let records: usize = std::env::var(RECORDS).map_or(Ok(2_000_000), |text| text.parse())?;
    let records = records.div_ceil(PAGE) * PAGE;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _guard = runtime.enter();
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let registry = runtime.block_on(EmbeddedRegistry::start(any_port))?;
    let cluster = EmbeddedCluster::start(1)?;
    for (topic, partitions) in
        [("petstore.events", 4), ("petstore.pets", 1), ("produced", 4), ("headwater-petstore-events-offsets", 16)]
    {
        cluster.create_topic(topic, partitions)?;
    }
    let listener = runtime.block_on(tokio::net::TcpListener::bind(any_port))?;
    let api = format!("http://{}", listener.local_addr()?);
    let served = Arc::new(Template::new(records / PAGE));
    let router = Router::new().fallback(answer).with_state(Arc::clone(&served));
    runtime.spawn(async move { axum::serve(listener, router).await });

    let services = json!({ "bootstrap": cluster.bootstrap_servers(), "registry": registry.url().as_str(), "api": api });
    let page = served.page(0);
    println!("{records} records of {} bytes of JSON, {PAGE} a page\n", page.len() / PAGE);
    println!("{:<44} {:>12} {:>12} {:>9}", "stage", "records/s", "CPU ns/rec", "peak MiB");
    let config = Config::new(&services)?;
    let stage = |name: &str, what: &str| -> Result<Figures, Failure> {
        let mut figures = measure(name, records, &services, &config)?;
        if name == CONNECTOR {
            figures.wall = served.since_first_request();
        }
        let rate = records as f64 / figures.wall.as_secs_f64();
        let cpu = figures.cpu.as_nanos() as f64 / records as f64;
        println!("{what:<44} {rate:>12.0} {cpu:>12.0} {:>9.1}", figures.peak_memory_kib as f64 / 1024.0);
        Ok(figures)
    };
    stage("copy", "bound: memcpy of the pages")?;
    let fetch = stage("fetch", "bound: HTTP, pages thrown away")?;
    let parse = stage("parse", "bound: serde_json into the same structs")?;
    let encode = stage("encode", "encode only: the same structs to Avro")?;
    let produce = stage("produce", "bound: producer alone, encoded bytes")?;
    let connector = stage("connector", "end to end: the connector, exactly once")?;

    let sum = fetch.cpu + parse.cpu + encode.cpu + produce.cpu;
    println!(
        "\nend to end: {:.2} of the producer's rate; CPU {:.2} × the sum of fetch, parse, encode and produce",
        produce.wall.as_secs_f64() / connector.wall.as_secs_f64(),
        connector.cpu.as_secs_f64() / sum.as_secs_f64(),
    );
    println!("idle: {:.2} % of a core with both streams polling once a minute", idle(&services, &config)? * 100.0);
    Ok(())
}

/// The connector's configuration.
struct Config {
    file: tempfile::NamedTempFile,
}

impl Config {
    fn new(services: &Value) -> Result<Self, Failure> {
        let file = tempfile::NamedTempFile::new()?;
        let settings = json!({
            "bootstrap.servers": services["bootstrap"],
            "value.converter.schema.registry.url": services["registry"],
            "http.api.base.url": services["api"],
            "api1.request.interval.ms": 60_000,
            "api2.request.interval.ms": 60_000,
            "store": "bench",
        });
        std::fs::write(file.path(), settings.to_string())?;
        Ok(Self { file })
    }

    fn command(&self, stage: &str, records: usize, services: &Value) -> Result<Command, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(STAGE, stage).env(RECORDS, records.to_string()).env(SERVICES, services.to_string());
        command.args(["run", "--config"]).arg(self.file.path()).stderr(Stdio::inherit());
        Ok(command)
    }
}

/// Runs a stage in a process of its own.
fn measure(stage: &str, records: usize, services: &Value, config: &Config) -> Result<Figures, Failure> {
    let output = config.command(stage, records, services)?.arg("--once").output()?;
    if !output.status.success() {
        return Err(format!("stage {stage} ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let figures: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    let number = |name: &str| figures[name].as_u64().ok_or(format!("stage {stage} told no {name}"));
    Ok(Figures {
        wall: Duration::from_nanos(number("wall_ns")?),
        cpu: Duration::from_nanos(number("cpu_ns")?),
        peak_memory_kib: number("peak_memory_kib")?,
    })
}

/// The share of a core that the drained connector takes, over ten seconds.
fn idle(services: &Value, config: &Config) -> Result<f64, Failure> {
    let mut child = config.command(CONNECTOR, PAGE, services)?.stdout(Stdio::null()).spawn()?;
    // It has joined its group, and read by then what there is to read in every cycle.
    std::thread::sleep(Duration::from_secs(20));
    let before = cpu_time(&child.id().to_string())?;
    let span = Duration::from_secs(10);
    std::thread::sleep(span);
    let used = cpu_time(&child.id().to_string())? - before;
    child.kill()?;
    child.wait()?;
    Ok(used.as_secs_f64() / span.as_secs_f64())
}

fn run_stage(stage: &str) -> Result<(), Failure> {
    let records: usize = std::env::var(RECORDS)?.parse()?;
    let services: Value = serde_json::from_str(&std::env::var(SERVICES)?)?;
    let pages = records / PAGE;
    let body = Template::new(pages).page(0);
    // What comes before is not the stage's work.
    let cpu_before = cpu_time("self")?;
    let start = Instant::now();
    let wall = match stage {
        "copy" => {
            for _ in 0..pages {
                black_box(black_box(&body).clone());
            }
            start.elapsed()
        }
        "fetch" => block_on(fetch(&services, pages))?,
        "parse" => {
            for _ in 0..pages {
                black_box(serde_json::from_slice::<Page<'_>>(black_box(&body))?);
            }
            start.elapsed()
        }
        "encode" => {
            let page: Page<'_> = serde_json::from_slice(&body)?;
            let mut out = Vec::new();
            for _ in 0..pages {
                out.clear();
                for event in black_box(&page.data) {
                    write(OutputFormat::Avro, event, &mut out);
                }
                black_box(out.as_slice());
            }
            start.elapsed()
        }
        "produce" => block_on(produce(&services, &body, records))?,
        // Its arguments are those of this process. Only who serves it knows when it began to read.
        CONNECTOR => {
            let _ = headwater_runtime::cli::main(petstore_events::connector());
            start.elapsed()
        }
        other => return Err(format!("no stage {other}").into()),
    };
    let figures = json!({
        "wall_ns": wall.as_nanos() as u64,
        "cpu_ns": (cpu_time("self")? - cpu_before).as_nanos() as u64,
        "peak_memory_kib": peak_memory_kib()?,
    });
    println!("{figures}");
    Ok(())
}

/// The response as the bound reads it.
#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'page, 'page: 'de"))]
struct Page<'page> {
    data: Vec<Event<'page>>,
}

async fn fetch(services: &Value, pages: usize) -> Result<Duration, Failure> {
    let client = Client::new(ClientSettings::new(text(services, "api").parse()?))?;
    let start = Instant::now();
    for page in 0..pages {
        let request = Request::get("/events").query("page_token", &page.to_string());
        black_box(client.send(&request).await?);
    }
    Ok(start.elapsed())
}

async fn produce(services: &Value, body: &[u8], records: usize) -> Result<Duration, Failure> {
    let page: Page<'_> = serde_json::from_slice(body)?;
    let mut encoded = Vec::new();
    for event in &page.data {
        let mut value = vec![0, 0, 0, 0, 1];
        write(OutputFormat::Avro, event, &mut value);
        let mut key = Vec::new();
        event.id.write_key(&mut key);
        encoded.push((key, value));
    }
    let settings = KafkaSettings { bootstrap_servers: text(services, "bootstrap").to_owned(), ..Default::default() };
    let timeout = Duration::from_secs(60);
    let delivery = Delivery::ExactlyOnce { transactional_id: "bench".to_owned(), transaction_timeout: timeout };
    let producer = Producer::connect(&settings, delivery, timeout).await?;
    let start = Instant::now();
    let mut written = 0;
    while written < records {
        producer.begin()?;
        for (key, value) in encoded.iter().cycle().take(RECORDS_PER_TRANSACTION.min(records - written)) {
            let record = ProducerRecord {
                topic: "produced",
                partition: None,
                key: Some(key),
                value: Some(value),
                timestamp: None,
                headers: &[],
            };
            producer.send(record).await?;
        }
        written += RECORDS_PER_TRANSACTION;
        producer.commit(timeout).await?;
    }
    Ok(start.elapsed())
}

fn block_on<F: Future<Output = Result<Duration, Failure>>>(stage: F) -> Result<Duration, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(stage)
}

fn text<'a>(services: &'a Value, name: &str) -> &'a str {
    services[name].as_str().unwrap_or_default()
}

/// CPU time that a process has used, from `/proc/<pid>/stat`, in ticks of 10 ms.
fn cpu_time(process: &str) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name may hold blanks; what follows it does not.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// The most memory that this process had resident.
fn peak_memory_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// What the API serves: pages that differ only in their events' times.
struct Template {
    pages: usize,
    /// A page up to the token of the next one.
    page: Vec<u8>,
    /// Where the times stand.
    times: Vec<usize>,
    first_request: OnceLock<Instant>,
}

const FIRST_TIME: &str = "2024-01-01T00:00:00.000Z";

impl Template {
    fn new(pages: usize) -> Self {
        let events: Vec<_> = (0..PAGE).map(|index| event(index).to_string()).collect();
        let page = format!(r#"{{"data":[{}],"next_page_token":"#, events.join(","));
        let times = page.match_indices(FIRST_TIME).map(|(at, _)| at).collect();
        Self { pages, page: page.into_bytes(), times, first_request: OnceLock::new() }
    }

    /// A page's bytes. Every event is a millisecond later than the one before.
    fn page(&self, number: usize) -> Vec<u8> {
        let mut page = Vec::with_capacity(self.page.len() + 32);
        page.extend_from_slice(&self.page);
        for (index, &at) in self.times.iter().enumerate() {
            let millis = number * PAGE + index;
            let (hour, minute, second) = (millis / 3_600_000 % 24, millis / 60_000 % 60, millis / 1_000 % 60);
            digits(&mut page[at + 11..at + 13], hour);
            digits(&mut page[at + 14..at + 16], minute);
            digits(&mut page[at + 17..at + 19], second);
            digits(&mut page[at + 20..at + 23], millis % 1_000);
        }
        let next = number + 1;
        let token = if next < self.pages { format!("\"{next}\"}}") } else { "null}".to_owned() };
        page.extend_from_slice(token.as_bytes());
        page
    }

    fn since_first_request(&self) -> Duration {
        self.first_request.get().map(Instant::elapsed).unwrap_or_default()
    }
}

/// Writes a number into a place of fixed width.
fn digits(place: &mut [u8], mut number: usize) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn event(index: usize) -> Value {
    json!({
        "id": format!("0b9c3c1e-4f1d-4c53-8a55-{index:012}"),
        "kind": (["arrived", "vaccinated", "sold", "returned"][index % 4]),
        "occurred_at": FIRST_TIME,
        "pet": {
            "id": 1_000_000 + index,
            "name": format!("Rex the {index}th"),
            "species": (["cat", "dog", "rabbit"][index % 3]),
            "born_on": "2021-05-04",
            "weight_kg": 4.5,
            "tags": ["calm", "indoor"],
        },
        "price": 120.5 + index as f64,
        "quantity": 1,
        "note": if index.is_multiple_of(10) {
            "The owner called twice and asked for \"the calm one\"; the papers are in the office, second shelf."
        } else {
            "The owner called twice and asked for the calm one; the papers are in the office, second shelf."
        },
    })
}

async fn answer(
    State(served): State<Arc<Template>>,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if uri.path() != "/events" {
        return (json, "[]").into_response();
    }
    let page = query.get("page_token").and_then(|token| token.parse().ok()).unwrap_or(0);
    // The stage that only fetches comes before; the connector begins without a token.
    if !query.contains_key("page_token") {
        let _ = served.first_request.set(Instant::now());
    }
    (json, served.page(page)).into_response()
}
