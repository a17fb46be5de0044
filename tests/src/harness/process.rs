//! A part: a child process with a log file, which ends with its owner.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::HarnessError;
use super::error::tail_of;

/// Far beyond what a start takes on a busy machine; it only bounds a hang.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How often a condition is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// A running part. Dropping it kills the process: its data is thrown away with it, so there is nothing to be saved.
#[derive(Debug)]
pub(crate) struct Part {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Part {
    /// Starts a command whose output goes to `log`.
    ///
    /// On Linux the kernel kills it if the calling **thread** ends, so this is for a thread that lives as long as the
    /// parts should: the supervisor's main thread.
    pub(crate) fn spawn(name: String, command: &mut Command, log: PathBuf) -> Result<Self, HarnessError> {
        let failed = || HarnessError::io(format!("starting {name}"));
        let output = File::create(&log).map_err(failed())?;
        let errors = output.try_clone().map_err(failed())?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // Out of reach of Ctrl-C in the terminal, which is for the owner to answer.
        command.process_group(0);
        end_with_this_thread(command);
        let child = command.spawn().map_err(failed())?;
        Ok(Self { name, child, log })
    }

    /// Waits until `ready` says so about the log file.
    pub(crate) fn await_ready(&mut self, mut ready: impl FnMut(&Path) -> bool) -> Result<(), HarnessError> {
        let start = Instant::now();
        while !ready(&self.log) {
            if let Some(error) = self.failure() {
                return Err(error);
            }
            if start.elapsed() > START_LIMIT {
                return Err(self.error(format!("was not ready after {} s", START_LIMIT.as_secs())));
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    /// The error that says so, if the process has ended.
    pub(crate) fn failure(&mut self) -> Option<HarnessError> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(self.error(format!("ended ({status})"))),
            Err(error) => Some(self.error(format!("cannot be watched ({error})"))),
        }
    }

    fn error(&self, reason: String) -> HarnessError {
        HarnessError::Part { name: self.name.clone(), reason, tail: tail_of(&self.log) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Both fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "there is no safe way to run code between fork and exec")]
fn end_with_this_thread(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; prctl is one, and nothing allocates.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

/// Elsewhere a part outlives a supervisor that is killed with SIGKILL; every other end is handled by `Drop`.
#[cfg(not(target_os = "linux"))]
fn end_with_this_thread(_command: &mut Command) {}

/// Ports on the loopback interface that are free now.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N], HarnessError> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        // All stay open until the last is chosen, so that they differ.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(HarnessError::io("finding a free port"))?;
        *port = listener.local_addr().map_err(HarnessError::io("finding a free port"))?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// Starts a part, again if one of its ports was taken between choosing it and using it.
pub(crate) fn start_on_free_ports<T>(mut start: impl FnMut() -> Result<T, HarnessError>) -> Result<T, HarnessError> {
    for _ in 0..2 {
        match start() {
            Err(HarnessError::Part { tail, .. })
                if ["already in use", "already bound"].iter().any(|it| tail.contains(it)) => {}
            other => return other,
        }
    }
    start()
}
