//! Private files: 0600 and 0700, atomic replace, fsync, lock, free space. The only room that names `std::fs` (and demo/).
