//! anser-testkit
