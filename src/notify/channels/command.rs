//! A program of the operator's: the letter's JSON on standard input. Exit code 0 is delivered.

use super::channel::{Base, Channel, Kind};
use crate::notify::failure::{Delivered, Failure};
use crate::notify::letter::Letter;
use crate::notify::run::run;
use crate::notify::secret::ReadText;

pub(super) static KIND: Kind = Kind {
    name: "command",
    help: "a program, with JSON on its standard input",
    keys: &["argv"],
    one_of: &["argv"],
    build: |base, options| Box::new(Program { base, argv: options.argv.clone().unwrap_or_default() }),
};

struct Program {
    base: Base,
    argv: Vec<String>,
}

impl Channel for Program {
    fn base(&self) -> &Base {
        &self.base
    }

    fn payload(&self, letter: &Letter) -> String {
        letter.json().to_string() + "\n"
    }

    fn send(&self, letter: &Letter, _: &ReadText<'_>) -> Result<Delivered, Failure> {
        run(&self.argv, self.payload(letter).as_bytes(), self.base.timeout)?;
        Ok(Delivered { answer: "exit 0".to_owned().into() })
    }
}
