//! The pool as a whole; unit tests stand beside their code.

mod admission;
mod blobs;
mod fixtures;
mod floods;
mod heads;
mod journal;
mod model;
