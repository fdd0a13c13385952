//! The stored form of a structure.
