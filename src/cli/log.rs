//! The log file: never the screen. One file, set aside at 5 MB; secrets are masked by whoever writes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::base::Bytes;
use crate::disk::{self, Appender};

/// A log longer than this is set aside before it is written to again.
const LONGEST: Bytes = Bytes(5 << 20);

struct LogFile(Mutex<Appender>);

/// One line on its way.
struct Line<'a>(&'a LogFile);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.append(bytes).map_err(|e| io::Error::other(e.to_string()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self)
    }
}

/// Begins to log to `path`; `verbose` is the number of `-v`. Without a log the program works all the same.
pub fn begin(path: &Path, verbose: u8) {
    let Ok(file) = open(path) else { return };
    let level = match verbose {
        0 => "cutoff=info,warn",
        1 => "cutoff=debug,info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("CUTOFF_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(LogFile(Mutex::new(file))).try_init();
}

fn open(path: &Path) -> Result<Appender, disk::Error> {
    if let Some(dir) = path.parent() {
        disk::private_dir(dir)?;
    }
    match disk::entry(path)? {
        Some(there) if there.size > LONGEST => {
            let old = path.with_extension("log.old");
            let _ = disk::remove(&old);
            disk::set_aside(path, &old.file_name().unwrap_or_default().to_string_lossy())?;
            Appender::create(path)
        }
        Some(_) => Appender::open(path),
        None => Appender::create(path),
    }
}
