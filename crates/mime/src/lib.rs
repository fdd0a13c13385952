//! anser-mime
